import { afterAll, describe, expect, it } from 'vitest'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { fieldValue } from '../../src/syntax/http.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import { memoryGate, memoryUpstream } from '../memory-gate.ts'

// OWASP API3 (standards 2.4): a field that the contract does not declare never reaches the upstream.

const CONTRACT = `openapi: 3.0.3
info: { title: users, version: 1.0.0 }
paths:
  /users:
    post:
      operationId: addUser
      security: []
      parameters: [{ name: tag, in: query, schema: { type: string } }]
      requestBody:
        content:
          application/json: { schema: { $ref: '#/components/schemas/User' } }
          application/merge-patch+json: { schema: { $ref: '#/components/schemas/User' } }
          application/x-www-form-urlencoded: { schema: { $ref: '#/components/schemas/Person' } }
      responses: { '200': { description: ok } }
components:
  schemas:
    Id: { type: integer, readOnly: true }
    Person:
      type: object
      required: [id, name]
      properties: { id: { $ref: '#/components/schemas/Id' }, name: { type: string }, limit: { type: number } }
    Card: { type: object, required: [number], properties: { number: { type: string } } }
    Iban: { type: object, required: [iban], properties: { iban: { type: string }, isAdmin: { type: integer, minimum: 5 } } }
    User:
      allOf:
        - $ref: '#/components/schemas/Person'
        - type: object
          properties:
            address: { type: object, properties: { city: { type: string } } }
            friends: { type: array, items: { $ref: '#/components/schemas/User' } }
            pay: { oneOf: [{ $ref: '#/components/schemas/Card' }, { $ref: '#/components/schemas/Iban' }] }
`

const folders: ConfigFolder[] = []
const gates: { close(): void }[] = []
afterAll(() => {
  for (const gate of gates) gate.close()
  for (const folder of folders) folder.remove()
})

function gateOf(api: string) {
  const folder = configFolder()
  folders.push(folder)
  const config = folder.write({
    'sallyport.yaml': `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  users:
    contract: ./users.yaml
    upstream: http://127.0.0.1:1
    identity: { accept: [corp], audience: shop }
${api}
policies: ./policies
`,
    'users.yaml': CONTRACT,
    'policies/a.cedar': '@id("all") permit (principal, action, resource);',
  })
  const upstream = memoryUpstream(() => ({ status: 200, fields: [], body: '' }))
  const made = memoryGate({ config, upstream, keys: {} })
  gates.push(made)
  const call = async (body: string, target = '/users', type = 'application/json') => {
    const before = upstream.requests.length
    const answer = await callInMemory(made.gate, systemRandom(), {
      method: 'POST',
      target,
      fields: ['Host', 'gate.example', 'Content-Type', type, 'Content-Digest', 'sha-256=:AA==:'],
      body: Buffer.from(body),
    })
    const sent = upstream.requests.slice(before)
    const intent = made.audit.intents.get(answer.id)
    return {
      status: answer.status,
      sent: sent.map(({ body: bytes }) => (bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : '')),
      request: sent[0],
      reasons: intent?.decisions.flatMap(({ reasons, observed = [] }) => [...reasons, ...observed]) ?? [],
      wouldDeny: made.audit.outcomes.get(answer.id)?.wouldDeny,
    }
  }
  return { ...made, call }
}

const ATTACKS: readonly (readonly [what: string, body: string, left: string])[] = [
  ['plainly', '{"name":"a","isAdmin":true}', '{"name":"a"}'],
  ['in another case', '{"name":"a","IsAdmin":true,"ISADMIN":1}', '{"name":"a"}'],
  ['escaped', '{"name":"a","is\\u0041dmin":true}', '{"name":"a"}'],
  ['nested', '{"name":"a","address":{"city":"b","isAdmin":true}}', '{"name":"a","address":{"city":"b"}}'],
  [
    'in arrays',
    '{"name":"a","friends":[{"name":"b","isAdmin":true}]}',
    '{"name":"a","friends":[{"name":"b"}]}',
  ],
  [
    'in arrays of arrays of it',
    '{"name":"a","friends":[{"name":"b","friends":[{"name":"c","isAdmin":1}]}]}',
    '{"name":"a","friends":[{"name":"b","friends":[{"name":"c"}]}]}',
  ],
  ['as an object', '{"name":"a","isAdmin":{"isAdmin":true}}', '{"name":"a"}'],
  [
    'with a name like a path',
    '{"name":"a","a.isAdmin":1,"/isAdmin":1,"isAdmin[]":1,"isAdmin ":1}',
    '{"name":"a"}',
  ],
  ['as what only answers have', '{"name":"a","id":1}', '{"name":"a"}'],
  [
    'beside numbers that doubles do not hold',
    '{"limit":9007199254740993.10,"name":"a","isAdmin":1}',
    '{"limit":9007199254740993.10,"name":"a"}',
  ],
]

