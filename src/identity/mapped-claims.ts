import type { IssuerPlan } from '../model/bundle.ts'
import type { Subject } from '../model/subject.ts'
import { type ClaimFault, claimOf, list, type Members, textProblem } from './claim-forms.ts'

/** What configuration says which claims hold: no standard names them. */
export interface MappedClaims {
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly device: Subject['device']
  /** Those object rules compare with, as strings; what is no string or integer is left out. */
  readonly named: Subject['claims']
}

/**
 * Of each kind. A token is at most 64 KiB and a caller in thousands of groups would make every decision walk them:
 * issuers send those that matter to the gate.
 */
const MAX_MEMBERSHIPS = 256

export function readMapped(value: Members, plan: IssuerPlan): MappedClaims | ClaimFault {
  const groups = list(value, plan.groupsClaim, false, MAX_MEMBERSHIPS)
  if ('problem' in groups) return groups
  const roles = plan.rolesClaim === undefined ? [] : list(value, plan.rolesClaim, false, MAX_MEMBERSHIPS)
  if ('problem' in roles) return roles
  const device = plan.deviceClaim === undefined ? undefined : readDevice(value, plan.deviceClaim)
  if (device !== undefined && 'problem' in device) return device
  return {
    groups: distinct(groups),
    roles: distinct(roles),
    device,
    named: readNamed(value, plan.claims ?? []),
  }
}

/** Each once: a policy that applies is found once then. */
function distinct(names: readonly string[]): readonly string[] {
  const once = new Set(names)
  return once.size === names.length ? names : [...once]
}

/** An id, or `{id, compliant?, managed?}`. A device that says what it is in another form is no device that is trusted. */
function readDevice(value: Members, claim: string): Subject['device'] | ClaimFault {
  const said = claimOf(value, claim)
  if (said === undefined) return undefined
  if (typeof said === 'string') {
    const problem = textProblem(said)
    return problem === null ? { id: said } : { claim, problem }
  }
  if (!isObject(said)) return { claim, problem: 'form' }
  const [id, compliant, managed] = ['id', 'compliant', 'managed'].map((name) => claimOf(said, name))
  const problem = textProblem(id)
  if (problem !== null || typeof id !== 'string') return { claim, problem: problem ?? 'form' }
  if (!isFlag(compliant) || !isFlag(managed)) return { claim, problem: 'form' }
  return {
    id,
    ...(compliant === undefined ? {} : { compliant }),
    ...(managed === undefined ? {} : { managed }),
  }
}

function readNamed(value: Members, names: readonly string[]): Subject['claims'] {
  const named: [string, string][] = []
  for (const name of names) {
    const said = claimOf(value, name)
    const text = Number.isSafeInteger(said) ? String(said) : said
    if (typeof text === 'string' && textProblem(text) === null) named.push([name, text])
  }
  return named.length === 0 ? undefined : Object.fromEntries(named)
}

function isFlag(value: unknown): value is boolean | undefined {
  return value === undefined || typeof value === 'boolean'
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
