import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { answerOf, type ObjectGate, objectGate } from '../object-gate.ts'
import { CONTRACT, openGate, request } from './open-gate.ts'

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const field = (fields: readonly string[], name: string): string | undefined =>
  fields[fields.findIndex((each) => each.toLowerCase() === name) + 1]
const ORDERS = [
  { id: 'o-1', customerId: 'ana', region: 'south' },
  { id: 'o-2', customerId: 'ben', region: 'south', card: 'SECRET' },
  { id: 'o-3', customerId: 'ana', region: 'north' },
]
const page = (items: unknown, more: object = {}): object => ({ data: { items }, total: 57, ...more })

describe('whose object it is, as the request says (standards 2.1)', () => {
  let gate: ObjectGate
  beforeAll(() => {
    gate = objectGate()
  })
  afterAll(() => gate.close())
  afterEach(() => expect(gate.faults).toEqual([]))

  it('by path: the own customer’s order passes, another’s never reaches the upstream', async () => {
    gate.answer(answerOf({ id: 'o-1' }))
    expect((await gate.call('ana', { target: '/customers/ana/orders/o-1' })).status).toBe(200)
    const before = gate.requests.length
    const foreign = await gate.call('ana', { target: '/customers/ben/orders/o-2' })
    expect(foreign.status).toBe(404)
    expect(foreign.reasons).toEqual(['owner-differs'])
    const write = await gate.call('ana', {
      method: 'PUT',
      target: '/customers/ben/orders/o-2',
      body: bytes({}),
    })
    expect([write.status, gate.requests.length]).toEqual([404, before])
  })

  it('by path: foreign and absent answer equal bytes but for the id (standards 1.10)', async () => {
    gate.answer({ status: 404 })
    const absent = await gate.call('ana', { target: '/customers/ana/orders/o-none' })
    const foreign = await gate.call('ana', { target: '/customers/ben/orders/o-2' })
    const bare = ({ text, id, fields, status }: typeof absent): unknown => [
      status,
      text.replaceAll(id, ''),
      fields.map((each) => each.replaceAll(id, '')),
    ]
    expect(bare(foreign)).toEqual(bare(absent))
  })

  it.each([
    ['the own one', 'customerId=ana', 200],
    ['another’s', 'customerId=ben', 403],
    ['none', '', 403],
    ['an empty one', 'customerId=', 403],
    ['twice', 'customerId=ana&customerId=ben', 400],
    ['twice the same', 'customerId=ana&customerId=ana', 400],
    ['as a list', 'customerId=ana,ben', 403],
    ['in brackets too', 'customerId=ana&customerId[]=ben', 400],
    ['in capitals too', 'customerId=ana&CUSTOMERID=ben', 400],
    ['in capitals only', 'CustomerId=ana', 400],
    ['encoded otherwise', 'customerId=ana&%63ustomerId=ben', 400],
    ['with a semicolon', 'customerId=ana;customerId=ben', 403],
  ])('by query: %s', async (_what, query, status) => {
    gate.answer(answerOf({ id: 'o-1' }))
    const before = gate.requests.length
    expect((await gate.call('ana', { target: `/search?${query}` })).status).toBe(status)
    expect(gate.requests.length).toBe(before + (status === 200 ? 1 : 0))
  })

  it.each([
    ['the own one', { customerId: 'ana' }, 200],
    ['another’s', { customerId: 'ben' }, 403],
    ['none', {}, 403],
    ['null', { customerId: null }, 403],
    ['a list', { customerId: ['ana'] }, 403],
    ['an object', { customerId: { id: 'ana' } }, 403],
    ['a fraction', { customerId: 1.5 }, 403],
  ])('by body: %s', async (_what, body, status) => {
    gate.answer(answerOf({ id: 'o-1' }))
    const before = gate.requests.length
    const got = await gate.call('ana', { method: 'POST', target: '/orders', body: bytes(body) })
    expect([got.status, gate.requests.length - before]).toEqual([status, status === 200 ? 1 : 0])
  })

  it('by body: a name twice is no body', async () => {
    const body = Buffer.from('{"customerId":"ana","customerId":"ben"}')
    expect((await gate.call('ana', { method: 'POST', target: '/orders', body })).status).toBe(400)
  })

  it.each([
    ['both the caller’s', '/both/ana/o-1', 'ana', 200],
    ['path the caller’s, object another’s', '/both/ana/o-2', 'ben', 403],
    ['path another’s, object the caller’s', '/both/ben/o-1', 'ana', 403],
    ['both another’s', '/both/ben/o-2', 'ben', 403],
  ])('by path and answer: %s', async (_what, target, owner, status) => {
    gate.answer(answerOf({ id: 'o-1', customerId: owner }))
    expect((await gate.call('ana', { target })).status).toBe(status)
    const asked = gate.requests.length
    const write = await gate.call('ana', { method: 'PUT', target, body: bytes({ id: 'o-1' }) })
    expect(write.status).toBe(status)
    // The look-up, and the call only where both agree.
    expect(gate.requests.slice(asked).map(({ method }) => method)).toEqual(
      status === 200 ? ['GET', 'PUT'] : ['GET'],
    )
  })

  it('by a claim of the token', async () => {
    gate.answer(answerOf({ id: 'x' }))
    const as = (claims: object, account = '42') =>
      gate.call('ana', { target: `/accounts/${account}` }, claims)
    expect((await as({ customer_id: '42' })).status).toBe(200)
    expect((await as({ customer_id: 42 })).status).toBe(200)
    for (const claims of [
      {},
      { customer_id: '43' },
      { customer_id: ['42'] },
      { customer_id: null },
      { sub: '42' },
    ])
      expect((await as(claims)).status).toBe(403)
    expect((await as({ customer_id: '42', sub: 'corp~customer_id/7' }, '7')).status).toBe(403)
  })
})

