import fc from 'fast-check'
import { expect, it } from 'vitest'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { opposes, type Reason } from '../../src/model/reason.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { configFolder } from '../config-folder.ts'
import { type MemoryReply, memoryGate, memoryUpstream } from '../memory-gate.ts'

// Whatever an upstream answers: what observing records is what enforcing then does, for strip and for block.

const CONTRACT = `openapi: 3.1.0
info: { title: things, version: 1.0.0 }
paths:
  /a:
    get:
      operationId: get
      security: []
      responses:
        '200':
          description: x
          headers: { X-Count: { required: true, schema: { type: integer } } }
          content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } }, text/plain: {}, application/x-ndjson: { schema: { $ref: '#/components/schemas/Thing' } } }
        '202': { description: none }
        '4XX': { description: x, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
components:
  schemas: { Thing: { type: object, required: [id], properties: { id: { type: string }, n: { type: integer } } } }
`

const body = fc.oneof(
  fc.constantFrom(
    '',
    'x',
    '[]',
    '{"id":"a"',
    '{"id":"a","id":"b"}',
    'at a.b.C.d(C.java:4)',
    '"a"',
    `{"id":"${'x'.repeat(3_000)}"}`,
  ),
  fc
    .array(
      fc.record(
        {
          id: fc.constantFrom<unknown>('a', 7, 'Traceback (most recent call last)'),
          n: fc.constantFrom<unknown>(1, 'x'),
          card: fc.constant(1),
        },
        { requiredKeys: [] },
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((items) => items.map((item) => JSON.stringify(item)).join('\n')),
)
const answer: fc.Arbitrary<MemoryReply> = fc
  .record({
    status: fc.constantFrom(200, 200, 200, 202, 204, 206, 304, 400, 404, 500),
    type: fc.constantFrom(
      'application/json',
      'application/json',
      'text/plain',
      'text/html',
      'application/x-ndjson',
      '',
    ),
    count: fc.constantFrom('1', '1', 'many', ''),
    coding: fc.constantFrom('', '', 'gzip', 'odd'),
    body,
  })
  .map(({ status, type, count, coding, body: text }) => ({
    status,
    fields: [
      ...(type === '' ? [] : ['Content-Type', type]),
      ...(count === '' ? [] : ['X-Count', count]),
      ...(coding === '' ? [] : ['Content-Encoding', coding]),
    ],
    body: text,
  }))

interface Played {
  readonly reasons: readonly string[]
  readonly stopped: boolean
  readonly wouldDeny: boolean
  readonly body: string
}

it('observing records what enforcing does', async () => {
  let reply: MemoryReply = { status: 200 }
  const upstream = memoryUpstream(() => reply)
  const folder = configFolder()
  const gates = ['strip', 'block'].map((answers) =>
    ['enforce', 'observe', 'stage'].map((mode) => {
      const name = `${answers}-${mode}`
      const config = folder.write({
        [`${name}.yaml`]: `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  shop:
    contract: ./shop.yaml
    upstream: http://127.0.0.1:3000
    basePath: /
    identity: { accept: [corp], audience: shop }
    mode: ${mode === 'observe' ? 'observe' : 'enforce'}
    ${mode === 'stage' ? 'observe: [response]' : ''}
    answers: ${answers}
    maxAnswerBytes: 2000
policies: ./policies
`,
        'shop.yaml': CONTRACT,
        'policies/all.cedar': 'permit (principal, action, resource);',
      })
      return memoryGate({ config: config.replace(/[^/]*$/, `${name}.yaml`), upstream, keys: {} })
    }),
  )
  const play = async (made: ReturnType<typeof memoryGate>): Promise<Played> => {
    const target = { method: 'GET', target: '/a', fields: ['Host', 'x.example'] }
    const got = await callInMemory(made.gate, systemRandom(), target)
    const text = Buffer.from(got.body).toString()
    const outcome = made.audit.outcomes.get(got.id)
    const decision = outcome?.decisions.findLast(({ checkpoint }) => checkpoint === 'response')
    const reasons: readonly Reason[] = [...(decision?.reasons ?? []), ...(decision?.observed ?? [])]
    const against = reasons.some(({ code }) => opposes(code))
    // A refusal does not tell what else would have been taken out.
    const told = reasons.filter(({ code }) => code.startsWith('response-') && (!against || opposes(code)))
    return {
      reasons: told.map(({ code, evidence }) => `${code} ${JSON.stringify(evidence)}`).sort(),
      stopped: outcome?.action === 'refused' || decision?.effect === 'deny',
      wouldDeny: outcome?.wouldDeny === true,
      body: text,
    }
  }
  await fc.assert(
    fc.asyncProperty(answer, async (given) => {
      reply = given
      for (const [enforcing, ...watching] of gates) {
        if (enforcing === undefined) throw new Error('no gate')
        const did = await play(enforcing)
        for (const gate of watching) {
          const seen = await play(gate)
          expect(seen.wouldDeny).toBe(did.stopped)
          // What is only observed is read on where enforcing ends.
          if (did.stopped) expect(seen.reasons).toEqual(expect.arrayContaining([...did.reasons]))
          else expect(seen.reasons).toEqual(did.reasons)
          expect(seen.body).toBe(given.status === 204 || given.status === 304 ? '' : given.body)
        }
      }
    }),
    { numRuns: 400, seed: 4 },
  )
  for (const gate of gates.flat()) {
    expect(gate.faults).toEqual([])
    gate.close()
  }
  folder.remove()
})
