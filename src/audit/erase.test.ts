import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  attributesOf,
  exchangeId,
  intentOf,
  outcomeOf,
  recordsIn,
  STORE_KEY,
  subjectOf,
  temporaryFolder,
  writerIn,
} from '../../test/audit-entries.ts'
import { ANONYMOUS } from '../model/subject.ts'
import { eraseSubject } from './erase.ts'
import { verifyAudit } from './verify.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const everyByte = () =>
  Buffer.concat(readdirSync(folder.path).map((name) => readFileSync(join(folder.path, name)))).toString(
    'latin1',
  )

describe('sealing at source', () => {
  it('leaves none of 50 canaries in clear, in no file, and opens them all with the store’s key', async () => {
    let count = 0
    const canaries: string[] = []
    const canary = () => {
      const value = `canary${String(++count).padStart(3, '0')}QZX`
      canaries.push(value)
      return value
    }
    const writer = writerIn(folder.path)
    while (count < 50) {
      const number = count
      const subject = subjectOf(canary(), {
        iss: canary(),
        client: canary(),
        groups: [canary()],
        tokenId: canary(),
        tokenDigest: canary(),
        tenant: canary(),
      })
      const attributes = attributesOf({
        principal: { type: 'User', id: canary(), groups: [canary()], tenant: canary() },
        resource: {
          api: 'shop',
          objectType: 'order',
          params: { orderId: canary() },
          owner: canary(),
          tenant: canary(),
          unknown: [],
        },
        context: { ip: canary(), path: canary(), acr: canary() },
      })
      writer.intent(
        intentOf(number, {
          subject: number % 2 === 0 ? subject : { ...ANONYMOUS, tenant: canary() },
          attributes,
          personal: { address: canary(), path: canary(), userAgent: canary(), host: canary() },
        }),
      )
      writer.outcome(outcomeOf(number, { attributes: attributesOf({ context: { path: canary() } }) }))
    }
    await writer.close()
    const bytes = everyByte()
    expect(bytes).not.toContain('canary')
    for (const form of ['base64', 'base64url', 'hex'] as const) {
      for (const value of canaries)
        expect(bytes).not.toContain(Buffer.from(value).toString(form).slice(0, 14))
    }
    const read = JSON.stringify(await recordsIn(folder.path))
    const anonymous = new Set(canaries.filter((value) => !read.includes(value)))
    // What an anonymous call's unused subject held was never written.
    expect(canaries.length - anonymous.size).toBeGreaterThan(50)
  })

  it('replaces names that look like secrets by a keyed digest that correlates', async () => {
    const names = [
      'page',
      'eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9',
      '4111111111111111',
      'a b',
      'filter[name]',
    ]
    const request = { bytes: 0, mediaType: '', digest: '', query: names }
    const writer = writerIn(folder.path)
    writer.refusal(intentOf(1, { request }), outcomeOf(1))
    writer.refusal(intentOf(2, { request }), outcomeOf(2))
    const [one, two] = await recordsIn(folder.path)
    expect(one?.intent.request.query).toEqual([
      'page',
      expect.stringMatching(/^~[\w-]{11}$/),
      expect.stringMatching(/^~[\w-]{11}$/),
      expect.stringMatching(/^~[\w-]{11}$/),
      'filter[name]',
    ])
    expect(two?.intent.request.query).toEqual(one?.intent.request.query)
    expect(everyByte()).not.toMatch(/eyJhb|4111111/)
  })

  it('does not open with another store’s key', async () => {
    writerIn(folder.path).refusal(intentOf(1), outcomeOf(1))
    const [record] = await recordsIn(folder.path, {}, new Uint8Array(32).fill(9))
    expect(record?.intent).toMatchObject({
      sealed: 'erased',
      subject: null,
      personal: null,
      attributes: null,
    })
    expect(record?.intent.operation).toBe('shop.getOrder')
  })
})

