/**
 * A gate thread's keys, by issuer, as control last told them. It answers at once and never fetches: where a fetch
 * could help it says so, and who brought the token may wait (key-wait.ts).
 */
import type { KeyNotice } from '../model/channel.ts'
import type { Instant } from '../model/exchange.ts'
import { type AlgorithmName, isAlgorithm, type SignatureCheck, signatureCheck } from './algorithms.ts'
import type { TrustedIssuer } from './issuers.ts'
import { type UsableKey, usableKey } from './jwks.ts'

/** A key that may verify; the same object for as long as the issuer goes on publishing the same key. */
export interface VerifyKey {
  readonly kid: string | undefined
  readonly thumbprint: string
  readonly checks: ReadonlyMap<AlgorithmName, SignatureCheck>
}

/**
 * `unknown-fresh`: a key set fetched since the present cool-down began lacks it. `unknown-ask`: control may fetch.
 * `unavailable`: the issuer could not be asked, and may not be asked again yet. `alg-refused`: the key is known and
 * is for other algorithms.
 */
export type KeyAnswer = readonly VerifyKey[] | 'unknown-fresh' | 'unknown-ask' | 'unavailable' | 'alg-refused'

/** Several keys may fit one token: without `kid`, or with a repeated one. Each costs a verification. */
export const MAX_CANDIDATES = 8

interface IssuerKeys {
  readonly notice: KeyNotice
  readonly byKid: ReadonlyMap<string, readonly VerifyKey[]>
  readonly all: readonly VerifyKey[]
  /** By `kid`, a space and the algorithm; `kid` left out: the algorithm alone. */
  readonly fitting: ReadonlyMap<string, readonly VerifyKey[]>
  /** Monotonic milliseconds of the last good fetch and of the cool-down's end. */
  readonly fetchedMono: number
  readonly cooldownMono: number
}

export class KeyRing {
  readonly #issuers = new Map<string, IssuerKeys>()

  /** Takes what control broadcast. Wall times of the other process are turned into this one's monotonic time once. */
  apply(notice: KeyNotice, now: Instant): void {
    const before = this.#issuers.get(notice.issuer)
    const all = (notice.keys ?? []).flatMap((jwk) => {
      const key = usableKey(jwk)
      return key === null ? [] : [known(before, key)]
    })
    const byKid = new Map<string, VerifyKey[]>()
    const fitting = new Map<string, VerifyKey[]>()
    for (const key of all) {
      if (key.kid !== undefined) put(byKid, key.kid, key)
      for (const alg of key.checks.keys()) {
        put(fitting, alg, key)
        if (key.kid !== undefined) put(fitting, `${alg} ${key.kid}`, key)
      }
    }
    this.#issuers.set(notice.issuer, {
      notice,
      byKid,
      all,
      fitting,
      // What was told before keeps its place in monotonic time, wherever the wall clock was set meanwhile.
      fetchedMono:
        before?.notice.fetchedAt === notice.fetchedAt
          ? before.fetchedMono
          : now.monoMs - Math.max(0, now.wallMs - notice.fetchedAt),
      cooldownMono:
        before?.notice.cooldownUntil === notice.cooldownUntil
          ? before.cooldownMono
          : now.monoMs + Math.max(0, notice.cooldownUntil - now.wallMs),
    })
  }

  /** Config no longer names the issuer. */
  forget(issuer: string): void {
    this.#issuers.delete(issuer)
  }

  /**
   * Keys that may verify a token with this header: never empty, at most `MAX_CANDIDATES`. `alg` comes from the
   * issuer's allow-list, so it holds no space.
   */
  find(issuer: TrustedIssuer, kid: string | undefined, alg: string, now: Instant): KeyAnswer {
    const { name, iss } = issuer.plan
    const keys = this.#issuers.get(name)
    if (keys?.notice.iss !== iss) return 'unknown-ask'
    if (keys.notice.keys !== null && now.monoMs - keys.fetchedMono <= issuer.maxStaleMs) {
      const found = keys.fitting.get(kid === undefined ? alg : `${alg} ${kid}`)
      if (found !== undefined) return found
      if (kid !== undefined && keys.byKid.has(kid)) return 'alg-refused'
    }
    return this.missing(name, now)
  }

  /** What not finding a key means now; also asked where none of the keys tried without `kid` verified. */
  missing(issuer: string, now: Instant): 'unknown-fresh' | 'unknown-ask' | 'unavailable' {
    const keys = this.#issuers.get(issuer)
    if (keys === undefined || now.monoMs >= keys.cooldownMono) return 'unknown-ask'
    const { notice } = keys
    return notice.keys !== null && notice.fetchedAt >= notice.cooldownFrom ? 'unknown-fresh' : 'unavailable'
  }

  /** Whole seconds until asking may help again, at least 1. */
  retryAfterSeconds(issuer: string, now: Instant): number {
    const keys = this.#issuers.get(issuer)
    return keys === undefined ? 1 : Math.max(1, Math.ceil((keys.cooldownMono - now.monoMs) / 1000))
  }

  /** Any key of this name, whatever it may verify. */
  has(issuer: string, kid: string): boolean {
    return this.#issuers.get(issuer)?.byKid.has(kid) ?? false
  }

  /** The issuer has keys that are not too old: it can identify callers. */
  ready({ plan, maxStaleMs }: TrustedIssuer, now: Instant): boolean {
    const keys = this.#issuers.get(plan.name)
    if (keys === undefined || keys.notice.keys === null || keys.notice.iss !== plan.iss) return false
    return now.monoMs - keys.fetchedMono <= maxStaleMs
  }
}

/** The key object held so far where nothing about the key changed, so that proofs made with it stay good. */
function known(before: IssuerKeys | undefined, key: UsableKey): VerifyKey {
  const same = before?.all.find(
    (old) =>
      old.thumbprint === key.thumbprint &&
      old.kid === key.kid &&
      old.checks.size === key.algorithms.length &&
      key.algorithms.every((alg) => old.checks.has(alg)),
  )
  if (same !== undefined) return same
  const checks = new Map<AlgorithmName, SignatureCheck>()
  for (const alg of key.algorithms) if (isAlgorithm(alg)) checks.set(alg, signatureCheck(alg, key.key))
  return { kid: key.kid, thumbprint: key.thumbprint, checks }
}

function put(map: Map<string, VerifyKey[]>, name: string, key: VerifyKey): void {
  const list = map.get(name)
  if (list === undefined) map.set(name, [key])
  else if (list.length < MAX_CANDIDATES) list.push(key)
}
