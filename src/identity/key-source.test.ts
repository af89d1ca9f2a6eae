import { Buffer } from 'node:buffer'
import { beforeEach, describe, expect, it } from 'vitest'
import { issuerPlan, jwks, settled, TestTime, testKey } from '../../test/token-issuer.ts'
import type { IssuerPlan } from '../model/bundle.ts'
import type { KeyNotice } from '../model/channel.ts'
import { SallyportError } from '../model/errors.ts'
import { metadataUrls, readMetadata } from './discovery.ts'
import { type HttpGet, type HttpGot, KeySource } from './key-source.ts'

const keys = jwks([testKey('RS256')])
const ok = (body: Uint8Array | string, headers: Record<string, string> = {}): HttpGot => ({
  status: 200,
  headers,
  body: Buffer.from(body),
})
const metadata = (over: Record<string, unknown> = {}): string =>
  JSON.stringify({ issuer: 'https://idp.example', jwks_uri: 'https://idp.example/keys', ...over })
/** As fetch rejects: what happened is in its cause. */
const failed = (of: { readonly code?: string; readonly name?: string }): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('with a secret'), of) })
const OPENID = 'https://idp.example/.well-known/openid-configuration'
const OAUTH = 'https://idp.example/.well-known/oauth-authorization-server'

let time: TestTime
let pages: Record<string, HttpGot | Error | 'hangs'>
let asked: string[]
let notices: KeyNotice[]
let source: KeySource

const get: HttpGet = (url) => {
  asked.push(url)
  const page = pages[url] ?? { status: 404, headers: {}, body: new Uint8Array() }
  if (page === 'hangs') return new Promise(() => {})
  return page instanceof Error ? Promise.reject(page) : Promise.resolve(page)
}

beforeEach(() => {
  time = new TestTime()
  pages = {}
  asked = []
  notices = []
  source = new KeySource({
    get,
    clock: time,
    schedule: time.schedule,
    publish: (notice) => notices.push(notice),
  })
})

const pinned = issuerPlan({ jwks: 'https://idp.example/keys' })
const start = async (...plans: readonly IssuerPlan[]): Promise<KeyNotice | undefined> => {
  source.update(plans)
  await settled()
  return notices.at(-1)
}

describe('discovery', () => {
  it('finds the key set, and looks its address up only once', async () => {
    pages = { [OPENID]: ok(metadata()), 'https://idp.example/keys': ok(keys) }
    expect((await start(issuerPlan()))?.keys).toHaveLength(1)
    expect(asked).toEqual([OPENID, 'https://idp.example/keys'])
    await time.pass(300_000)
    expect(asked.slice(2)).toEqual(['https://idp.example/keys'])
  })

  it('falls back to RFC 8414', async () => {
    pages = { [OAUTH]: ok(metadata()), 'https://idp.example/keys': ok(keys) }
    expect((await start(issuerPlan()))?.ok).toBe(true)
    expect(asked).toEqual([OPENID, OAUTH, 'https://idp.example/keys'])
  })

  it('looks the address up anew when the key set fails to come', async () => {
    pages = { [OPENID]: ok(metadata()), 'https://idp.example/keys': ok(keys) }
    await start(issuerPlan())
    pages = {
      [OPENID]: ok(metadata({ jwks_uri: 'https://idp.example/moved' })),
      'https://idp.example/moved': ok(keys),
    }
    await time.pass(300_000)
    expect(notices.at(-1)?.ok).toBe(false)
    await time.pass(10_000)
    expect(notices.at(-1)?.ok).toBe(true)
    expect(asked.at(-1)).toBe('https://idp.example/moved')
  })

  it.each([
    ['a document of another issuer', ok(metadata({ issuer: 'https://idp.example/' })), 'issuer-differs'],
    ['no jwks_uri', ok(metadata({ jwks_uri: undefined })), 'jwks-uri'],
    ['broken JSON', ok('{'), 'json'],
    ['a list', ok('[]'), 'issuer-differs'],
  ])('%s is refused', async (_name, page, why) => {
    pages = { [OPENID]: page }
    const notice = await start(issuerPlan())
    expect([notice?.ok, notice?.keys]).toEqual([false, null])
    expect(notice?.error).toBe(`keys-invalid: the document ${OPENID} is refused (${why})`)
  })

  it.each([
    ['https://idp.example', 'https://elsewhere.example/k', true],
    ['https://idp.example', 'http://idp.example/k', false],
    ['https://idp.example', 'http://127.0.0.1/k', false],
    ['https://idp.example', 'file:///etc/passwd', false],
    ['https://idp.example', 'https://user:pw@idp.example/k', false],
    ['https://idp.example', '/k', false],
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4001/k', true],
    ['http://localhost:4000', 'http://[::1]:4001/k', true],
    ['http://127.0.0.1:4000', 'http://169.254.169.254/k', false],
    ['http://127.0.0.1:4000', 'http://127.0.0.1.evil.example/k', false],
    ['http://idp.internal', 'http://idp.internal/k', true],
    ['http://idp.internal', 'http://other.internal/k', false],
  ])('issuer %s may name %s: %s', (issuer, jwksUri, may) => {
    const document = Buffer.from(JSON.stringify({ issuer, jwks_uri: jwksUri }))
    expect(readMetadata(document, issuer).ok).toBe(may)
  })

  it.each([
    ['https://idp.example', [OPENID, OAUTH]],
    ['https://idp.example/', [OPENID, OAUTH]],
    [
      'https://idp.example/realms/a/',
      [
        'https://idp.example/realms/a/.well-known/openid-configuration',
        'https://idp.example/.well-known/oauth-authorization-server/realms/a',
      ],
    ],
    ['urn:issuer', []],
    ['https://idp.example/?a=b', []],
    ['corp', []],
  ])('of %s are at %j', (iss, urls) => {
    expect(metadataUrls(iss)).toEqual(urls)
  })
})

