import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../src/contract/pattern.ts'
import { compileText, contractText, instantiate } from '../contract-instance.ts'

const shop = instantiate(
  compileText(readFileSync(join(import.meta.dirname, '../../demo/shop.openapi.yaml'), 'utf8')),
)
const operations = [...shop.operations.values()]
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('checks of the demo’s contract', () => {
  it('never throw on arbitrary bytes, types and statuses, and never give more than 20 findings', () => {
    const body = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(bytes))
    const type = fc.oneof(
      fc.constantFrom('application/json', 'application/problem+json', undefined),
      fc.string(),
    )
    fc.assert(
      fc.property(body, type, fc.integer({ min: 100, max: 599 }), (content, contentType, status) => {
        for (const operation of operations) {
          expect(operation.checkBody(contentType, content).findings.length).toBeLessThanOrEqual(20)
          const answer = operation.checkAnswer(status, contentType, content)
          expect(answer.findings.length).toBeLessThanOrEqual(20)
          if (answer.dropped.length === 0) expect(answer.body).toBe(content)
        }
      }),
    )
  })

  it('never throw on arbitrary paths, queries and fields', () => {
    const pairs = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 10 })
    fc.assert(
      fc.property(
        fc.array(fc.string(), { maxLength: 5 }),
        pairs,
        fc.array(fc.string()),
        (segments, query, fields) => {
          shop.match('GET', segments)
          for (const operation of operations) {
            expect(
              operation.checkParameters({ params: {}, segments, query, rawQuery: '', fields }).length,
            ).toBeLessThanOrEqual(20)
          }
        },
      ),
    )
  })
})

const NAMES = ['a', 'b', 'c'] as const
type Shape = { readonly [name in (typeof NAMES)[number]]?: Shape | null }

const shape: fc.Arbitrary<Shape> = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.dictionary(fc.constantFrom(...NAMES), fc.option(tie('shape'), { depthSize: 'small' }), {
    minKeys: 1,
  }),
})).shape
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(1, 'x', null, true),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES, 'x', 'y'), tie('value')),
  ),
})).value

function schemaOf(of: Shape): unknown {
  const properties = Object.entries(of).map(([name, inner]) => [name, inner === null ? {} : schemaOf(inner)])
  return { properties: Object.fromEntries(properties) }
}

/** The rule in its plainest words: what is left of a value. */
function kept(given: unknown, of: Shape | null | undefined): unknown {
  if (of === null || of === undefined || typeof given !== 'object' || given === null || Array.isArray(given))
    return given
  return Object.fromEntries(
    Object.entries(given)
      .filter(([name]) => Object.hasOwn(of, name))
      .map(([name, member]) => [name, kept(member, of[name as 'a'])]),
  )
}

describe('undeclared fields', () => {
  it('dropped from answers are those, and only those, refused in requests', () => {
    fc.assert(
      fc.property(shape, fc.array(value, { minLength: 1, maxLength: 10 }), (of, values) => {
        const content = { 'application/json': { schema: schemaOf(of) } }
        const text = contractText({
          paths: {
            '/a': {
              post: {
                operationId: 'op',
                requestBody: { content },
                responses: { '200': { description: '', content } },
              },
            },
          },
        })
        const operation = instantiate(compileText(text)).operations.get('shop.op')
        for (const given of values) {
          const sent = bytes(JSON.stringify(given))
          const answer = operation?.checkAnswer(200, 'application/json', sent)
          expect(JSON.parse(new TextDecoder().decode(answer?.body))).toEqual(kept(given, of))
          const refused = operation?.checkBody('application/json', sent).findings ?? []
          expect(refused.length === 0).toBe(answer?.dropped.length === 0)
          expect(
            answer === undefined ? 1 : operation?.checkBody('application/json', answer.body).findings,
          ).toEqual([])
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('patterns', () => {
  const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '\\d', '\\w', '(?:a|b)', '(ab)', '(?:)', 'a|b')
  const quantifier = fc.constantFrom('', '*', '+', '?', '{2}', '{1,2}', '*?')
  const pattern = fc
    .tuple(fc.boolean(), fc.array(fc.tuple(atom, quantifier), { minLength: 1, maxLength: 5 }), fc.boolean())
    .map(
      ([start, items, end]) =>
        `${start ? '^' : ''}${items.map((item) => `(?:${item[0]})${item[1]}`).join('')}${end ? '$' : ''}`,
    )

  it('mean what ECMAScript means by them, whichever engine takes them', () => {
    const engines = new Set<string>()
    fc.assert(
      fc.property(
        pattern,
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '1', '\n', '\u{1F600}'), maxLength: 8 })),
        (text, inputs) => {
          const compiled = compilePattern(text)
          engines.add(compiled?.engine ?? 'none')
          const reference = new RegExp(text, 'u')
          for (const input of inputs)
            expect(compiled?.test(input), `${text} on ${input}`).toBe(reference.test(input))
        },
      ),
      { numRuns: 1_000 },
    )
    expect(engines).toEqual(new Set(['v8', 're2']))
  })
})
