import { describe, expect, test } from 'vitest'
import { JudgedBothWays } from '../../../test/judged-both-ways.ts'
import type { Entities } from './entities.ts'
import { EntityStore } from './entity-store.ts'
import { CedarFormError } from './est.ts'
import { type Authorization, PolicySet, type SetMember } from './policy-set.ts'
import { parsePolicyText } from './policy-text.ts'
import type { Slots } from './scope.ts'
import { EntityUid, MapRecord, type Value } from './values.ts'

const uid = (type: string, id: string): EntityUid => new EntityUid(type, id)
const alice = uid('User', 'alice')
const doc = uid('Doc', 'd')
const read = uid('Action', 'read')
const readers = uid('Action', 'readers')
const context = new MapRecord(new Map<string, Value>([['yes', true]]))
const store = new EntityStore([
  { uid: alice, parents: [uid('Group', 'a')] },
  { uid: uid('Group', 'a'), parents: [uid('Group', 'b')] },
  { uid: doc, parents: [uid('Folder', 'f')] },
])
const ACTIONS = [{ uid: read, ancestors: [readers] }]

function member(id: string, text: string, slots?: Slots): SetMember {
  const parsed = parsePolicyText(text)
  if (!parsed.ok) throw new Error(parsed.errors[0]?.message)
  return { id, policy: parsed.policy, ...(slots === undefined ? {} : { slots }) }
}

function ask(
  members: readonly SetMember[],
  more: { plain?: boolean; action?: EntityUid } = {},
): Authorization {
  const set = new JudgedBothWays(members, ACTIONS, { erroringForbidDenies: more.plain !== true })
  return set.authorize({ principal: alice, action: more.action ?? read, resource: doc, context }, store)
}

const PERMIT = member('permit', 'permit(principal, action, resource);')
const FORBID = member('forbid', 'forbid(principal, action, resource) when { context.yes };')
const BROKEN = member('broken', 'forbid(principal, action, resource) when { context.absent };')

describe('the authorizer', () => {
  test('denies where nothing applies', () => {
    expect(ask([])).toEqual({ decision: 'deny', policies: [], errors: [] })
  })

  test('a forbid beats every permit, and it alone is the reason', () => {
    expect(ask([PERMIT, FORBID])).toEqual({ decision: 'deny', policies: ['forbid'], errors: [] })
  })

  test('a forbid that fails denies, and is reported as failing', () => {
    const errors = [{ policy: 'broken', message: 'attribute "absent" not found' }]
    expect(ask([PERMIT, BROKEN])).toEqual({ decision: 'deny', policies: ['broken'], errors })
    expect(ask([PERMIT, BROKEN], { plain: true })).toEqual({
      decision: 'allow',
      policies: ['permit'],
      errors,
    })
  })

  test('a permit that fails does not apply, however it is asked', () => {
    const failing = member('p', 'permit(principal, action, resource) when { context.absent };')
    expect(ask([failing])).toMatchObject({ decision: 'deny', policies: [], errors: [{ policy: 'p' }] })
  })

  test('a condition that several policies share fails for each of them', () => {
    const text = 'permit(principal, action, resource) when { context.yes && context.absent };'
    expect(ask([member('p', text), member('q', text)]).errors.map(({ policy }) => policy)).toEqual(['p', 'q'])
  })

  test('a shared condition is tried anew in every evaluation', () => {
    const text = 'permit(principal, action, resource) when { context.yes };'
    const set = new PolicySet([member('p', text), member('q', text)], ACTIONS)
    const allowed = [true, false, true].map((yes) => {
      const own = new MapRecord(new Map<string, Value>([['yes', yes]]))
      return set.authorize({ principal: alice, action: read, resource: doc, context: own }, store).decision
    })
    expect(allowed).toEqual(['allow', 'deny', 'allow'])
  })

  test('entities that break deny through a forbid even in plain Cedar', () => {
    const broken: Entities = {
      get: () => {
        throw new RangeError('broken')
      },
    }
    const asking = member('f', 'forbid(principal, action, resource) when { action in Action::"x" };')
    const set = new PolicySet([PERMIT, asking], ACTIONS, { erroringForbidDenies: false })
    const half: Entities = { get: (name) => (name === read ? broken.get(name) : store.get(name)) }
    expect(set.authorize({ principal: alice, action: read, resource: doc, context }, half)).toEqual({
      decision: 'deny',
      policies: ['f'],
      errors: [{ policy: 'f', message: 'the evaluation broke' }],
    })
  })

  test('an id taken twice is refused', () => {
    expect(() => new PolicySet([PERMIT, PERMIT], [])).toThrow(CedarFormError)
  })
})

