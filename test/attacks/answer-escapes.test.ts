import { afterEach, describe, expect, it } from 'vitest'
import { answerOf, type ObjectGate, objectGate } from '../object-gate.ts'

// Ways around field rules: framings, references, places and statuses by which a field that is to be hidden stands
// elsewhere than a plain JSON answer has it; and names that are values, which no record may keep.

const SECRET = '4111111111111111'
const C = `{ $ref: '#/components/schemas/C' }`
const get = (path: string, content: string, more = ''): string =>
  `  /${path}: { get: { operationId: ${path}, security: [{ oauth: [] }], responses: { '2XX': { description: x, content: { ${content} } }${more} } } }\n`
const json = (schema: string): string => `application/json: { schema: ${schema} }`
const lines = (schema: string): string => `application/x-ndjson: { itemSchema: ${schema} }`

const CONTRACT = `openapi: 3.2.0
info: { title: shop, version: 1.0.0 }
paths:
${get('whole', json(C))}
${get('wrapped', json(`{ type: object, properties: { c: ${C} } }`), `, '4XX': { description: x, content: { ${json(`{ type: object, properties: { title: { type: string }, card: { type: string, x-sallyport: { class: pci } } } }`)} } }`)}
${get('jsonl', `application/jsonl: { schema: { type: array, items: ${C} } }`)}
${get('ndjson', lines(C), `, default: { description: x, content: { ${lines('{ type: object, properties: { error: { type: string } } }')} } }`)}
${get('events', `text/event-stream: { itemSchema: { type: object, properties: { event: { type: string }, data: { type: string, contentMediaType: application/json, contentSchema: ${C} } } } }`)}
${get('named', `application/json: { $ref: '#/components/mediaTypes/C' }`)}
${get('dynamic', json(`{ $ref: '#/components/schemas/Tree' }`))}
${get('patterns', json(`{ type: object, patternProperties: { '^c': { type: string, x-sallyport: { class: pci } }, 'd$': { type: string, x-sallyport: { class: phi } } } }`))}
${get('xml', `application/xml: { schema: ${C} }`)}
${get('map', json(`{ type: object, properties: { m: { type: object, additionalProperties: ${C} } } }`))}
${get('bare', json(C), `, '202': { description: x }`)}
  /list: { get: { operationId: list, security: [{ oauth: [] }], responses: { '200': { description: x, content: { ${json(`{ type: object, properties: { items: { type: array, items: ${C} } } }`)} } } } } }
  /cs/{id}: { parameters: [{ name: id, in: path, required: true, schema: { type: string } }], get: { operationId: one, security: [{ oauth: [] }], responses: { '200': { description: x, content: { ${json(C)} } } } } }
components:
  securitySchemes: { oauth: { type: http, scheme: bearer } }
  mediaTypes: { C: { schema: ${C} } }
  schemas:
    C: { type: object, x-sallyport: { class: customer }, properties: { id: { type: string }, owner: { type: string }, region: { type: string }, card: { type: string, x-sallyport: { class: pci } } } }
    Tree: { $dynamicAnchor: node, type: object, properties: { card: { type: string, x-sallyport: { class: pci } }, below: { type: array, items: { $dynamicRef: '#node' } } } }
`
const RULES =
  '{ c: { path: "/cs/{id}", owner: /owner, tenant: /region, list: [{ operation: list, items: /items }] } }'
const BY_CLASS = '@id("m") @mask("class:pci") @redact("class:phi") permit (principal, action, resource);'
const BY_POINTER = '@id("m") @mask("/card") permit (principal, action, resource);'
const CARD = { id: 'c', card: SECRET }

let gate: ObjectGate
afterEach(() => {
  expect(gate.faults).toEqual([])
  gate.close()
})

async function send(
  path: string,
  body: unknown,
  options: { type?: string; status?: number; policies?: string; settings?: string } = {},
): Promise<{ status: number; text: string; record: string; reasons: readonly string[] }> {
  const { type = 'application/json', status = 200, policies = BY_CLASS, settings = '' } = options
  gate = objectGate({ contract: CONTRACT, rules: RULES, policies, settings })
  gate.answer({ ...answerOf(body as never), status, fields: ['Content-Type', type] })
  const seen = await gate.call('ana', { target: `/${path}` })
  const record = JSON.stringify([gate.audit.intents.get(seen.id), gate.audit.outcomes.get(seen.id)])
  return { status: seen.status, text: seen.text, record, reasons: seen.reasons }
}

