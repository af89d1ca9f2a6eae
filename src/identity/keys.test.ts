import { beforeEach, describe, expect, it } from 'vitest'
import {
  accessClaims,
  accessToken,
  encode,
  issuerPlan,
  jwks,
  settled,
  type TestKey,
  TestTime,
  testKey,
  trustedIssuer,
} from '../../test/token-issuer.ts'
import type { IssuerPlan } from '../model/bundle.ts'
import type { KeyNotice } from '../model/channel.ts'
import { AccessTokens } from './access-token.ts'
import { indexIssuers } from './issuers.ts'
import { KeyRing } from './key-ring.ts'
import { type HttpGot, KeySource } from './key-source.ts'
import { KeyWait } from './key-wait.ts'
import { RevocationSet } from './revocations.ts'

/** Control's key source and two gate threads with their rings, joined as the channel joins them. */
const first = testKey('RS256', 'first')
const next = testKey('RS256', 'next')
const plan = issuerPlan({ jwks: 'https://idp.example/jwks' })
const corp = trustedIssuer(plan)

let time: TestTime
let served: readonly TestKey[]
let down: boolean
let latencyMs: number
let fetches: number
let notices: KeyNotice[]
let source: KeySource
let threads: readonly Thread[]

interface Thread {
  readonly ring: KeyRing
  readonly wait: KeyWait
  readonly tokens: AccessTokens
  asked: number
}

function thread(): Thread {
  const ring = new KeyRing()
  const self: Thread = {
    ring,
    asked: 0,
    tokens: new AccessTokens({ clock: time, ring, revocations: new RevocationSet() }),
    wait: new KeyWait({
      clock: time,
      schedule: time.schedule,
      ring,
      ask: (issuer) => {
        self.asked++
        source.ask(issuer)
      },
    }),
  }
  return self
}

async function get(): Promise<HttpGot> {
  fetches++
  const answer: HttpGot = down
    ? { status: 503, headers: {}, body: new Uint8Array() }
    : { status: 200, headers: {}, body: jwks(served) }
  if (latencyMs > 0) await new Promise<void>((resolve) => time.schedule(latencyMs, resolve))
  return answer
}

beforeEach(async () => {
  time = new TestTime()
  served = [first]
  down = false
  latencyMs = 0
  fetches = 0
  notices = []
  threads = [thread(), thread()]
  source = new KeySource({
    get,
    clock: time,
    schedule: time.schedule,
    publish: (notice) => {
      notices.push(notice)
      for (const { ring, wait } of threads) {
        ring.apply(structuredClone(notice), time.now())
        wait.noticed(notice.issuer)
      }
    },
  })
  source.update([plan])
  await settled()
})

const call = (issuer: IssuerPlan = plan) => ({
  issuers: indexIssuers([issuer]),
  api: { accept: ['corp'], audience: ['shop'], environment: 'default' },
  limits: { tokenBytes: 16_384 },
})

const token = (key: TestKey, kid = key.kid): string =>
  accessToken({ ...key, kid }, accessClaims(time.seconds))

/** With no good signature, since making 10,000 takes seconds. */
let good = ''
const forge = (kid: string): string => {
  if (good === '') good = token(first)
  const [, payload, signature] = good.split('.')
  return `${encode({ alg: 'RS256', typ: 'at+jwt', kid })}.${payload}.${signature}`
}

/** What a gate thread does with one call: `<code>`, with ` waited` where the call had to. */
async function verified(text: string, at = 0): Promise<string> {
  const self = threads[at]
  if (self === undefined) throw new Error('no such thread')
  const say = (verdict: ReturnType<typeof self.tokens.verify>): string =>
    verdict.kind === 'finding' ? verdict.reason.code : verdict.kind
  const verdict = self.tokens.verify(text, call())
  if (verdict.kind !== 'need-key') return say(verdict)
  await self.wait.wait(verdict.issuer, verdict.kid, verdict.waitMs)
  return `${say(self.tokens.verify(text, call(), 'asked'))} waited`
}

describe('rotation', () => {
  it('a new key works at its first token, on every thread, and only that call waits', async () => {
    expect(await verified(token(first))).toBe('verified')
    served = [first, next]
    latencyMs = 400
    const waiting = verified(token(next))
    await settled()
    expect(await verified(token(first))).toBe('verified')
    await time.pass(400)
    expect(await waiting).toBe('verified waited')
    expect(await verified(token(next), 1)).toBe('verified')
    expect(fetches).toBe(2)
  })

  it('under load there is no false 401', async () => {
    const seen = new Set<string>()
    let held: readonly TestKey[] = [first]
    for (let step = 0; step < 40; step++) {
      if (step === 10) held = served = [first, next]
      if (step === 25) held = served = [next]
      const calls = held.flatMap((key) => [0, 1].map((at) => verified(token(key), at)))
      await time.pass(1_000)
      for (const code of await Promise.all(calls)) seen.add(code)
    }
    expect([...seen].sort()).toEqual(['verified', 'verified waited'])
    expect(fetches).toBe(2)
  })

  it('a key published while a background fetch is under way is found all the same', async () => {
    latencyMs = 500
    await time.pass(300_000)
    // The answer under way was made before the rotation.
    served = [first, next]
    const waiting = verified(token(next))
    await time.pass(1_000)
    expect(await waiting).toBe('verified waited')
  })

  it('a withdrawn key is refused once the key set was refreshed', async () => {
    served = [next]
    expect(await verified(token(first))).toBe('verified')
    await time.pass(300_000)
    expect(await verified(token(first))).toBe('key-unknown waited')
    expect(await verified(token(first))).toBe('key-unknown')
  })

  it('an operator’s refresh takes effect at once, cool-down or not', async () => {
    await verified(token(next, 'random'))
    served = [next]
    await source.refresh('corp')
    expect(await verified(token(first))).toBe('key-unknown')
    expect(await verified(token(next))).toBe('verified')
  })
})