describe.each(['application/json', 'application/merge-patch+json'])('in %s', (type) => {
  const rejecting = gateOf('')
  const stripping = gateOf('    unknownFields: strip')

  it.each(ATTACKS)('%s: refused, or taken out', async (_what, body, left) => {
    const refused = await rejecting.call(body, '/users', type)
    expect([refused.status, refused.sent]).toEqual([400, []])
    const stripped = await stripping.call(body, '/users', type)
    expect(stripped.sent).toEqual([left])
    expect(stripped.status).toBe(200)
    expect(fieldValue(stripped.request?.fields ?? [], 'content-length')).toBe(String(left.length))
    // A digest of other bytes would lie.
    expect(fieldValue(stripped.request?.fields ?? [], 'content-digest')).toBeUndefined()
    const [dropped] = stripped.reasons.filter(({ code }) => code === 'request-field-dropped')
    expect(JSON.stringify(dropped?.evidence)).toMatch(/isadmin|\/id/i)
    expect(stripped.wouldDeny).toBe(false)
  })

  it.each([
    ['twice', '{"name":"a","name":"b"}'],
    ['twice, once escaped', '{"name":"a","n\\u0061me":"b"}'],
    ['as a prototype', '{"name":"a","__proto__":{"isAdmin":true}}'],
    ['in another branch than the one that fits', '{"name":"a","pay":{"number":"1","isAdmin":true}}'],
  ])('%s: refused whatever becomes of undeclared fields', async (_what, body) => {
    for (const gate of [rejecting, stripping, gateOf('    unknownFields: observe')]) {
      const { status, sent } = await gate.call(body, '/users', type)
      expect([status, sent]).toEqual([400, []])
    }
  })
})

describe('in a form', () => {
  const type = 'application/x-www-form-urlencoded'

  it('is refused, or taken out', async () => {
    for (const body of ['name=a&isAdmin=true', 'name=a&is%41dmin=true&isAdmin=1', 'id=1&name=a']) {
      const refused = await gateOf('').call(body, '/users', type)
      expect([refused.status, refused.sent]).toEqual([400, []])
      const stripped = await gateOf('    unknownFields: strip').call(body, '/users', type)
      expect([stripped.status, stripped.sent]).toEqual([200, ['name=a']])
    }
  })
})

describe('the query', () => {
  it('is held to the same rule', async () => {
    const target = '/users?isAdmin=true&tag=a%20b&&x=1;tag=2&isAdmin=2'
    expect((await gateOf('').call('{"name":"a"}', target)).status).toBe(400)
    const stripped = await gateOf('    unknownFields: strip').call('{"name":"a"}', target)
    expect([stripped.status, stripped.request?.path]).toEqual([200, '/users?tag=a%20b'])
    const all = await gateOf('    unknownFields: strip').call('{"name":"a"}', '/users?isAdmin=true')
    expect([all.status, all.request?.path]).toEqual([200, '/users'])
    const observed = await gateOf('    unknownFields: observe').call('{"name":"a"}', '/users?isAdmin=true')
    expect([observed.status, observed.request?.path, observed.wouldDeny]).toEqual([
      200,
      '/users?isAdmin=true',
      true,
    ])
  })
})

describe('observing', () => {
  const body = '{"name": "a", "isAdmin": true, "id": 1}'

  it('passes undeclared fields untouched and records what rejecting would refuse', async () => {
    const seen = await gateOf('    unknownFields: observe').call(body)
    expect([seen.status, seen.sent, seen.wouldDeny]).toEqual([200, [body], true])
    expect(seen.reasons.map(({ code, evidence }) => [code, evidence['pointer']])).toEqual(
      expect.arrayContaining([
        ['field-undeclared', '/isAdmin'],
        ['field-read-only', '/id'],
      ]),
    )
  })

  it('holds everything else, however many fields are undeclared', async () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, 1]))
    const seen = await gateOf('    unknownFields: observe').call(JSON.stringify({ ...many, name: 7 }))
    expect([seen.status, seen.sent]).toEqual([400, []])
    const query = Array.from({ length: 100 }, (_, i) => `f${i}=1`).join('&')
    const repeated = await gateOf('    unknownFields: observe').call(
      '{"name":"a"}',
      `/users?${query}&tag=1&tag=2`,
    )
    expect([repeated.status, repeated.sent]).toEqual([400, []])
  })

  it.each(['    mode: observe', '    observe: [contract]'])(
    'of the API (%s) changes no byte of what strip would',
    async (api) => {
      const seen = await gateOf(`${api}\n    unknownFields: strip`).call(body, '/users?isAdmin=1')
      expect([seen.sent, seen.request?.path]).toEqual([[body], '/users?isAdmin=1'])
      expect(seen.reasons.map(({ code }) => code)).toContain('request-field-dropped')
    },
  )
})

describe('an operation', () => {
  it('has its own rule', async () => {
    const gate = gateOf('    operations: { addUser: { unknownFields: strip } }')
    expect((await gate.call('{"name":"a","isAdmin":true}')).sent).toEqual(['{"name":"a"}'])
  })
})
