import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileText, contractText, instantiate } from '../contract-instance.ts'
import { type Defs, Rule, type S } from '../sealing-rule.ts'

// The gate's verdict on sealed bodies against the rule in its plainest words: a schema is read anew for every value and
// every place, without variants, shapes or generated code.

const NAMES = ['a', 'b', 'c', 'd'] as const
const COUNT = 3
const name = fc.constantFrom(...NAMES)

const LEAF: fc.Arbitrary<S> = fc.constantFrom<S>({}, { type: 'string' })
/** In place a definition refers to later ones only; a child may be any, so that schemas recurse. */
const LATER: fc.Arbitrary<S> = fc.constantFrom<S>({ $ref: '1' }, { $ref: '2' })
const ANY_DEFINITION = fc
  .integer({ min: 0, max: COUNT - 1 })
  .map((i): S => ({ $ref: `#/components/schemas/D${i}` }))

function childAt(depth: number): fc.Arbitrary<S> {
  const simple = [LEAF, LEAF.map((schema): S => ({ ...schema, readOnly: true })), ANY_DEFINITION]
  if (depth === 0) return fc.oneof(...simple)
  return fc.oneof(
    ...simple,
    objectAt(depth - 1),
    objectAt(depth - 1).map((items): S => ({ items })),
  )
}

function objectAt(depth: number): fc.Arbitrary<S> {
  const plain: fc.Arbitrary<S> = fc
    .tuple(
      fc.dictionary(name, childAt(depth), { maxKeys: 3 }),
      fc.uniqueArray(name, { maxLength: 2 }),
      fc.constantFrom<S>({ type: 'object' }, { type: 'object' }, {}),
      fc.constantFrom<S>({}, {}, {}, {}, { additionalProperties: true }, { additionalProperties: false }),
    )
    .map(([given, asked, type, others]): S => {
      // Which of two schemas wins where one asks for a name without declaring it and the other makes it read-only is
      // shown by the unit tests.
      const properties = Object.fromEntries(
        Object.entries(given).map(([key, { readOnly, ...rest }]) => [
          key,
          readOnly === true && (key === 'a' || key === 'b') ? { ...rest, readOnly } : rest,
        ]),
      )
      const required = asked.filter((key) => key === 'c' || key === 'd' || Object.hasOwn(properties, key))
      return { properties, required, ...type, ...others }
    })
  if (depth === 0) return plain
  const inPlace = fc.oneof(LATER, objectAt(depth - 1))
  const combined = fc
    .tuple(
      plain,
      fc.constantFrom('allOf', 'oneOf', 'anyOf'),
      fc.array(inPlace, { minLength: 1, maxLength: 3 }),
    )
    .map(([own, keyword, list]): S => ({ ...own, [keyword]: list }))
  const twice = fc
    .tuple(
      plain,
      fc.array(inPlace, { minLength: 1, maxLength: 2 }),
      fc.constantFrom('oneOf', 'anyOf'),
      fc.array(inPlace, { minLength: 2, maxLength: 3 }),
    )
    .map(([own, allOf, keyword, list]): S => ({ ...own, allOf, [keyword]: list }))
  return fc.oneof(plain, combined, combined, twice)
}

/** References in place name a definition by how much later it is. */
function settle(schema: S, index: number): S {
  const inner = (each: S): S => settle(each, index)
  const ref = schema.$ref
  if (ref === '1' || ref === '2') {
    const target = index + Number(ref)
    return target < COUNT ? { $ref: `#/components/schemas/D${target}` } : { type: 'object' }
  }
  if (ref !== undefined) return schema
  const { additionalProperties, properties, items, allOf, oneOf, anyOf, ...rest } = schema
  return {
    ...rest,
    ...(additionalProperties === undefined ? {} : { additionalProperties }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, inner(each)])),
        }),
    ...(items === undefined ? {} : { items: inner(items) }),
    ...(allOf === undefined ? {} : { allOf: allOf.map(inner) }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map(inner) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(inner) }),
  }
}

const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>('x', 1),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...NAMES, 'z'), tie('value'), { maxKeys: 4 }),
  ),
})).value

const contract = fc
  .array(objectAt(2), { minLength: COUNT, maxLength: COUNT })
  .map((list): Defs => Object.fromEntries(list.map((each, i) => [`D${i}`, settle(each, i)])))

describe('sealed bodies', () => {
  it('are judged as the rule says, and stripping leaves what rejecting takes', () => {
    let [clean, judged] = [0, 0]
    fc.assert(
      fc.property(contract, fc.array(value, { minLength: 5, maxLength: 20 }), (defs, values) => {
        const content = { 'application/json': { schema: { $ref: '#/components/schemas/D0' } } }
        const paths = { '/a': { post: { operationId: 'op', requestBody: { content }, responses: {} } } }
        const compiled = compileText(contractText({ paths, components: { schemas: defs } }))
        // It says where it no longer tells schemas at one place apart.
        fc.pre(!compiled.warnings.some(({ code }) => code === 'sealing-too-complex'))
        const operation = instantiate(compiled).operations.get('shop.op')
        if (operation === undefined) throw new Error('the operation is missing')
        const rule = new Rule(defs)
        const root = defs['D0'] ?? {}
        const check = (bytes: Uint8Array, mode: 'reject' | 'strip') =>
          operation.checkBody('application/json', bytes, mode)
        for (const given of values) {
          const bytes = Buffer.from(JSON.stringify(given))
          const { findings } = check(bytes, 'reject')
          const pointers = findings.flatMap(({ reason: { code, evidence } }) =>
            code === 'body-invalid' ? [] : [String(evidence['pointer'])],
          )
          const why = `${JSON.stringify(defs)} on ${JSON.stringify(given)}`
          // Of a body that fits no branch it may name more, by the branches that do not fit; it is refused anyway.
          const expected = rule.undeclared(root, given).toSorted().slice(0, 20)
          const named = rule.fits(root, given) ? pointers : pointers.filter((each) => expected.includes(each))
          expect(named.toSorted(), why).toEqual(expected)
          const valid = findings.every(({ reason: { code } }) => code !== 'body-invalid')
          if (pointers.length < 20) expect(valid, why).toBe(rule.fits(root, given))
          judged++
          if (findings.length === 0) clean++

          const stripped = check(bytes, 'strip')
          if (stripped.dropped.length === 0) expect(stripped.bytes).toBe(bytes)
          const left = JSON.parse(Buffer.from(stripped.bytes ?? []).toString())
          expect(rule.undeclared(root, left), why).toEqual([])
          const again = check(Buffer.from(JSON.stringify(left)), 'strip')
          expect([again.dropped, again.findings.length], why).toEqual([
            [],
            stripped.findings.filter(({ reason: { code } }) => code === 'body-invalid').length,
          ])
          const undeclared = check(Buffer.from(JSON.stringify(left)), 'reject').findings.filter(
            ({ reason: { code } }) => code !== 'body-invalid',
          )
          expect(undeclared, why).toEqual([])
        }
      }),
      { numRuns: Number(process.env['SALLYPORT_RUNS'] ?? 100) },
    )
    // Both kinds have to occur, or nothing was compared.
    expect(clean).toBeGreaterThan(judged / 50)
  })
})
