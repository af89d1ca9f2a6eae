import type { SecurityAlternative, SecurityPlan } from '../model/operation.ts'
import type { Subject } from '../model/subject.ts'

/** The contract's `security` held against the caller: a floor that no policy lowers (design.md, "Policy"). */
export interface ScopeCheck {
  /** Also `context.scopesMet`. True only of what the gate itself has verified, or where nothing is asked. */
  readonly met: boolean
  /** Scopes lacking in the nearest alternative; empty where scopes are not what is lacking. */
  readonly missing: readonly string[]
  /** All scopes of that alternative: what RFC 6750 §3.1 tells the caller. */
  readonly needed: readonly string[]
  /** Not met, and what could meet it is a scheme the gate cannot check. */
  readonly unsupported: boolean
  /** `unsupported`, but the API checks the client's own credential (`credential: pass`): no reason to deny. */
  readonly leftToApi: boolean
}

const MET: ScopeCheck = Object.freeze({
  met: true,
  missing: [],
  needed: [],
  unsupported: false,
  leftToApi: false,
})

/**
 * List = OR, object = AND, `{}` = optional, `[]` = anonymous (OpenAPI 3.1 §4.8.30, standards 7.7). A required
 * operation without alternatives asks for a verified token of any scope. That a token is missing altogether is
 * for identity to say; here it is simply not met.
 */
export function checkScopes(
  security: SecurityPlan,
  subject: Subject,
  credential: 'replace' | 'pass' = 'replace',
): ScopeCheck {
  if (security.need !== 'required') return MET
  const anonymous = subject.kind === 'anonymous'
  const { alternatives } = security
  if (alternatives.length === 0) return anonymous ? notMet([], [], false, credential) : MET
  let nearest: readonly string[] | null = null
  let needed: readonly string[] = []
  let uncheckable = 0
  for (const alternative of alternatives) {
    if (!isCheckable(alternative)) {
      uncheckable++
      continue
    }
    const missing = missingScopes(alternative, subject)
    if (missing.length === 0 && !anonymous) return MET
    if (nearest === null || missing.length < nearest.length) {
      nearest = missing
      needed = allScopes(alternative)
    }
  }
  // A caller with a token is held to what its token can meet; one without may come by the other scheme.
  const unsupported = anonymous ? uncheckable > 0 : uncheckable === alternatives.length
  return notMet(nearest ?? [], needed, unsupported, credential)
}

/** False where some scheme of the alternative is one the gate cannot check: all of them must hold. */
export function isCheckable({ schemes }: SecurityAlternative): boolean {
  return schemes.every(({ kind }) => kind === 'bearer')
}

function missingScopes(alternative: SecurityAlternative, subject: Subject): readonly string[] {
  return allScopes(alternative).filter((scope) => !subject.scopes.includes(scope))
}

function allScopes({ schemes }: SecurityAlternative): readonly string[] {
  const [only] = schemes
  if (only !== undefined && schemes.length === 1) return only.scopes
  return [...new Set(schemes.flatMap(({ scopes }) => scopes))]
}

function notMet(
  missing: readonly string[],
  needed: readonly string[],
  unsupported: boolean,
  credential: 'replace' | 'pass',
): ScopeCheck {
  return { met: false, missing, needed, unsupported, leftToApi: unsupported && credential === 'pass' }
}
