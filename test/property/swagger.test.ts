import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Operation } from '../../src/contract/instantiate.ts'
import { parseTarget } from '../../src/syntax/uri.ts'
import { compileText, instantiate } from '../contract-instance.ts'

/** A Swagger 2.0 contract and the same one written in OpenAPI 3.0: every call is judged alike. */
const read = (name: string): string => readFileSync(join(import.meta.dirname, '../contracts', name), 'utf8')
const old = compileText(read('webshop-swagger-2.yaml'), { file: 'webshop-swagger-2.yaml' })
const twin = compileText(read('webshop-3.0.yaml'), { file: 'webshop-3.0.yaml' })
const [one, two] = [instantiate(old), instantiate(twin)]

const line: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  line: fc.record(
    {
      sku: fc.constantFrom<unknown>('AB-1', 'ab-1', 7, null),
      quantity: fc.constantFrom<unknown>(1, 99, 0, 100, 1.5, '1'),
      options: fc.constantFrom<unknown>({}, { colour: 'red' }, { colour: 1 }, []),
      parts: fc.array(tie('line'), { maxLength: 1 }),
      colour: fc.constant('red'),
    },
    { requiredKeys: [] },
  ),
})).line
const payment = fc.record(
  {
    kind: fc.constantFrom<unknown>('Card', 'Invoice', 'Payment', 'Cash', 1),
    last4: fc.constantFrom('1234', '12'),
    reference: fc.constantFrom<unknown>('x', 1),
    other: fc.boolean(),
  },
  { requiredKeys: [] },
)
const order = fc.record(
  {
    lines: fc.array(line, { maxLength: 2 }),
    note: fc.constantFrom<unknown>(null, 'x', 'x'.repeat(41), 1),
    payment,
    id: fc.constantFrom<unknown>(1, '1', 1.5),
    status: fc.constantFrom<unknown>('open', 'lost', null),
    total: fc.constantFrom<unknown>(19.99, 0, 0.001, -1, '1'),
    extra: fc.constant(1),
  },
  { requiredKeys: [] },
)
const problem = fc.record(
  { title: fc.constantFrom<unknown>('t', 1), status: fc.constantFrom(404, 200) },
  { requiredKeys: [] },
)
const body = fc.oneof(order, fc.array(order, { maxLength: 2 }), problem, fc.jsonValue({ maxDepth: 2 }))
const pairs = fc.array(
  fc.tuple(
    fc.constantFrom('limit', 'status', 'sku', 'ids', 'words', 'since', 'colour'),
    fc.constantFrom(
      '1',
      '7',
      '101',
      'x',
      '',
      'open',
      'open,paid',
      'lost',
      'ab',
      'a',
      '1|2',
      '1|x',
      'a b',
      '2024-02-30',
      '2024-02-29',
    ),
  ),
  { maxLength: 4 },
)
const fields = fc.constantFrom<string[]>([], ['X-Trace', 'deadbeef'], ['x-trace', 'nope'])
const form = fc.constantFrom(
  'text=hello&stars=5',
  'text=hello&stars=6',
  'stars=1',
  'text=a&labels=ab,cd',
  'text=a&labels=ab,c',
  'text=a&other=1',
  `text=${'x'.repeat(21)}`,
  '',
)
const multipart = fc.constantFrom(
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n',
  '--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nx\r\n--b--\r\n',
  'x',
)

const bytes = (value: unknown): Uint8Array =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const sorted = (of: Operation['plan']): unknown => ({ ...of, classes: undefined })

function twins(): readonly (readonly [Operation, Operation])[] {
  return [...one.operations].map(([key, operation]) => {
    const other = two.operations.get(key)
    if (other === undefined) throw new Error(`${key} has no twin`)
    return [operation, other] as const
  })
}

describe('Swagger 2.0', () => {
  it('makes the same API, operations and routes', () => {
    expect(old.basePath).toBe('/api/v1')
    expect([old.basePath, old.servers, old.title, old.version]).toEqual([
      twin.basePath,
      twin.servers,
      twin.title,
      twin.version,
    ])
    expect(old.operations.map(({ plan }) => sorted(plan))).toEqual(
      twin.operations.map(({ plan }) => sorted(plan)),
    )
    for (const [operation] of twins()) {
      const target = parseTarget(operation.plan.template.replace(/\{[^{}]*\}/g, '7'))
      if (!target.ok) throw new Error('a path is no target')
      for (const contract of [one, two]) {
        expect(contract.match(operation.plan.method, target.segments)).toMatchObject({
          operation: { plan: { key: operation.plan.key } },
        })
      }
    }
  })

  it('judges every call as its OpenAPI 3.0 twin does', () => {
    let accepted = 0
    fc.assert(
      fc.property(
        pairs,
        fields,
        body,
        form,
        multipart,
        fc.constantFrom('7', '0', 'x'),
        (query, head, value, text, parts, id) => {
          const rawQuery = query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
          for (const [a, b] of twins()) {
            const segments = a.plan.template
              .slice(1)
              .split('/')
              .map((part) => (part.startsWith('{') ? id : part))
            const source = { params: { orderId: id }, segments, query, rawQuery, fields: head }
            const found = a.checkParameters(source)
            expect(found).toEqual(b.checkParameters(source))
            for (const [type, content] of [
              ['application/json', bytes(value)],
              ['application/x-www-form-urlencoded', bytes(text)],
              ['multipart/form-data; boundary=b', bytes(parts)],
              ['text/plain', bytes(text)],
            ] as const) {
              const judged = a.checkBody(type, content)
              expect(judged.findings).toEqual(b.checkBody(type, content).findings)
              if (found.length === 0 && judged.findings.length === 0) accepted++
            }
            for (const status of [200, 201, 204, 404, 500]) {
              const answered = a.checkAnswer(status, 'application/json', bytes(value))
              const other = b.checkAnswer(status, 'application/json', bytes(value))
              expect([answered.findings, answered.dropped, answered.body]).toEqual([
                other.findings,
                other.dropped,
                other.body,
              ])
            }
            const pdf = a.checkAnswer(200, 'application/pdf', bytes('%PDF'))
            expect(pdf.findings).toEqual(b.checkAnswer(200, 'application/pdf', bytes('%PDF')).findings)
          }
        },
      ),
      { numRuns: 200 },
    )
    // Both ways are seen: a comparison of refusals alone would show little.
    expect(accepted).toBeGreaterThan(20)
  })

  it('warns at places of its own file', () => {
    for (const { code, pointer } of old.warnings)
      expect(`${code} ${pointer}`).toMatch(
        / \/(?:definitions|paths|parameters|responses|securityDefinitions)(?:\/|$)/,
      )
    for (const { pointer } of old.warnings) expect(pointer).not.toMatch(/requestBody|\/content\/|components/)
  })
})