describe('scopes', () => {
  const SCOPES: readonly (readonly [string, boolean])[] = [
    ['principal == User::"alice", action, resource', true],
    ['principal == User::"bob", action, resource', false],
    ['principal == Group::"a", action, resource', false],
    ['principal in User::"alice", action, resource', true],
    ['principal in Group::"a", action, resource', true],
    ['principal in Group::"b", action, resource', true],
    ['principal in Group::"c", action, resource', false],
    ['principal is User, action, resource', true],
    ['principal is Group, action, resource', false],
    ['principal is User in Group::"b", action, resource', true],
    ['principal is Group in Group::"b", action, resource', false],
    ['principal, action == Action::"read", resource', true],
    ['principal, action == Action::"readers", resource', false],
    ['principal, action in Action::"readers", resource', true],
    ['principal, action in [Action::"write", Action::"readers", Action::"read"], resource', true],
    ['principal, action in [], resource', false],
    ['principal, action, resource == Doc::"d"', true],
    ['principal, action, resource in Folder::"f"', true],
    ['principal, action, resource is Doc in Folder::"f"', true],
    ['principal, action, resource is Folder', false],
    ['principal in Group::"b", action in Action::"readers", resource in Folder::"f"', true],
    ['principal in Group::"b", action in Action::"readers", resource in Folder::"g"', false],
    ['principal is User, action, resource is Doc', true],
    ['principal is User, action, resource is Folder', false],
  ]

  test.each(SCOPES)('%s', (scope, applies) => {
    expect(ask([member('p', `permit(${scope});`)]).decision).toBe(applies ? 'allow' : 'deny')
  })

  test('all of them together, each found once and in order, also among many others', () => {
    const own = SCOPES.map(([scope], index) =>
      member(`p${String(index).padStart(2, '0')}`, `permit(${scope});`),
    )
    const others = Array.from({ length: 300 }, (_, i) => {
      const scope = [
        `principal == User::"u${i}", action, resource`,
        `principal in Group::"g${i}", action, resource`,
        `principal, action in [Action::"a${i}"], resource`,
        `principal, action, resource in Folder::"f${i}"`,
      ][i % 4]
      return member(`o${i}`, `permit(${scope});`)
    })
    const expected = own.filter((_, index) => SCOPES[index]?.[1]).map(({ id }) => id)
    expect(ask([...others, ...own]).policies).toEqual(expected)
    expect(ask([...own, ...others]).policies).toEqual(expected)
  })

  test('an action that was not known still falls under the groups its entity has', () => {
    const late = uid('Action', 'late')
    const policy = member('p', 'forbid(principal, action in Action::"readers", resource);')
    const set = new PolicySet([PERMIT, policy], ACTIONS)
    const entities = new EntityStore([{ uid: late, parents: [readers] }])
    const request = { principal: alice, action: late, resource: doc, context }
    expect(set.authorize(request, entities).policies).toEqual(['p'])
    expect(set.authorize(request, store).policies).toEqual(['permit'])
  })

  test('of a principal in 10,000 groups only the groups that policies name are asked for', () => {
    const groups = Array.from({ length: 10_000 }, (_, i) => uid('Group', `g${i}`))
    const entities = new EntityStore([{ uid: alice, parents: groups }])
    const members = Array.from({ length: 20 }, (_, i) =>
      member(`p${i}`, `permit(principal in Group::"g${i * 1_000}", action, resource);`),
    )
    const set = new PolicySet(members, ACTIONS)
    const { policies } = set.authorize({ principal: alice, action: read, resource: doc, context }, entities)
    expect(policies).toHaveLength(10)
  })
})

describe('templates', () => {
  const text = 'permit(principal in ?principal, action, resource == ?resource) when { context.yes };'

  test('apply as linked', () => {
    const members = [
      member('both', text, { principal: uid('Group', 'b'), resource: doc }),
      member('neither', text, { principal: uid('Group', 'x'), resource: doc }),
      member('typed', 'permit(principal is User in ?principal, action, resource);', {
        principal: uid('Group', 'a'),
      }),
    ]
    expect(ask(members).policies).toEqual(['both', 'typed'])
  })

  test('are refused while a slot is open', () => {
    expect(() => ask([member('p', text, { principal: alice })])).toThrow(CedarFormError)
    expect(() => ask([member('p', text)])).toThrow(CedarFormError)
  })
})
