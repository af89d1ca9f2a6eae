import { describe, expect, test } from 'vitest'
import { JudgedBothWays } from '../../../test/judged-both-ways.ts'
import { EntityStore } from './entity-store.ts'
import { parsePolicyText } from './policy-text.ts'
import { CedarSet, EntityUid, MapRecord, type Value } from './values.ts'

const alice = new EntityUid('User', 'alice')
const staff = new EntityUid('Group', 'staff')
const everyone = new EntityUid('Group', 'everyone')
const read = new EntityUid('Action', 'read')
const doc = new EntityUid('Doc', 'd')

const attributes = new Map<string, Value>([
  ['age', 30],
  ['name', 'Alice'],
  ['manager', new EntityUid('User', 'nobody')],
  ['home', new MapRecord(new Map<string, Value>([['city', new MapRecord(new Map([['zip', '10115']]))]]))],
])
const store = new EntityStore([
  { uid: alice, attributes, tags: new Map([['color', 'red']]), parents: [staff] },
  { uid: staff, parents: [everyone] },
  { uid: everyone },
  { uid: doc, attributes: new Map<string, Value>([['owner', new EntityUid('User', 'alice')]]) },
])
const context = new MapRecord(
  new Map<string, Value>([
    ['yes', true],
    ['big', 9223372036854775807n],
    ['small', 3],
    ['text', 'a*b/ü/🜂'],
    ['empty', new CedarSet([])],
    ['mixed', new CedarSet([staff, 'x'])],
    ['twice', new CedarSet([1, 1, 2])],
    ['many', new CedarSet(Array.from({ length: 100 }, (_, i) => i))],
  ]),
)

/** What `expression` comes to as a condition: true, false, or the error's message. */
function outcome(expression: string): boolean | string {
  const parsed = parsePolicyText(`permit(principal, action, resource) when { ${expression} };`)
  if (!parsed.ok) throw new Error(parsed.errors[0]?.message)
  const set = new JudgedBothWays([{ id: 'p', policy: parsed.policy }], [])
  const { decision, errors } = set.authorize(
    { principal: alice, action: read, resource: doc, context },
    store,
  )
  return errors[0]?.message ?? decision === 'allow'
}

const OVERFLOW = 'integer overflow'