describe('a hidden field', () => {
  const line = `${JSON.stringify(CARD)}\n`
  const event = `event: e\ndata: ${JSON.stringify(CARD)}\n\n`
  const tree = { card: SECRET, below: [{ card: SECRET, below: [{ card: SECRET }] }] }
  it.each([
    ['of lines declared as a list', 'jsonl', line, 'application/jsonl'],
    ['of lines', 'ndjson', line, 'application/x-ndjson'],
    ['of the data of events', 'events', event, 'text/event-stream'],
    ['of a media type that is referred to', 'named', CARD, 'application/json'],
    ['of a schema that refers to itself dynamically', 'dynamic', tree, 'application/json'],
  ])('%s is hidden', async (_, path, body, type) => {
    const { status, text, record } = await send(path, body, { type })
    expect(status).toBe(200)
    expect(text).toContain('************1111')
    expect(text).not.toContain(SECRET)
    expect(record).not.toContain(SECRET)
  })

  it.each([
    ['lines declared as a list, in the item', 'jsonl', '/card', line, 'application/jsonl'],
    ['lines declared as a list, in the whole', 'jsonl', '/*/card', line, 'application/jsonl'],
    ['the data of events', 'events', '/card', event, 'text/event-stream'],
  ])('that a pointer names in %s is hidden', async (_, path, pointer, body, type) => {
    const policies = BY_POINTER.replace('/card', pointer)
    expect((await send(path, body, { type, policies })).text).toContain('************1111')
  })

  it('that a pointer names does not go out in XML', async () => {
    const { status, text } = await send('xml', `<C><card>${SECRET}</card></C>`, {
      type: 'application/xml',
      policies: BY_POINTER,
    })
    expect(status).toBe(502)
    expect(text).not.toContain(SECRET)
  })

  it('whose name meets two patterns is hidden by both', async () => {
    const { text } = await send('patterns', { c: SECRET, d: SECRET, cd: SECRET })
    expect(JSON.parse(text)).toEqual({ c: '************1111', d: '[redacted]', cd: '[redacted]' })
  })

  it.each([
    ['where an array stands for an object', 'wrapped', { c: [CARD] }, 200],
    [
      'in an error that would be replaced',
      'wrapped',
      { title: 'java.lang.Error', c: CARD, card: SECRET },
      400,
    ],
    ['in content that is not declared', 'bare', CARD, 202],
  ])('does not go out while answers are only observed, %s', async (_, path, body, status) => {
    const { text } = await send(path, body, { status, settings: 'answers: observe' })
    expect(text).not.toContain(SECRET)
  })
})

describe('a list from which items are dropped', () => {
  const item = (id: string, owner: string, region: string): object => ({ id, owner, region, card: SECRET })
  const items = [item('0', 'ana', 'south'), item('1', 'ben', 'south'), item('2', 'cem', 'north')]
  const own = (annotation: string): string =>
    `@id("own") ${annotation} permit (principal is User, action, resource is Object) when { resource has owner && resource.owner == principal };`
  const region = (annotation: string): string =>
    `@id("region") ${annotation} permit (principal, action, resource is Object) when { resource has tenant && resource.tenant == principal.tenant };`
  const ids = (text: string): string[] => JSON.parse(text).items.map(({ id }: { id: string }) => id)

  it('does not let out an item that nobody permits', async () => {
    const { text } = await send('list', { items }, { policies: own('@drop("class:customer")') + region('') })
    expect(ids(text)).toEqual(['2'])
  })

  it('hides nothing of an item whose own permit does not ask for it', async () => {
    const { text } = await send('list', { items }, { policies: own('') + region('@mask("/card")') })
    expect(JSON.parse(text).items).toEqual([items[0], { ...items[2], card: '************1111' }])
  })
})

describe('errors and parts of a sequence', () => {
  it('are replaced where they tell of the upstream’s inside', async () => {
    const error = 'Traceback (most recent call last)\n  File "/srv/app.py", line 3'
    const { status, text } = await send('ndjson', `${JSON.stringify({ error })}\n`, {
      type: 'application/x-ndjson',
      status: 500,
    })
    expect(status).toBe(500)
    expect(text).not.toContain('Traceback')
    expect(JSON.parse(text).type).toBe('about:blank')
  })

  it('pass where they do not', async () => {
    const body = `${JSON.stringify({ error: 'no such order' })}\n`
    const { text } = await send('ndjson', body, { type: 'application/x-ndjson', status: 404 })
    expect(text).toBe(body)
  })

  it('are not told apart by bounds the caller chose', async () => {
    const inner = { id: 'an object inside another', owner: 'ana' }
    expect((await send('ndjson', inner, { type: 'application/x-ndjson', status: 206 })).status).toBe(502)
  })
})

describe('names that are values', () => {
  it('are not kept of what was hidden, dropped, or did not fit', async () => {
    const names = [SECRET, 'ana.smith@example.com']
    const m = Object.fromEntries(names.map((name) => [name, { ...CARD, [name]: 1 }]))
    const { status, record } = await send('map', { m, [SECRET]: 1 })
    expect(status).toBe(200)
    expect(record).toContain('/m/*/card')
    for (const name of names) expect(record).not.toContain(name)
    gate.close()
    const refused = await send('map', { m: { [SECRET]: { id: 1 } } })
    expect(refused.status).toBe(502)
    expect(refused.text).not.toContain(SECRET)
    expect(refused.record).not.toContain(SECRET)
  })
})