describe('the key set', () => {
  it.each([
    [
      'a redirect',
      { status: 302, headers: { location: 'https://evil.example' }, body: new Uint8Array() },
      '302',
    ],
    ['an error', { status: 500, headers: {}, body: new Uint8Array() }, '500'],
    ['no JSON', ok('<html>'), 'json'],
    ['no key set', ok('{}'), 'form'],
    ['a flood', ok(' '.repeat(300_000)), 'too large'],
    ['a port that fails', new Error('connect ECONNREFUSED 10.0.0.1 with secret'), 'the fetch failed'],
    ['nothing that listens', failed({ code: 'ECONNREFUSED' }), 'https://idp.example/keys: ECONNREFUSED'],
    ['an unknown name', failed({ code: 'ENOTFOUND' }), 'https://idp.example/keys: ENOTFOUND'],
    ['a code that is none', failed({ code: 'a secret' }), 'the fetch failed'],
    ['a port out of time', failed({ name: 'TimeoutError' }), 'https://idp.example/keys: no answer in time'],
    ['a port beyond its bytes', new SallyportError('keys-invalid', 'secret'), 'too large'],
  ])('%s leaves the last good one in place', async (_name, page, why) => {
    pages = { 'https://idp.example/keys': ok(keys) }
    const good = await start(pinned)
    pages = { 'https://idp.example/keys': page }
    await time.pass(300_000)
    const notice = notices.at(-1)
    expect(notice).toMatchObject({ ok: false, keys: good?.keys, fetchedAt: good?.fetchedAt })
    expect(notice?.error).toContain(why)
    expect(notice?.error).not.toContain('secret')
  })

  it('a port that never answers is given up, so that the next fetch can begin', async () => {
    pages = { 'https://idp.example/keys': 'hangs' }
    await start(pinned)
    await time.pass(6_000)
    expect(notices.at(-1)?.error).toBe('keys-unreachable: https://idp.example/keys: no answer in time')
    pages = { 'https://idp.example/keys': ok(keys) }
    await time.pass(10_000)
    expect(notices.at(-1)).toMatchObject({ ok: true })
    expect(notices.at(-1)).not.toHaveProperty('error')
  })

  /** Seconds from now at which it was asked for, in the next `seconds`. */
  const triesIn = async (seconds: number): Promise<number[]> => {
    const times: number[] = []
    for (let second = 1; second <= seconds; second++) {
      const before = asked.length
      await time.pass(1_000)
      if (asked.length > before) times.push(second)
    }
    return times
  }

  it('that fails to come is tried again after 10, 20, 40 … at most 300 s, as the notice says', async () => {
    pages = { 'https://idp.example/keys': ok(keys) }
    await start(pinned)
    pages = {}
    await time.pass(300_000)
    expect(notices.at(-1)?.retryAt).toBe(time.now().wallMs + 10_000)
    expect(await triesIn(1_000)).toEqual([10, 30, 70, 150, 310, 610, 910])
  })

  it('that never came is tried again at least every 30 s', async () => {
    const notice = await start(pinned)
    expect(notice).toMatchObject({
      error: 'keys-unreachable: https://idp.example/keys answered 404',
      retryAt: time.now().wallMs + 10_000,
    })
    expect(await triesIn(130)).toEqual([10, 30, 60, 90, 120])
  })

  it('is named without its query', async () => {
    const notice = await start(issuerPlan({ jwks: 'https://idp.example/keys?key=secret' }))
    expect(notice?.error).toBe('keys-unreachable: https://idp.example/keys answered 404')
  })

  it.each([
    ['max-age=60', 60],
    ['public, Max-Age="90"', 90],
    ['max-age=5', 30],
    ['max-age=86400', 300],
    ['no-store', 30],
    ['no-cache, max-age=100', 30],
    ['max-age=-1', 30],
    ['max-age=1e9', 30],
    ['private', 300],
  ])('is refreshed as Cache-Control: %s asks, within bounds: %i s', async (field, seconds) => {
    pages = { 'https://idp.example/keys': ok(keys, { 'cache-control': field }) }
    await start(pinned)
    await time.pass(seconds * 1000 - 1)
    expect(asked).toHaveLength(1)
    await time.pass(1)
    expect(asked).toHaveLength(2)
  })
})

