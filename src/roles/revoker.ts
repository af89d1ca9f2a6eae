import { isTokenKey, type Order, type OrderResult } from '../management/control-socket.ts'
import type { IssuerPlan } from '../model/bundle.ts'
import type { Revocation } from '../model/directive.ts'
import { isFault, SallyportError } from '../model/errors.ts'
import { nearest } from '../syntax/nearest.ts'

/** Revocations of tokens whose expiry is not known are kept this long: longer than any sane token lives. */
const REVOCATION_MS = 30 * 86_400_000

export interface RevokerPorts {
  /** On disk first; throws where it cannot be. */
  append(revocations: readonly Revocation[]): void
  /** Then on every thread: what was confirmed holds from the next call on and after a restart. */
  apply(revocations: readonly Revocation[]): Promise<void>
  record(by: string, result: 'ok' | 'failed', detail: Readonly<Record<string, string>>): void
  /** Keyed: what was revoked can be compared, not read. */
  digest(target: string): string
  wallMs(): number
}

/** Obeys orders to revoke: what they name must exist as far as control can know, and each is on record. */
export class Revoker {
  readonly #ports: RevokerPorts

  constructor(ports: RevokerPorts) {
    this.#ports = ports
  }

  token({ keys, by }: Extract<Order, { order: 'revoke-token' }>): Promise<OrderResult> {
    const tokenKeys = keys.filter(isTokenKey)
    if (tokenKeys.length < keys.length)
      throw new SallyportError(
        'usage',
        'a token is revoked by its jti; a whole token goes to standard input: sallyport revoke token -',
      )
    const at = this.#ports.wallMs()
    return this.#revoke(
      tokenKeys.map((key) => ({
        revocation: { kind: 'token', key, until: at + REVOCATION_MS, by, at },
        detail: { kind: 'token', target: this.#ports.digest(key) },
      })),
      {},
    )
  }

  subject(
    { iss: given, sub, by }: Extract<Order, { order: 'revoke-subject' }>,
    issuers: readonly IssuerPlan[],
  ): Promise<OrderResult> {
    const { name, iss, skewSeconds } = issuerOf(given, issuers)
    const at = this.#ports.wallMs()
    const notBefore = Math.floor(at / 1000)
    const target = this.#ports.digest(JSON.stringify([iss, sub]))
    return this.#revoke(
      [
        {
          revocation: { kind: 'subject', iss, sub, notBefore, until: at + REVOCATION_MS, by, at },
          detail: { kind: 'subject', issuer: name, target },
        },
      ],
      { issuer: name, iss, sub, skewSeconds },
    )
  }

  async #revoke(
    ordered: readonly {
      readonly revocation: Revocation
      readonly detail: Readonly<Record<string, string>>
    }[],
    result: OrderResult,
  ): Promise<OrderResult> {
    const { append, apply, record } = this.#ports
    const revocations = ordered.map(({ revocation }) => revocation)
    try {
      append(revocations)
      await apply(revocations)
    } catch (error) {
      const code = isFault(error) ? error.code : 'unknown'
      for (const { revocation, detail } of ordered) record(revocation.by, 'failed', { ...detail, code })
      throw error
    }
    for (const { revocation, detail } of ordered) record(revocation.by, 'ok', detail)
    return { revoked: revocations.length, threads: 'all', ...result }
  }
}

/** By `iss` or by its name in the configuration: one that is neither would confirm a revocation of nothing. */
function issuerOf(given: string, issuers: readonly IssuerPlan[]): IssuerPlan {
  const found = issuers.find(({ iss }) => iss === given) ?? issuers.find(({ name }) => name === given)
  if (found !== undefined) return found
  const close = nearest(
    given,
    issuers.flatMap(({ name, iss }) => [iss, name]),
  )
  const known = issuers.map(({ name, iss }) => `${name} (${iss})`).join(', ')
  throw new SallyportError(
    'usage',
    `nothing was revoked: ${JSON.stringify(given)} is neither the name nor the iss of a configured issuer${close === null ? '' : `; did you mean ${close}?`} (configured: ${known === '' ? 'none' : known})`,
  )
}
