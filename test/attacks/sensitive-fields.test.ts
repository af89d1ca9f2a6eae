import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { compare, replayRecord } from '../../src/decision/replay/judge-record.ts'
import type { ReplayBundle } from '../../src/decision/replay/replayed.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { bundleParts, compileBundle } from '../../src/roles/compile-bundle.ts'
import { readReplayBundle } from '../../src/roles/replay-bundle.ts'
import { writeBundle } from '../../src/store/bundle-files.ts'
import { configFolder } from '../config-folder.ts'
import { answerOf, type ObjectGate, objectGate } from '../object-gate.ts'

// What a contract says of its fields, wherever it says it, reaches policies, answers and records; what cannot be hidden
// does not go out.

const responses = (schema: string, more = ''): string =>
  `{ '200': { description: ok, content: { application/json: { schema: ${schema} }${more} } } }`

const CONTRACT = `openapi: 3.1.0
info: { title: shop, version: 1.0.0 }
paths:
  /customers/{ssn}:
    parameters: [{ name: ssn, in: path, required: true, x-sallyport: { class: pii }, schema: { type: string } }]
    get: { operationId: getCustomer, security: [{ oauth: [] }], responses: ${responses(`{ $ref: '#/components/schemas/Customer' }`, ', text/csv: {}')} }
  /customers:
    get: { operationId: listCustomers, security: [{ oauth: [] }], responses: ${responses(`{ type: object, properties: { total: { type: integer }, items: { type: array, items: { $ref: '#/components/schemas/Customer' } } } }`)} }
  /orders:
    get: { operationId: listOrders, security: [{ oauth: [] }], responses: ${responses('{ type: array, items: { type: object, properties: { n: { type: integer } } } }')} }
components:
  securitySchemes: { oauth: { type: http, scheme: bearer } }
  schemas:
    Customer:
      type: object
      required: [id, ssn]
      properties:
        id: { type: string }
        owner: { type: string }
        ssn: { type: string, x-sallyport: { class: pii } }
        email: { type: string, format: email }
        cardNumber: { type: [string, 'null'] }
        score: { type: number, x-sallyport: { class: risk } }
        notes: { type: string, x-sallyport: { field: { visibleTo: { roles: [corp/support] }, otherwise: redact } } }
        limit: { type: number }
`
const RULES = `{ customer: { path: "/customers/{ssn}", owner: /owner, list: [{ operation: listCustomers, items: /items, counts: [/total] }] } }`
const POLICIES = `
@id("staff") @mask("class:pci, /email") permit (principal in Group::"corp/staff", action, resource);
@id("own") @drop("/limit") permit (principal is User, action, resource is Object) when { resource has owner && resource.owner == principal };
@id("audit") @redact("class:pii, class:risk") permit (principal in Group::"corp/audit", action, resource);
@id("cards") forbid (principal in Group::"corp/temp", action, resource) when { context.answerClasses.contains("pci") };
@id("temp") permit (principal in Group::"corp/temp", action, resource);
`
const ANA = {
  id: 'c-1',
  owner: 'ana',
  ssn: '123-45-6789',
  email: 'ana.smith@example.com',
  cardNumber: '4111 1111 1111 1111',
  score: 7,
  notes: 'called twice',
  limit: 100.5,
}

let gate: ObjectGate
afterEach(() => gate.close())

function open(overrides: Parameters<typeof objectGate>[0] = {}): void {
  gate = objectGate({ contract: CONTRACT, rules: RULES, policies: POLICIES, ...overrides })
}

interface Got {
  readonly status: number
  readonly json: typeof ANA & { readonly items: readonly (typeof ANA)[] }
}

async function get(who: string, target: string, groups: readonly string[], answer: unknown): Promise<Got> {
  gate.answer(answerOf(answer))
  const seen = await gate.call(who, { target }, { groups })
  return { status: seen.status, json: seen.status === 200 ? JSON.parse(seen.text) : null }
}