describe('the issuers of a bundle', () => {
  it('are fetched once, kept over a reload that does not touch them, and forgotten', async () => {
    pages = { 'https://idp.example/keys': ok(keys), 'https://b.example/keys': ok(keys) }
    const other = issuerPlan({ name: 'b', iss: 'https://b.example', jwks: 'https://b.example/keys' })
    await start(pinned)
    await start(structuredClone(pinned), other)
    expect(asked).toEqual(['https://idp.example/keys', 'https://b.example/keys'])
    await start(other)
    expect(source.notices().map(({ issuer }) => issuer)).toEqual(['b'])
    await time.pass(300_000)
    expect(asked.slice(2)).toEqual(['https://b.example/keys'])
    source.stop()
    expect(time.timers).toBe(0)
  })

  it('one that changed meanwhile does not get the old one’s keys', async () => {
    let answer: (got: HttpGot) => void = () => {}
    const slow: HttpGet = (url, options) =>
      url === 'https://idp.example/keys'
        ? new Promise<HttpGot>((resolve) => {
            answer = resolve
          })
        : get(url, options)
    source = new KeySource({
      get: slow,
      clock: time,
      schedule: time.schedule,
      publish: (n) => notices.push(n),
    })
    source.update([pinned])
    await start(issuerPlan({ jwks: 'https://new.example/keys' }))
    expect(notices.at(0)).toMatchObject({ issuer: 'corp', keys: null })
    const before = notices.length
    answer(ok(keys))
    await settled()
    expect(notices).toHaveLength(before)
    expect(source.notices()[0]?.keys).toBeNull()
  })

  it('one whose rules changed keeps its keys', async () => {
    pages = { 'https://idp.example/keys': ok(keys) }
    await start(pinned)
    pages = {}
    await start({ ...pinned, skewSeconds: 5 })
    expect(asked).toHaveLength(1)
    expect(source.notices()[0]?.keys).toHaveLength(1)
  })

  it('an unknown one is not asked for', async () => {
    source.ask('nobody')
    expect(await source.refresh('nobody')).toBeNull()
    expect(asked).toEqual([])
  })
})
