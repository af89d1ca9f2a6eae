/**
 * The claims of a JWT access token (RFC 9068 §2.2, RFC 7519 §4.1), each held to its type and to bounds before anything
 * is compared. What this gives is only as true as the signature, which is checked elsewhere.
 */
import type { IssuerPlan } from '../model/bundle.ts'
import {
  type ClaimFault,
  claimOf,
  isTexts,
  list,
  MAX_TEXT,
  type Members,
  textProblem,
} from './claim-forms.ts'
import { type MappedClaims, readMapped } from './mapped-claims.ts'

export type { ClaimFault, ClaimProblem } from './claim-forms.ts'

export interface Claims extends MappedClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: readonly string[]
  /** NumericDate seconds (RFC 7519 §2), as are the other times. */
  readonly exp: number
  readonly iat: number
  readonly nbf: number | undefined
  readonly jti: string | undefined
  /** `client_id`, else `azp`; the empty string where neither is required nor there. */
  readonly client: string
  readonly scopes: readonly string[]
  readonly acr: string | undefined
  readonly authTime: number | undefined
  /** RFC 8176; empty where the token does not say. */
  readonly amr: readonly string[]
  readonly tenant: string | undefined
}

/** A token of another kind that carries an acceptable `typ`: an ID token, a SET, a logout token, a proof. */
export type WrongKind = { readonly kind: 'other-token'; readonly claim: string }

const MAX_AUDIENCES = 64
const MAX_SCOPES = 256
const MAX_METHODS = 32

/** Members that only other kinds have: SET and logout token (RFC 8417 §2.2), ID token (OIDC Core), DPoP proof. */
const FOREIGN_CLAIMS = ['events', 'at_hash', 'c_hash', 's_hash', 'htm', 'htu'] as const

/** How providers that send plain `JWT` say the kind in the payload: Keycloak's `typ`, Cognito's `token_use`. */
const KIND_CLAIMS: Readonly<Record<string, ReadonlySet<string>>> = {
  typ: new Set(['bearer', 'at+jwt']),
  token_use: new Set(['access']),
}

/** `complete`: the token says `at+jwt`, so `client_id` and `jti` are required (RFC 9068 §2.2). */
export function readClaims(
  value: Members,
  plan: IssuerPlan,
  complete: boolean,
): Claims | ClaimFault | WrongKind {
  const foreign = foreignClaim(value)
  if (foreign !== null) return { kind: 'other-token', claim: foreign }
  if (value['cnf'] !== undefined) return { claim: 'cnf', problem: 'bound-token' }

  const times = readTimes(value)
  if ('problem' in times) return times
  const texts = readTexts(value, plan, complete)
  if ('problem' in texts) return texts
  const aud = list(value, 'aud', true, MAX_AUDIENCES)
  if ('problem' in aud) return aud
  if (aud.length === 0) return { claim: 'aud', problem: 'missing' }
  const scopes = readScopes(value)
  if ('problem' in scopes) return scopes
  const amr = list(value, 'amr', true, MAX_METHODS)
  if ('problem' in amr) return amr
  const mapped = readMapped(value, plan)
  if ('problem' in mapped) return mapped
  return { ...times, ...texts, aud, scopes, amr, ...mapped }
}

export function isClaims(read: Claims | ClaimFault | WrongKind): read is Claims {
  return 'exp' in read
}

function foreignClaim(value: Members): string | null {
  for (const name of FOREIGN_CLAIMS) if (value[name] !== undefined) return name
  for (const name in KIND_CLAIMS) {
    const said = value[name]
    if (said === undefined) continue
    if (typeof said !== 'string' || !KIND_CLAIMS[name]?.has(said.toLowerCase())) return name
  }
  return null
}

function readTimes(value: Members): Pick<Claims, 'exp' | 'iat' | 'nbf' | 'authTime'> | ClaimFault {
  const { exp, iat, nbf, auth_time: authTime } = value
  if (exp === undefined) return { claim: 'exp', problem: 'missing' }
  if (!isTime(exp)) return { claim: 'exp', problem: 'form' }
  if (iat === undefined) return { claim: 'iat', problem: 'missing' }
  if (!isTime(iat)) return { claim: 'iat', problem: 'form' }
  if (nbf !== undefined && !isTime(nbf)) return { claim: 'nbf', problem: 'form' }
  if (authTime !== undefined && !isTime(authTime)) return { claim: 'auth_time', problem: 'form' }
  return { exp, iat, nbf, authTime }
}

type Texts = Pick<Claims, 'iss' | 'sub' | 'jti' | 'client' | 'acr' | 'tenant'>

function readTexts(value: Members, plan: IssuerPlan, complete: boolean): Texts | ClaimFault {
  // `iss` is taken from the plan: it was equal, or this plan would not have been chosen.
  for (const name of ['sub', 'jti', 'client_id', 'azp', 'acr'] as const) {
    const problem = textProblem(value[name])
    if (problem !== null && value[name] !== undefined) return { claim: name, problem }
  }
  const { sub, jti, client_id: clientId, azp, acr } = value as Readonly<Record<string, string | undefined>>
  if (sub === undefined) return { claim: 'sub', problem: 'missing' }
  if (complete && jti === undefined) return { claim: 'jti', problem: 'missing' }
  const client = clientId ?? azp
  if (complete && client === undefined) return { claim: 'client_id', problem: 'missing' }

  let tenant: string | undefined
  if (plan.tenantClaim !== undefined) {
    // A tenant that config asks for separates data: without it nobody may be taken for a default one.
    const said = claimOf(value, plan.tenantClaim)
    const problem = said === undefined ? 'missing' : textProblem(said)
    if (problem !== null || typeof said !== 'string')
      return { claim: plan.tenantClaim, problem: problem ?? 'form' }
    tenant = said
  }
  return { iss: plan.iss, sub, jti, client: client ?? '', acr, tenant }
}

/**
 * `scope` (RFC 8693 §4.2), or where it is absent `scp`: a list at Okta, a string at Entra. They are never added up:
 * a floor must not be met by the sum of two readings.
 */
function readScopes(value: Members): readonly string[] | ClaimFault {
  const claim = value['scope'] === undefined ? 'scp' : 'scope'
  const said = value[claim]
  if (said === undefined) return []
  let scopes: readonly string[]
  if (typeof said === 'string') scopes = said.split(' ').filter((scope) => scope !== '')
  else if (claim === 'scp' && isTexts(said)) scopes = said
  else return { claim, problem: 'form' }
  if (scopes.length > MAX_SCOPES) return { claim, problem: 'too-many' }
  return scopes.every(isScopeToken) ? scopes : { claim, problem: 'form' }
}

/** RFC 6749 §3.3. */
function isScopeToken(text: string): boolean {
  return text.length > 0 && text.length <= MAX_TEXT && !/[^\x21\x23-\x5b\x5d-\x7e]/.test(text)
}

/** Seconds up to the year 9999; fractions are allowed (RFC 7519 §2). */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 253_402_300_799
}