describe('fields of an answer', () => {
  it('are masked by class and pointer, and by the contract’s own rule', async () => {
    open()
    const { json } = await get('eve', '/customers/1', ['staff'], ANA)
    expect(json).toEqual({
      ...ANA,
      email: 'a***@example.com',
      cardNumber: '**** **** **** 1111',
      notes: '[redacted]',
    })
  })

  it('meet the obligations of every permit that decided, the strongest first', async () => {
    open()
    const { json } = await get('ana', '/customers/1', ['staff', 'audit'], ANA)
    const { limit: _, score: __, ...rest } = ANA
    expect(json).toEqual({
      ...rest,
      ssn: '[redacted]',
      email: '[redacted]',
      cardNumber: '**** **** **** 1111',
      notes: '[redacted]',
    })
  })

  it('are shown to whom the contract shows them', async () => {
    open({ policies: '@id("all") permit (principal, action, resource);', top: '' })
    const { json } = await get('eve', '/customers/1', [], ANA)
    expect(json.notes).toBe('[redacted]')
  })

  it('of a list’s items go by the permit that allowed each', async () => {
    open()
    const list = { total: 2, items: [ANA, { ...ANA, owner: 'ben' }] }
    const { json } = await get('ana', '/customers', [], list)
    const { limit: _, ...own } = ANA
    expect(json).toEqual({ total: 1, items: [{ ...own, notes: '[redacted]' }] })
    expect(gate.audit.outcomes.size).toBe(1)
    const [outcome] = gate.audit.outcomes.values()
    expect(outcome?.released.redacted).toContainEqual({ kind: 'drop', pointer: '/items/*/limit' })
    const staff = await get('eve', '/customers', ['staff'], list)
    expect(staff.json.items.map((each) => each.cardNumber)).toEqual(Array(2).fill('**** **** **** 1111'))
    expect(staff.json.items[1]?.email).toBe('a***@example.com')
  })

  it('are hidden in compressed answers too', async () => {
    open()
    gate.answer({
      status: 200,
      fields: ['Content-Type', 'application/json', 'Content-Encoding', 'gzip'],
      body: gzipSync(JSON.stringify(ANA)),
    } as never)
    const seen = await gate.call('eve', { target: '/customers/1' }, { groups: ['staff'] })
    expect(JSON.parse(seen.text).email).toBe('a***@example.com')
  })

  it('that cannot be hidden do not go out', async () => {
    open()
    gate.answer({
      status: 200,
      fields: ['Content-Type', 'text/csv'],
      body: Buffer.from('id,email\n1,ana@example.com'),
    } as never)
    const seen = await gate.call('eve', { target: '/customers/1' }, { groups: ['staff'] })
    expect(seen.status).toBe(502)
    expect(seen.text).not.toContain('ana@')
    expect(gate.recorded([...gate.audit.intents.keys()][0] ?? '').decisions.at(-1)?.reasons[0].code).toBe(
      'field-rule-unapplied',
    )
  })

  it('change nothing where they are only observed', async () => {
    open({ mode: 'observe' })
    const { json } = await get('eve', '/customers/1', ['staff'], ANA)
    expect(json).toEqual(ANA)
  })
})

