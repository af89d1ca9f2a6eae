/** The bundle's issuers in the form one look-up per call needs, made once per snapshot. */
import type { IssuerPlan } from '../model/bundle.ts'
import { isAlgorithm } from './algorithms.ts'

export interface TrustedIssuer {
  readonly plan: IssuerPlan
  readonly algorithms: ReadonlySet<string>
  /** Accepted `typ` values, lower-case, without `application/`; the empty one stands for no `typ` at all. */
  readonly types: ReadonlySet<string>
  readonly skewSeconds: number
  readonly maxStaleMs: number
}

/** By `iss`, character by character (RFC 9068 §4). */
export type IssuerIndex = ReadonlyMap<string, TrustedIssuer>

/** Never access tokens, whatever a configuration lists (RFC 8725 §3.11): each has a checker and a use of its own. */
const NEVER: ReadonlySet<string> = new Set([
  'secevent+jwt',
  'logout+jwt',
  'dpop+jwt',
  'kb+jwt',
  'oauth-authz-req+jwt',
  'token-introspection+jwt',
  'oauth-client-attestation+jwt',
  'oauth-client-attestation-pop+jwt',
  'entity-statement+jwt',
])

const MAX_SKEW_SECONDS = 60

export function indexIssuers(plans: readonly IssuerPlan[]): IssuerIndex {
  return new Map(plans.map((plan) => [plan.iss, trusted(plan)]))
}

function trusted(plan: IssuerPlan): TrustedIssuer {
  const algorithms = new Set(plan.algorithms.filter(isAlgorithm))
  // RFC 9864 §2.2: the same signature under its full name.
  if (algorithms.has('EdDSA')) algorithms.add('Ed25519')
  const types = new Set(['at+jwt', ...plan.types.map(typeName)].filter((type) => !NEVER.has(type)))
  // RFC 7519 §5.1: `JWT` says no more than leaving `typ` out does; some issuers that send the one send the other.
  if (types.has('jwt')) types.add('')
  return {
    plan,
    algorithms,
    types,
    skewSeconds: Math.min(MAX_SKEW_SECONDS, Math.max(0, plan.skewSeconds)),
    maxStaleMs: plan.keys.maxStaleSeconds * 1000,
  }
}

/** A `typ` as compared: media types know no case, and `application/` may be left out (RFC 7515 §4.1.9). */
export function typeName(typ: string | undefined): string {
  if (typ === undefined) return ''
  const name = typ.toLowerCase()
  return name.startsWith('application/') && !name.includes('/', 12) ? name.slice(12) : name
}
