import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { contractPatch, type PatchedOperation, UNTOLD } from '../../src/assurance/contract-patch.ts'
import { TAKEN } from '../../src/assurance/type-patch.ts'
import { readDocument } from '../../src/contract/document.ts'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { DriftCount, type DriftReport } from '../../src/inventory/drift.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { compileBundle } from '../../src/roles/compile-bundle.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { configFolder } from '../config-folder.ts'
import { type MemoryReply, memoryGate, memoryUpstream } from '../memory-gate.ts'
import { applyOverlay } from '../overlay.ts'

// Whatever calls and answers have that a contract does not declare: with the patch that drift proposes, they have
// nothing of it any more, and no value of theirs is in the report or the patch.

const schemas = (version: string): string => `openapi: ${version}
info: { title: things, version: 1.0.0 }
paths:
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      operationId: get
      security: []
      parameters: [{ name: page, in: query, schema: { type: integer } }]
      responses:
        '200':
          description: x
          headers: { X-Count: { schema: { type: integer } } }
          content: { application/json: { schema: { $ref: '#/components/schemas/Things' } } }
        '202': { description: none }
    delete:
      operationId: remove
      security: []
      responses: { '200': { description: x, content: { application/json: { schema: { oneOf: [{ $ref: '#/components/schemas/Thing' }, { type: array, items: { type: string } }] } } } } }
  /things:
    post:
      operationId: create
      security: []
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
      responses: { '201': { description: x, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } } }
components:
  schemas:
    Things: { type: object, properties: { items: { type: array, items: { $ref: '#/components/schemas/Thing' } } } }
    Base: { type: object, properties: { id: { type: string }, n: { type: integer } } }
    Thing:
      allOf:
        - $ref: '#/components/schemas/Base'
        - type: object
          properties:
            tag: { type: object, additionalProperties: false, properties: { label: { type: string } } }
            note: { type: string }
`

const SECRET = 'ana.mustermann@example.org'
const scalar = fc.constantFrom<unknown>(
  'text of a call',
  SECRET,
  '0b8a8e3c-91f5-4b5e-8f0e-6f0c1c9b3a11',
  '2026-01-01T00:00:00Z',
  'https://a.example/x',
  7,
  19.99,
  true,
  null,
)
const extra = fc.oneof(
  { weight: 3, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc.record({ a: scalar, "b's": fc.array(scalar, { maxLength: 2 }) }, { requiredKeys: [] }),
  },
)
const thing = fc.record(
  {
    id: fc.constantFrom<unknown>('x', 'x', 5, null),
    n: fc.constantFrom<unknown>(1, 1, 'one', 1.5),
    tag: fc.record({ label: fc.constant('a'), colour: extra }, { requiredKeys: [] }),
    note: fc.constantFrom<unknown>('y', null),
    nickname: extra,
    password: fc.constant('correct horse'),
    "it's": extra,
  },
  { requiredKeys: [] },
)
const query = fc.constantFrom('', '', '?page=1', '?page=two', '?q=a', '?q=7&sort=up', '?tag=1&tag=2')
const call = fc.oneof(
  fc.record({
    op: fc.constant('get' as const),
    query,
    status: fc.constantFrom(200, 200, 202, 203),
    items: fc.array(thing, { maxLength: 2 }),
    type: fc.constantFrom('application/json', 'application/json', 'application/hal+json'),
  }),
  fc.record({
    op: fc.constant('create' as const),
    query,
    status: fc.constantFrom(201, 201, 409),
    body: thing,
    answer: thing,
    type: fc.constantFrom('application/json', 'application/json', 'application/vnd.x+json'),
  }),
  fc.record({
    op: fc.constant('remove' as const),
    query,
    status: fc.constantFrom(200, 204, 500),
    answer: thing,
    body: fc.option(thing),
    type: fc.constant('application/json'),
  }),
)
type Call = typeof call extends fc.Arbitrary<infer C> ? C : never

const configured = `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  shop:
    contract: ./shop.yaml
    upstream: http://127.0.0.1:3000
    basePath: /
    identity: { accept: [corp], audience: shop }
    mode: observe
policies: ./policies
`

const folder = configFolder()
afterAll(() => folder.remove())

interface Seen {
  readonly report: DriftReport
  readonly operations: ReadonlyMap<string, PatchedOperation>
}

async function driftOf(calls: readonly Call[], contract: string): Promise<Seen> {
  const config = folder.write({
    'sallyport.yaml': configured,
    'shop.yaml': contract,
    'policies/all.cedar': 'permit (principal, action, resource);',
  })
  let reply: MemoryReply = { status: 200 }
  const made = memoryGate({ config, upstream: memoryUpstream(() => reply), keys: {} })
  try {
    const count = new DriftCount()
    for (const each of calls) {
      const type = ['Content-Type', each.type]
      const answer = each.op === 'get' ? { items: each.items } : each.answer
      reply =
        each.status === 204
          ? { status: 204 }
          : { status: each.status, fields: [...type, 'X-Count', '1'], body: JSON.stringify(answer) }
      const sent = each.op === 'get' || each.body === null ? null : Buffer.from(JSON.stringify(each.body))
      const { id } = await callInMemory(made.gate, systemRandom(), {
        method: { get: 'GET', create: 'POST', remove: 'DELETE' }[each.op],
        target: `${each.op === 'create' ? '/things' : '/things/1'}${each.query}`,
        fields: ['Host', 'x.example', ...(sent === null ? [] : type)],
        ...(sent === null ? {} : { body: sent }),
      })
      const [intent, outcome] = [made.audit.intents.get(id), made.audit.outcomes.get(id)]
      if (intent === undefined || outcome === undefined) throw new Error('no record')
      count.add({
        v: 1,
        place: { node: '', boot: '', thread: 0, sequence: 0 },
        intent: { ...intent, sealed: 'open', personal: null },
        outcome,
      } as unknown as ExchangeRecord)
    }
    const operations = compileBundle(config).apis.flatMap(({ contract }) => contract?.operations ?? [])
    return { report: count.report(), operations: new Map(operations.map(({ plan }) => [plan.key, plan])) }
  } finally {
    made.close()
  }
}

it.each(['3.0.3', '3.1.0'])(
  'a contract of OpenAPI %s with the patch has no drift for the same calls',
  async (version) => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 4 }), async (calls) => {
        let contract = schemas(version)
        // A check stops at its first fault: what stands behind it shows once that is declared.
        for (let round = 0; round < 8; round++) {
          const { report, operations } = await driftOf(calls, contract)
          expect(JSON.stringify(report)).not.toContain(SECRET)
          if (report.rows.length === 0) return
          const patch = contractPatch(readDocument(contract, 'shop.yaml'), report.rows, operations)
          const [first] = patch.overlays
          expect(
            patch.left
              .filter(({ why }) => why !== TAKEN && why !== UNTOLD)
              .map(({ why, row }) => [why, row.kind, row.place]),
          ).toEqual([])
          const text = stringify(first?.overlay)
          expect(text).not.toContain(SECRET)
          contract = stringify(applyOverlay(parse(contract), parse(text)))
        }
        expect.fail('there is drift after 8 patches')
      }),
      { numRuns: Number(process.env['SALLYPORT_RUNS'] ?? 12) },
    )
  },
)