describe('classes', () => {
  it('are read by policies at the head', async () => {
    open()
    expect((await get('tim', '/customers/1', ['temp'], ANA)).status).toBe(403)
    expect((await get('tim', '/orders', ['temp'], [{ n: 1 }])).status).toBe(200)
  })

  it('stand in the record, the values of parameters that have one do not', async () => {
    open()
    await get('eve', '/customers/123-45-6789', ['staff'], ANA)
    const [id = '', intent] = [...gate.audit.intents].at(-1) ?? []
    expect(intent?.personal.path).toBe('/customers/[redacted]')
    expect(JSON.stringify(intent)).not.toContain('123-45-6789')
    const { decisions, attributes } = gate.recorded(id)
    expect(attributes?.context.answerClasses).toEqual(['pci', 'pii', 'risk'])
    expect(decisions.at(-1)?.obligations).toContainEqual({
      kind: 'mask',
      fields: ['/email', 'class:pci'],
      policy: 'staff',
    })
  })

  it('can be stated beside the contract, and taken back', async () => {
    open({
      files: {
        'shop.sallyport.yaml': `fields:
  "#/components/schemas/Customer/properties/email": { class: none }
  listOrders: { answer: { "/*/n": { class: [pci, tally] } } }
`,
      },
    })
    expect((await get('tim', '/orders', ['temp'], [{ n: 1 }])).status).toBe(403)
  })

  it.each([
    ['"#/components/schemas/Nobody": { class: pii }', /shop\.sallyport\.yaml:2:\d+: .*points to nothing/],
    ['getNobody: { answer: { /a: { class: pii } } }', /no operation getNobody/],
    ['getCustomer: { answer: { /nothing: { class: pii } } }', /declares no field \/nothing/],
    ['"#/components/schemas/Customer": { klass: pii }', /klass/],
  ])('stated of nothing are an error: %s', (line, message) => {
    open()
    const bad = (): unknown =>
      objectGate({
        contract: CONTRACT,
        rules: RULES,
        policies: POLICIES,
        files: { 'shop.sallyport.yaml': `fields:\n  ${line}\n` },
      })
    expect(bad).toThrow(message)
  })

  it.each([
    ['@mask("/nothing") permit (principal, action, resource);', /declares \/nothing/],
    ['@maks("/email") permit (principal, action, resource);', /no annotation @maks/],
    ['@mask("email") permit (principal, action, resource);', /names fields as/],
    ['@drop("/email") forbid (principal, action, resource);', /stands at permits/],
    [
      'permit (principal, action, resource) when { context.answerClasses.contains("pcii") };',
      /never has "pcii"/,
    ],
  ])('policies that name none are an error: %s', (policy, message) => {
    open()
    expect(() => objectGate({ contract: CONTRACT, rules: RULES, policies: policy })).toThrow(message)
  })
})

describe('sampled answers', () => {
  it('tell classes that the contract does not state, in the record and nowhere else', async () => {
    open({ settings: 'sensitivity: { sample: 1 }' })
    const answer = { ...ANA, limit: 4111111111111111 }
    await get('eve', '/customers/1', ['audit'], { ...answer, id: 'ana@example.com' })
    const [outcome] = gate.audit.outcomes.values()
    expect(outcome?.released.detected).toEqual([
      { class: 'pii', pointer: '/id' },
      { class: 'pci', pointer: '/limit' },
    ])
    expect(JSON.stringify(outcome)).not.toContain('4111')
  })
})

describe('a replay', () => {
  const folder = configFolder()
  const bundleOf = (policies: string): ReplayBundle => {
    const config = folder.write({
      'sallyport.yaml': `identity: { issuers: { corp: { issuer: "https://idp.example", tenantClaim: region } } }
apis:
  shop:
    contract: ./shop.yaml
    upstream: http://127.0.0.1:3000
    basePath: /
    identity: { accept: [corp], audience: shop }
    objects: ${RULES}
policies: ./policies
`,
      'shop.yaml': CONTRACT,
      'policies/shop.cedar': policies,
    })
    const { file, hash } = writeBundle(folder.path, bundleParts(compileBundle(config)))
    return readReplayBundle(file, hash)
  }

  it('tells a changed annotation as a change, and the same one as the same', async () => {
    open()
    await get('eve', '/customers/1', ['staff'], ANA)
    await get('ana', '/customers', [], { total: 2, items: [ANA, { ...ANA, owner: 'ben' }] })
    const records = [...gate.audit.intents].map(
      ([id, intent]): ExchangeRecord => ({
        v: 1,
        place: { node: 'n', boot: 'b', thread: 0, sequence: 1 },
        intent: { ...intent, sealed: 'open' },
        outcome: gate.audit.outcomes.get(id) ?? null,
        cut: null,
      }),
    )
    const made = bundleOf(POLICIES)
    const replayed = (policies: string): unknown[] => {
      const between = compare(made.outline, bundleOf(policies))
      return records.map((record) => replayRecord(record, between))
    }
    expect(replayed(POLICIES)).toEqual([
      { kind: 'same', effect: 'allow' },
      { kind: 'same', effect: 'allow' },
    ])
    expect(replayed(POLICIES.replace('@mask("class:pci, /email")', '@mask("class:pci")'))).toEqual([
      expect.objectContaining({
        kind: 'changed',
        from: 'allow',
        to: 'allow',
        fields: { narrowed: [], widened: ['mask /email'] },
      }),
      { kind: 'same', effect: 'allow' },
    ])
    expect(replayed(POLICIES.replace('@drop("/limit")', '@redact("/limit")'))[1]).toMatchObject({
      fields: { narrowed: ['redact /limit'], widened: ['drop /limit'] },
    })
    folder.remove()
  })
})

