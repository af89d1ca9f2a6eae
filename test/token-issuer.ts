import { Buffer } from 'node:buffer'
import { constants, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto'
import { indexIssuers, type TrustedIssuer } from '../src/identity/issuers.ts'
import { parseJwks } from '../src/identity/jwks.ts'
import type { IssuerPlan } from '../src/model/bundle.ts'
import type { KeyNotice } from '../src/model/channel.ts'
import type { Instant } from '../src/model/exchange.ts'

/** Time that stands still until a test moves it, with the timers that hang on it. */
export class TestTime {
  #wallMs = 1_800_000_000_000
  #monoMs = 5_000
  #timers: { readonly at: number; readonly run: () => void }[] = []

  readonly now = (): Instant => ({ wallMs: this.#wallMs, monoMs: this.#monoMs })

  readonly schedule = (ms: number, run: () => void): (() => void) => {
    const timer = { at: this.#monoMs + ms, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Moves on, running what falls due in order and letting promises settle after each. */
  async pass(ms: number): Promise<void> {
    const end = this.#monoMs + ms
    for (;;) {
      await settled()
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.#to(due.at)
      due.run()
    }
    this.#to(end)
    await settled()
  }

  /** The wall clock is set; durations do not care. */
  jump(ms: number): void {
    this.#wallMs += ms
  }

  get seconds(): number {
    return this.#wallMs / 1000
  }

  get timers(): number {
    return this.#timers.length
  }

  #to(monoMs: number): void {
    this.#wallMs += monoMs - this.#monoMs
    this.#monoMs = monoMs
  }
}

/** Lets every promise that can settle without outside help do so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export interface TestKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: KeyObject
  readonly publicJwk: JsonWebKey
}

const pairs = new Map<string, ReturnType<typeof generate>>()

/** `label` tells keys of one algorithm apart; the same label gives the same key again, as RSA keys take their time. */
export function testKey(alg: string, label = alg): TestKey {
  const pair = pairs.get(`${alg} ${label}`) ?? generate(alg)
  pairs.set(`${alg} ${label}`, pair)
  return {
    kid: label,
    alg,
    privateKey: pair.privateKey,
    publicJwk: { ...pair.publicKey.export({ format: 'jwk' }) },
  }
}

function generate(alg: string): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  if (/^[RP]S/.test(alg)) return generateKeyPairSync('rsa', { modulusLength: 2048 })
  if (/^Ed/.test(alg)) return generateKeyPairSync('ed25519')
  const curve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg]
  return generateKeyPairSync('ec', { namedCurve: curve ?? 'P-256' })
}

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Signs anything, well-formed or not; strings are taken as they are. */
export function signed(header: unknown, payload: unknown, { alg, privateKey: key }: TestKey): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signature(alg, key, input).toString('base64url')}`
}

function signature(alg: string, key: KeyObject, input: string): Buffer {
  const hash = `sha${alg.slice(2)}`
  if (alg.startsWith('Ed')) return sign(null, Buffer.from(input), key)
  if (alg.startsWith('ES')) return sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  if (alg.startsWith('RS')) return sign(hash, Buffer.from(input), key)
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return sign(hash, Buffer.from(input), { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST })
}

export function jwks(keys: readonly TestKey[]): Uint8Array {
  return Buffer.from(
    JSON.stringify({ keys: keys.map((key) => ({ ...key.publicJwk, kid: key.kid, use: 'sig' })) }),
  )
}

export function keyNotice(keys: readonly TestKey[], now: Instant, over: Partial<KeyNotice> = {}): KeyNotice {
  const parsed = parseJwks(jwks(keys))
  if (!parsed.ok) throw new Error(parsed.why)
  const base = {
    issuer: 'corp',
    iss: 'https://idp.example',
    ok: true,
    keys: parsed.keys,
    fetchedAt: now.wallMs,
    cooldownUntil: 0,
    cooldownFrom: 0,
  }
  return { ...base, ...over }
}

export function issuerPlan(over: Partial<IssuerPlan> = {}): IssuerPlan {
  return {
    name: 'corp',
    iss: 'https://idp.example',
    algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'],
    types: [],
    groupsClaim: 'groups',
    keys: { refreshSeconds: 300, cooldownSeconds: 10, maxStaleSeconds: 3600, waitMs: 2000 },
    skewSeconds: 30,
    ...over,
  }
}

/** The claims of a good token of `issuerPlan()` at this time. */
export function accessClaims(seconds: number): Record<string, unknown> {
  return {
    iss: 'https://idp.example',
    sub: 'alice',
    aud: 'shop',
    exp: seconds + 300,
    iat: seconds,
    jti: 'token-1',
    client_id: 'web',
    scope: 'orders:read orders:write',
    groups: ['staff'],
  }
}

/** `over` members that are undefined are left out of the token. */
export function accessToken(
  key: TestKey,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): string {
  return signed({ alg: key.alg, typ: 'at+jwt', kid: key.kid, ...header }, claims, key)
}

export function trustedIssuer(plan: IssuerPlan = issuerPlan()): TrustedIssuer {
  const [issuer] = indexIssuers([plan]).values()
  if (issuer === undefined) throw new Error('one plan makes one issuer')
  return issuer
}