describe.each<[string, readonly (readonly [string, boolean | string])[]]>([
  [
    'longs',
    [
      ['9223372036854775807 == context.big', true],
      ['9223372036854775806 == context.big', false],
      ['9223372036854775806 + 1 == context.big', true],
      ['context.big + 1 == 0', OVERFLOW],
      ['-9223372036854775808 - 1 == 0', OVERFLOW],
      ['-(-9223372036854775808) == 0', OVERFLOW],
      ['-9223372036854775808 < -9223372036854775807', true],
      ['context.big * 2 > 0', OVERFLOW],
      ['3037000500 * 3037000500 > 0', OVERFLOW],
      ['3037000499 * 3037000499 == 9223372030926249001', true],
      ['9007199254740992 + 1 == 9007199254740993', true],
      ['9007199254740993 - 9007199254740992 == 1', true],
      ['context.small * 0 == -context.small * 0', true],
      ['[context.small * 0].contains(-context.small * 0)', true],
      ['context.small + "x" == 3', 'type error: expected long'],
      ['context.small < "x"', 'type error: expected two long, datetime or duration'],
    ],
  ],
  [
    'control flow',
    [
      ['false && 1 == "x" + 1', false],
      ['true || context.absent', true],
      ['context.yes || context.absent', true],
      ['context.small || true', 'type error: expected bool'],
      ['true && context.small', 'type error: expected bool'],
      ['if context.yes then true else context.absent', true],
      ['if context.small then true else true', 'type error: expected bool'],
      ['!context.small', 'type error: expected bool'],
      ['(context.yes && context.yes) && (context.yes && context.absent)', 'attribute "absent" not found'],
    ],
  ],
  [
    'attributes and tags',
    [
      ['principal has home.city.zip', true],
      ['principal has home.city.street', false],
      ['principal has home.street.zip', false],
      ['principal has name.first', 'type error: expected a record or an entity'],
      ['principal has manager.manager', false],
      ['principal.manager.name == "x"', 'the entity does not exist'],
      ['principal.manager has name', false],
      ['action has name', false],
      ['action.name == "x"', 'the entity does not exist'],
      ['resource.owner.name == "Alice"', true],
      ['context.small has name', 'type error: expected a record or an entity'],
      ['{a: 1, "b c": 2}["b c"] == 2', true],
      ['{a: 1, b: 2} == {b: 2, a: 1}', true],
      ['{a: 1} == {a: 1, b: 2}', false],
      ['{a: 1 + "x"} has b', 'type error: expected long'],
      ['principal.hasTag("color") && principal.getTag("color") == "red"', true],
      ['principal.getTag("size") == "red"', 'the entity has no such tag'],
      ['principal.manager.hasTag("color")', false],
      ['principal.manager.getTag("color") == "red"', 'the entity does not exist'],
      ['principal.hasTag(1)', 'type error: expected string'],
    ],
  ],
  [
    'membership',
    [
      ['principal in Group::"everyone"', true],
      ['principal in principal', true],
      ['principal.manager in User::"nobody"', true],
      ['principal.manager in Group::"everyone"', false],
      ['Group::"everyone" in principal', false],
      ['principal in [Group::"x", Group::"everyone"]', true],
      ['principal in []', false],
      ['principal in [principal, 1]', 'type error: expected an entity or a set of entities'],
      ['principal in context.mixed', 'type error: expected an entity or a set of entities'],
      ['principal in "x"', 'type error: expected an entity or a set of entities'],
      ['"x" in principal', 'type error: expected an entity'],
      [`principal in [${Array.from({ length: 20 }, (_, i) => `Group::"g${i}"`).join()}]`, false],
      [
        `principal in [${Array.from({ length: 20 }, (_, i) => `Group::"g${i}"`).join()}, Group::"staff"]`,
        true,
      ],
      ['principal is User', true],
      ['principal is User in Group::"everyone"', true],
      ['principal is Group in "x"', false],
      ['context.small is User', 'type error: expected an entity'],
    ],
  ],
  [
    'sets',
    [
      ['[1, 2, 2] == context.twice', true],
      ['context.twice == [2, 1]', true],
      ['context.twice == [2, 1, 3]', false],
      ['context.many.contains(99) && !context.many.contains("99")', true],
      ['context.many.containsAll([1, 50, 99])', true],
      ['context.many.containsAny([100, 101])', false],
      ['[[1, 2], []].contains([2, 1, 1])', true],
      ['context.empty.isEmpty() && context.empty == []', true],
      ['context.many.containsAll(context.empty) && !context.many.containsAny(context.empty)', true],
      ['context.small.contains(1)', 'type error: expected set'],
      ['[1].containsAll(1)', 'type error: expected set'],
      ['context.small.isEmpty()', 'type error: expected set'],
      ['[User::"a"].contains(User::"a") && ![User::"a"].contains(Group::"a")', true],
      ['[1, true, "1"].contains("true")', false],
      ['[ip("10.0.0.1")].contains(ip("10.0.0.1/32"))', true],
    ],
  ],
  [
    'like',
    [
      [String.raw`context.text like "a\*b/*"`, true],
      ['context.text like "*ü*🜂"', true],
      ['context.text like "a*b*b*"', false],
      ['context.text like "*"', true],
      ['"" like "**"', true],
      ['"ab" like "ab*b"', false],
      ['"aXbXb" like "a*b*b"', true],
      ['context.small like "3"', 'type error: expected string'],
    ],
  ],
  [
    'equality across types',
    [
      ['1 == "1" || 1 == true || "x" == User::"x"', false],
      ['1 != "1" && [] != {}', true],
      ['ip("10.0.0.1") == "10.0.0.1"', false],
      ['decimal("1.0") == decimal("1.00")', true],
      ['decimal("1.0") < decimal("2.0")', 'type error: expected two long, datetime or duration'],
      ['datetime("2026-11-21") < datetime("2026-11-22")', true],
      ['duration("1h") >= duration("60m")', true],
      ['datetime("2026-11-21") < duration("1h")', 'type error: expected two long, datetime or duration'],
      ['ip("10.0.0.1").isInRange(ip("10.0.0.0/8"))', true],
      ['ip("10.0.0.1", "x") == 1', 'wrong number of arguments'],
    ],
  ],
])('%s', (_name, cases) => {
  test.each(cases)('%s', (expression, expected) => {
    expect(outcome(expression)).toBe(expected)
  })
})

test('a malformed literal fails when it is evaluated, not when it is compiled', () => {
  expect(outcome('ip("nonsense").isLoopback()')).toBeTypeOf('string')
  expect(outcome('false && ip("nonsense").isLoopback()')).toBe(false)
})

test.each(['&&', '||', '+'])('a chain of 500 %s', (operator) => {
  const part = operator === '+' ? 'context.small' : operator === '&&' ? 'context.yes' : 'context.small == 4'
  const chain = Array.from({ length: 500 }, () => part).join(` ${operator} `)
  expect(outcome(operator === '+' ? `${chain} == 1500` : chain)).toBe(operator !== '||')
})

test('a wildcard never makes matching slow', () => {
  const text = 'a'.repeat(20_000)
  const started = performance.now()
  expect(outcome(`"${text}" like "${'*a'.repeat(200)}*b"`)).toBe(false)
  expect(performance.now() - started).toBeLessThan(1_000)
})