describe('10,000 random key ids', () => {
  it('cause at most two fetches per cool-down, one of them the background’s', async () => {
    latencyMs = 50
    const start = fetches
    const codes = new Map<string, number>()
    for (let batch = 0; batch < 100; batch++) {
      const calls = Array.from({ length: 100 }, (_, n) => verified(forge(`random-${batch}-${n}`), n % 2))
      await time.pass(90)
      for (const code of await Promise.all(calls)) codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    expect(fetches - start).toBeLessThanOrEqual(2)
    expect([...codes.keys()].sort()).toEqual(['key-unknown', 'key-unknown waited'])
    expect(codes.get('key-unknown waited')).toBe(100)
    expect(await verified(token(first))).toBe('verified')
  })

  it('cause one fetch per cool-down over a longer time, and few messages', async () => {
    const start = fetches
    for (let second = 0; second < 100; second++) {
      await Promise.all(Array.from({ length: 100 }, (_, n) => verified(forge(`r-${second}-${n}`), n % 2)))
      await time.pass(1_000)
    }
    expect(fetches - start).toBeLessThanOrEqual(10)
    expect(threads.reduce((sum, { asked }) => sum + asked, 0)).toBeLessThanOrEqual(20)
  })

  it('after the cool-down an unknown key is looked up again', async () => {
    expect(await verified(token(next))).toBe('key-unknown waited')
    served = [first, next]
    expect(await verified(token(next))).toBe('key-unknown')
    await time.pass(10_000)
    expect(await verified(token(next))).toBe('verified waited')
  })
})

describe('issuer down', () => {
  beforeEach(() => {
    down = true
  })

  it('known keys go on; unknown ones get 503 with a time to come back, not 401', async () => {
    expect(await verified(token(first))).toBe('verified')
    expect(await verified(token(next))).toBe('keys-unavailable waited')
    expect(await verified(token(next))).toBe('keys-unavailable')
    await time.pass(3_000)
    const verdict = threads[0]?.tokens.verify(token(next), call())
    expect(verdict?.kind === 'finding' && verdict.reason.evidence).toEqual({
      issuer: 'corp',
      retryAfterSeconds: 7,
    })
    expect(await verified(token(first))).toBe('verified')
    expect(notices.at(-1)?.error).toMatch(/^keys-unreachable: https:.* answered 503$/)
  })

  it('known keys end with their greatest age', async () => {
    await time.pass(3_599_000)
    expect(await verified(token(first))).toBe('verified')
    await time.pass(2_000)
    expect(await verified(token(first))).toMatch(/^keys-unavailable/)
    down = false
    await time.pass(300_000)
    expect(await verified(token(first))).toBe('verified')
  })

  it('a hung issuer holds a call no longer than waitMs, and known keys not at all', async () => {
    latencyMs = 60_000
    let done = ''
    void verified(token(next)).then((code) => {
      done = code
    })
    await time.pass(1_999)
    expect([done, threads[0]?.wait.waiting]).toEqual(['', 1])
    expect(await verified(token(first))).toBe('verified')
    await time.pass(1)
    expect([done, threads[0]?.wait.waiting]).toEqual(['keys-unavailable waited', 0])
  })

  it('comes back by itself', async () => {
    source.update([])
    for (const { ring } of threads) ring.forget('corp')
    source.update([plan])
    await settled()
    expect(threads[0]?.ring.ready(corp, time.now())).toBe(false)
    down = false
    await time.pass(10_000)
    expect(threads[0]?.ring.ready(corp, time.now())).toBe(true)
    expect(await verified(token(first))).toBe('verified')
  })

  it('no more calls wait than the bound', async () => {
    latencyMs = 1_000
    const ring = new KeyRing()
    const wait = new KeyWait({ clock: time, schedule: time.schedule, ring, ask: () => {} }, 2)
    const three = [1, 2, 3].map(() => wait.wait('corp', 'k', 2_000))
    await three[2]
    expect(wait.waiting).toBe(2)
    await time.pass(2_000)
    await Promise.all(three)
    expect(wait.waiting).toBe(0)
  })
})

describe('a thread that comes later', () => {
  it('starts with what control knows', async () => {
    const late = thread()
    for (const notice of source.notices()) late.ring.apply(notice, time.now())
    expect(late.tokens.verify(token(first), call()).kind).toBe('verified')
  })

  it('that missed a notice is told again within the cool-down, without a fetch', async () => {
    await verified(token(next))
    const before = fetches
    threads = [thread(), thread()]
    expect(await verified(token(first))).toBe('verified waited')
    expect(fetches).toBe(before)
  })
})

it('a jump of the wall clock neither ends a cool-down nor prolongs it', async () => {
  await verified(token(next))
  const before = fetches
  time.jump(3_600_000)
  await verified(token(next, 'other'))
  expect(fetches).toBe(before)
  await time.pass(10_000)
  await verified(token(next, 'third'))
  expect(fetches).toBe(before + 1)
})