describe('header fields of an answer', () => {
  const text = 'schema: { type: string }'
  const ok = `description: ok, headers: { X-Email: { schema: { type: string, format: email } }, X-Risk: { x-sallyport: { class: risk }, ${text} }, X-Note: { x-sallyport: { field: { otherwise: redact } }, ${text} }, X-Plain: { ${text} } }`
  const json =
    'content: { application/json: { schema: { type: object, properties: { n: { type: integer } } } } }'
  const contract = `openapi: 3.2.0
info: { title: shop, version: 1.0.0 }
paths:
  /c:
    get: { operationId: getC, security: [{ oauth: [] }], responses: { '200': { ${ok}, ${json} }, '404': { description: none, ${json} } } }
    head: { operationId: headC, security: [{ oauth: [] }], responses: { '200': { ${ok} } } }
  /s:
    get: { operationId: getS, security: [{ oauth: [] }], responses: { '200': { ${ok}, content: { application/x-ndjson: { itemSchema: { type: object, properties: { n: { type: integer } } } } } } } }
components: { securitySchemes: { oauth: { type: http, scheme: bearer } } }
`
  const sent = [
    'x-email',
    'ana.smith@example.com',
    'X-RISK',
    'high',
    'X-Note',
    'called twice',
    'X-Plain',
    'p',
  ]
  const policies = '@id("m") @mask("class:pii") @drop("class:risk") permit (principal, action, resource);'

  async function shown(
    options: { method?: string; target?: string; status?: number; mode?: string; policies?: string } = {},
  ): Promise<Record<string, string | null>> {
    const { method = 'GET', target = '/c', status = 200, mode = 'enforce' } = options
    gate = objectGate({ contract, rules: '{}', policies: options.policies ?? policies, mode })
    const type = target === '/s' ? 'application/x-ndjson' : 'application/json'
    const body = method === 'HEAD' || status === 304 ? undefined : '{"n":1}\n'
    gate.answer({ status, fields: ['Content-Type', type, ...sent], ...(body === undefined ? {} : { body }) })
    const seen = await gate.call('ana', { method, target })
    expect(seen.status).toBe(status)
    const fields = new Map<string, string>()
    for (let at = 0; at + 1 < seen.fields.length; at += 2)
      fields.set((seen.fields[at] ?? '').toLowerCase(), seen.fields[at + 1] ?? '')
    return Object.fromEntries(
      ['email', 'risk', 'note', 'plain'].map((name) => [name, fields.get(`x-${name}`) ?? null]),
    )
  }

  const hidden = { email: 'a***@example.com', risk: null, note: '[redacted]', plain: 'p' }
  it.each([
    ['of a whole answer', {}],
    ['of an answer to HEAD', { method: 'HEAD' }],
    ['of a 304', { status: 304 }],
    ['of an error', { status: 404 }],
    ['of a stream', { target: '/s' }],
  ])('%s are masked and dropped by class, and redacted by the contract’s rule', async (_, options) => {
    expect(await shown(options)).toEqual(hidden)
    const redacted = [...gate.audit.outcomes.values()].at(-1)?.released.redacted
    expect(redacted).toEqual([
      { kind: 'mask', pointer: 'header X-Email' },
      { kind: 'drop', pointer: 'header X-Risk' },
      { kind: 'redact', pointer: 'header X-Note' },
    ])
  })

  it('are redacted', async () => {
    const redact = '@id("r") @redact("class:pii") permit (principal, action, resource);'
    expect(await shown({ policies: redact })).toEqual({ ...hidden, email: '[redacted]', risk: 'high' })
  })

  it('go out as they came where hiding is only observed', async () => {
    expect(await shown({ mode: 'observe' })).toEqual({
      email: 'ana.smith@example.com',
      risk: 'high',
      note: 'called twice',
      plain: 'p',
    })
  })
})