describe('lists, item by item', () => {
  let gate: ObjectGate
  beforeAll(() => {
    gate = objectGate()
  })
  afterAll(() => gate.close())
  afterEach(() => expect(gate.faults).toEqual([]))
  const listed = (text: string): string[] => JSON.parse(text).data.items.map(({ id }: { id: string }) => id)

  it('release the caller’s own, and set the counts', async () => {
    gate.answer(answerOf(page(ORDERS, { page: 1 })))
    const got = await gate.call('ana', { target: '/orders' })
    expect(got.text).toBe(
      '{"data":{"items":[{"id":"o-1","customerId":"ana","region":"south"},{"id":"o-3","customerId":"ana","region":"north"}]},"total":2,"page":1}',
    )
    expect(field(got.fields, 'content-length')).toBe(String(got.body.byteLength))
    const [decision] = gate.recorded(got.id).decisions.slice(-1)
    expect(decision?.items).toEqual({
      judged: 3,
      released: 2,
      rows: [
        { effect: 'allow', policies: ['own'], count: 1 },
        { effect: 'deny', policies: [], count: 1 },
        { effect: 'allow', policies: ['own'], count: 1 },
      ],
    })
    expect(gate.recorded(got.id).attributes?.items?.[1]).toEqual({ owner: 'corp/ben', tenant: 'south' })
    expect(got.reasons).toContain('list-filtered')
  })

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('leak nothing through %s', async (coding, compress) => {
    gate.answer({
      ...answerOf('', ['Content-Encoding', coding, 'ETag', '"x"']),
      body: compress(JSON.stringify(page(ORDERS))),
    })
    const got = await gate.call('ben', { target: '/orders' })
    expect(listed(got.text)).toEqual(['o-2'])
    expect(got.text).not.toMatch(/ana|SECRET/)
    expect(got.fields.map((each) => each.toLowerCase())).not.toEqual(
      expect.arrayContaining(['content-encoding', 'etag']),
    )
  })

  it('with a bare array, also empty', async () => {
    gate.answer(answerOf(ORDERS))
    expect(JSON.parse((await gate.call('ana', { target: '/latest' })).text)).toHaveLength(2)
    const none = await gate.call('eve', { target: '/latest' })
    expect([none.status, none.text]).toEqual([200, '[]'])
    gate.answer(answerOf([]))
    expect((await gate.call('ana', { target: '/latest' })).text).toBe('[]')
  })

  it('keep numbers by their digits, and bytes where nothing is taken out', async () => {
    const text = '[{"id":"a","customerId":"ana","n":0.1000000000000000055511},{"id":"b","customerId":"ben"}]'
    gate.answer(answerOf(text))
    expect((await gate.call('ana', { target: '/latest' })).text).toBe(
      '[{"id":"a","customerId":"ana","n":0.1000000000000000055511}]',
    )
    const own = '[ {"id" : "a", "customerId" : "ana", "n":1.0} ]'
    gate.answer(answerOf(own))
    expect((await gate.call('ana', { target: '/latest' })).text).toBe(own)
  })

  it('drop what is nobody’s: no object, no owner, an owner that is no id', async () => {
    const odd = [
      { id: 'a' },
      { id: 'b', customerId: null },
      { id: 'c', customerId: ['ana'] },
      'ana',
      null,
      [{ customerId: 'ana' }],
    ]
    gate.answer(answerOf([...odd, { id: 'd', customerId: 'ana' }]))
    expect((await gate.call('ana', { target: '/latest' })).text).toBe('[{"id":"d","customerId":"ana"}]')
  })

  it.each([
    ['no list there', { data: { items: { '0': ORDERS[0] } } }],
    ['a list elsewhere', { items: ORDERS }],
    ['null', { data: null }],
  ])('deny an answer with %s', async (_what, answer) => {
    gate.answer(answerOf(answer))
    const got = await gate.call('ana', { target: '/orders' })
    expect([got.status, got.reasons.at(-1)]).toEqual([502, 'list-unreadable'])
    expect(got.text).not.toContain('o-1')
  })

  it('say nothing of the whole in fields either', async () => {
    const own = objectGate({
      rules:
        '{ order: { path: "/orders/{orderId}", owner: /customerId, list: { operation: listOrders, items: /data/items, counts: [/total, { header: X-Found }] } } }',
    })
    const whole = ['ETag', '"v57"', 'X-Total-Count', '57', 'Content-Range', 'items 0-2/57', 'X-Found', '57']
    own.answer(
      answerOf(page(ORDERS), [...whole, 'Last-Modified', 'x', 'Content-MD5', 'x', 'Link', '</2>; rel=next']),
    )
    const got = await own.call('ana', { target: '/orders' })
    own.close()
    expect(JSON.parse(got.text).total).toBe(2)
    expect(field(got.fields, 'x-found')).toBe('2')
    expect(field(got.fields, 'link')).toBe('</2>; rel=next')
    expect(got.fields.join('\n')).not.toMatch(
      /^(etag|x-total-count|content-range|last-modified|content-md5)$/im,
    )
  })

  it('deny too many items and too many kinds', async () => {
    const many = (count: number, of: (n: number) => string): object[] =>
      Array.from({ length: count }, (_, n) => ({ customerId: of(n) }))
    gate.answer(answerOf(many(10_001, () => 'ana')))
    expect((await gate.call('ana', { target: '/latest' })).reasons).toContain('list-too-large')
    gate.answer(answerOf(many(201, (n) => `u${n}`)))
    expect((await gate.call('ana', { target: '/latest' })).reasons).toContain('list-too-large')
    gate.answer(answerOf(many(10_000, (n) => `u${n % 200}`)))
    const got = await gate.call('u7', { target: '/latest' })
    expect([got.status, JSON.parse(got.text).length]).toEqual([200, 50])
  })

  it('are whole for those a policy lets have them whoever owns them, and 403 for those nothing lets call', async () => {
    gate.answer(answerOf(page(ORDERS)))
    const staff = await gate.call('olga', { target: '/orders' }, { groups: ['staff'] })
    expect([listed(staff.text).length, JSON.parse(staff.text).total]).toEqual([3, 57])
    expect(gate.recorded(staff.id).decisions.some(({ items }) => items !== undefined)).toBe(false)
    expect((await gate.call('web', { target: '/orders' }, { client_id: 'web' })).status).toBe(403)
  })

  it('are judged by the tenant too, and by what the request asks for', async () => {
    gate.answer(answerOf(page(ORDERS)))
    const sales = await gate.call('sam', { target: '/orders' }, { groups: ['sales'], region: 'south' })
    expect(listed(sales.text)).toEqual(['o-1', 'o-2'])
  })

  it('send no caller’s conditions on: a 304 would speak of another’s list', async () => {
    gate.answer(answerOf(page(ORDERS)))
    await gate.call('ana', { target: '/orders', fields: ['If-None-Match', '"x"', 'Range', 'bytes=0-1'] })
    const sent = gate.requests.at(-1) as unknown as { readonly fields: readonly string[] }
    expect(sent.fields.join()).not.toMatch(/none-match|range/i)
  })
})