describe('erasing', () => {
  it('destroys one subject’s keys in every segment; the chain still verifies and the others still open', async () => {
    const writer = writerIn(folder.path, { maxSegmentBytes: 12_000 })
    for (let i = 0; i < 30; i++) {
      writer.refusal(intentOf(i, { subject: subjectOf(i % 2 === 0 ? 'ana' : 'ben') }), outcomeOf(i))
    }
    await writer.close()
    const before = await verifyAudit(folder.path)
    const report = eraseSubject(folder.path, STORE_KEY, { iss: 'https://idp.example', sub: 'ana' })
    expect(report.segments).toBe(before.segments)
    expect(report.keys).toBe(before.segments)
    expect(await verifyAudit(folder.path)).toEqual(before)
    const records = await recordsIn(folder.path)
    const erased = records.filter(({ intent }) => intent.sealed === 'erased')
    expect(erased).toHaveLength(15)
    expect(erased.every(({ intent }) => intent.subject === null && intent.personal === null)).toBe(true)
    expect(
      erased.every(({ outcome }) => outcome !== null && outcome !== 'unknown' && !outcome.attributes),
    ).toBe(true)
    expect(records.filter(({ intent }) => intent.subject?.id === 'ben')).toHaveLength(15)
    expect(eraseSubject(folder.path, STORE_KEY, { iss: 'https://idp.example', sub: 'ana' }).keys).toBe(0)
  })

  it('reaches a segment a thread is writing to, what it writes later included', async () => {
    const writer = writerIn(folder.path)
    writer.refusal(intentOf(1), outcomeOf(1))
    eraseSubject(folder.path, STORE_KEY, { iss: 'https://idp.example', sub: 'ana' })
    writer.refusal(intentOf(2), outcomeOf(2))
    writer.refusal(intentOf(3, { subject: subjectOf('ben') }), outcomeOf(3))
    await writer.close()
    const records = await recordsIn(folder.path)
    expect(records.map(({ intent }) => intent.sealed)).toEqual(['erased', 'erased', 'open'])
  })

  it('leaves what is written after the next segment began', async () => {
    const writer = writerIn(folder.path)
    writer.rotate()
    writer.refusal(intentOf(1), outcomeOf(1))
    writer.intent(intentOf(2))
    eraseSubject(folder.path, STORE_KEY, { iss: 'https://idp.example', sub: 'ana' })
    writer.rotate()
    writer.rotate()
    writer.outcome(outcomeOf(2))
    writer.refusal(intentOf(3), outcomeOf(3))
    await writer.close()
    writer.rotate()
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, segments: 2, faults: [] })
    const records = await recordsIn(folder.path)
    expect(records.map(({ intent }) => intent.sealed)).toEqual(['erased', 'erased', 'open'])
  })

  it('reaches an anonymous address', async () => {
    const writer = writerIn(folder.path)
    const from = (number: number, address: string) =>
      writer.refusal(
        intentOf(number, { subject: ANONYMOUS, personal: { ...intentOf(number).personal, address } }),
        outcomeOf(number),
      )
    from(1, '192.0.2.1')
    from(2, '192.0.2.2')
    from(3, '192.0.2.1')
    expect(eraseSubject(folder.path, STORE_KEY, { address: '192.0.2.1' })).toEqual({ segments: 1, keys: 1 })
    const records = await recordsIn(folder.path)
    expect(records.map(({ intent }) => intent.sealed)).toEqual(['erased', 'open', 'erased'])
  })
})

describe('searching', () => {
  it('finds by each member of the filter', async () => {
    const writer = writerIn(folder.path)
    writer.refusal(intentOf(1, { api: 'shop' }), outcomeOf(1))
    writer.refusal(
      intentOf(2, {
        api: 'pay',
        operation: 'pay.send',
        subject: subjectOf('ben', { iss: 'https://other.example' }),
      }),
      outcomeOf(2, { effect: 'deny', wouldDeny: true, decisions: [] }),
    )
    writer.intent(intentOf(3, { api: 'pay' }))
    const ids = async (filter: Parameters<typeof recordsIn>[1]) =>
      (await recordsIn(folder.path, filter)).map(({ intent }) => Number(intent.id.slice(-3)))
    expect(await ids({})).toEqual([1, 2, 3])
    expect(await ids({ id: exchangeId(2) })).toEqual([2])
    expect(await ids({ api: 'pay' })).toEqual([2, 3])
    expect(await ids({ operation: 'pay.send' })).toEqual([2])
    expect(await ids({ subject: { sub: 'ana' } })).toEqual([1, 3])
    expect(await ids({ subject: { sub: 'ben', iss: 'https://idp.example' } })).toEqual([])
    expect(await ids({ effect: 'deny' })).toEqual([2])
    expect(await ids({ wouldDeny: true })).toEqual([2])
    expect(await ids({ reason: 'policy-permits' })).toEqual([1, 2, 3])
    expect(await ids({ reason: 'route-unknown' })).toEqual([])
    expect(await ids({ from: 1_790_000_000_002, to: 1_790_000_000_003 })).toEqual([2])
    expect(await ids({ limit: 2 })).toEqual([1, 2])
  })
})