describe('observed', () => {
  it('changes no byte of a list, and records what it would take out', async () => {
    const gate = objectGate({ mode: 'observe' })
    const text = JSON.stringify(page(ORDERS))
    gate.answer(answerOf(text))
    const got = await gate.call('ana', { target: '/orders' })
    expect([got.status, got.text]).toEqual([200, text])
    expect(gate.recorded(got.id).decisions.at(-1)?.items).toMatchObject({ judged: 3, released: 2 })
    gate.close()
  })
})

describe('on the wire', () => {
  it('a list in chunks, gzipped and cut within an id, shows no item of another', async () => {
    const contract = CONTRACT.replace(
      '      operationId: getList\n      security: []',
      '      operationId: getList\n      x-sallyport: { list: { of: thing, items: /items } }\n      security: [{ oauth: [things] }]',
    )
    const policies =
      '@id("own") permit (principal is User, action, resource is Object) when { resource has owner && resource.owner == principal };'
    const gate = await openGate({ contract, policies })
    const items = [
      { id: 'a-1', owner: 'ana' },
      { id: 'b-1', owner: 'ben', note: 'SECRET' },
    ]
    const chunked = (body: Buffer, coding: string): Buffer => {
      const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${coding}Transfer-Encoding: chunked\r\n\r\n`
      const parts = [body.subarray(0, 31), body.subarray(31)].flatMap((part) => [
        Buffer.from(`${part.byteLength.toString(16)}\r\n`),
        part,
        Buffer.from('\r\n'),
      ])
      return Buffer.concat([Buffer.from(head), ...parts, Buffer.from('0\r\n\r\n')])
    }
    const plain = Buffer.from(JSON.stringify({ items }))
    for (const answer of [chunked(plain, ''), chunked(gzipSync(plain), 'Content-Encoding: gzip\r\n')]) {
      gate.upstream.answer = () => answer
      const fields = { Authorization: `Bearer ${gate.token('ana')}`, 'Accept-Encoding': 'gzip' }
      const [got] = await gate.send(request('GET', '/v1/list', fields))
      expect([got?.status, got?.body]).toEqual([200, '{"items":[{"id":"a-1","owner":"ana"}]}'])
      expect(got?.field('content-encoding')).toBeUndefined()
    }
    expect(gate.faults).toEqual([])
    await gate.stop()
  })
})
