import type { PolicyPlan } from '../../model/bundle.ts'
import { SallyportError } from '../../model/errors.ts'
import type { FieldRulePlan } from '../../model/operation.ts'
import type { Policy } from './est.ts'
import { atOnce, PLACED_A_STEP, type Steps } from './steps.ts'

/** What `PolicyPlan.detail` holds: policies in Cedar's JSON form, with what was worked out of them at load. */
export interface CedarPlan {
  readonly format: 1
  readonly policies: readonly CompiledPolicy[]
  /** Plain Cedar: a forbid that fails does not apply. Absent: it denies. */
  readonly failingForbid?: 'ignore'
  /** Every API of the bundle with its operations' actions and the groups of each. */
  readonly apis: Readonly<Record<string, ApiActions>>
}

export interface ApiActions {
  readonly actions: Readonly<Record<string, readonly string[]>>
  /** The trust zone the API stands in. */
  readonly zone?: string
  /** Of a GraphQL API: operations that are allowed where each field they ask for is. */
  readonly endpoints?: readonly string[]
  /** Field rules of the API's contract, by operation key; absent where it has none. */
  readonly fields?: Readonly<Record<string, readonly FieldRulePlan[]>>
}

export interface CompiledPolicy {
  /** `@id("…")`, else `<file>#<n>`, counted from 1. */
  readonly id: string
  /** APIs whose calls it can decide. */
  readonly apis: readonly string[]
  readonly reads: readonly string[]
  readonly policy: Policy
  /** Of a policy that a template makes: whose link it is, and the entities in the slots, as Cedar text. */
  readonly link?: PolicyLinkPlan
}

export interface PolicyLinkPlan {
  readonly template: string
  readonly args: Readonly<Record<string, string>>
}

/**
 * Read by hand, not by a schema library: every gate thread does this at every bundle, and would load the library for
 * nothing else. The bundle's hash was checked; this finds what another version wrote.
 *
 * @throws {SallyportError} `bundle-corrupt` where the bundle's policies are not in the form `compilePolicies` gives.
 */
export function readPlan(plan: PolicyPlan): CedarPlan {
  return atOnce(readPlanInSteps(plan))
}

/** The same in steps. */
export function* readPlanInSteps(plan: PolicyPlan): Steps<CedarPlan> {
  const at = yield* faultIn(plan.detail)
  if (at === null) return plan.detail as CedarPlan
  throw new SallyportError('bundle-corrupt', 'the bundle’s policies are not in a form this version reads', {
    at,
  })
}

type Members = Readonly<Record<string, unknown>>

const OPS: ReadonlySet<unknown> = new Set(['All', '==', 'in', 'is'])

/** Where the plan departs from its form; null where it does not. */
function* faultIn(detail: unknown): Steps<string | null> {
  if (!isObject(detail) || detail['format'] !== 1) return 'format'
  const { policies, apis, failingForbid } = detail
  if (failingForbid !== undefined && failingForbid !== 'ignore') return 'failingForbid'
  if (!Array.isArray(policies)) return 'policies'
  for (let at = 0; at < policies.length; at++) {
    const policy: unknown = policies[at]
    if (!isObject(policy) || !isCompiled(policy)) return `policies/${at}`
    if (at % PLACED_A_STEP === PLACED_A_STEP - 1) yield
  }
  if (!isObject(apis)) return 'apis'
  const api = Object.entries(apis).find(([, value]) => !isObject(value) || !isApi(value))
  return api === undefined ? null : `apis/${api[0]}`
}

function isCompiled({ id, apis, reads, policy, link }: Members): boolean {
  return (
    (link === undefined || isLink(link)) &&
    typeof id === 'string' &&
    id !== '' &&
    isStrings(apis) &&
    isStrings(reads) &&
    isObject(policy) &&
    isPolicy(policy)
  )
}

function isLink(value: unknown): boolean {
  if (!isObject(value) || typeof value['template'] !== 'string' || !isObject(value['args'])) return false
  return Object.values(value['args']).every((each) => typeof each === 'string')
}

function isPolicy({ effect, principal, action, resource, conditions }: Members): boolean {
  const scopes = [principal, action, resource].every((scope) => isObject(scope) && OPS.has(scope['op']))
  return (
    (effect === 'permit' || effect === 'forbid') &&
    scopes &&
    Array.isArray(conditions) &&
    conditions.every(isCondition)
  )
}

function isCondition(value: unknown): boolean {
  return (
    isObject(value) && (value['kind'] === 'when' || value['kind'] === 'unless') && isObject(value['body'])
  )
}

function isApi({ actions, zone, fields, endpoints }: Members): boolean {
  const ruled = fields === undefined || (isObject(fields) && Object.values(fields).every(isRules))
  const known = endpoints === undefined || isStrings(endpoints)
  return isActions(actions) && (zone === undefined || typeof zone === 'string') && ruled && known
}

function isRules(value: unknown): boolean {
  return Array.isArray(value) && value.every((rule) => isObject(rule) && isRule(rule))
}

function isRule({ at, visibleTo, otherwise }: Members): boolean {
  const kind = otherwise === 'drop' || otherwise === 'redact' || otherwise === 'mask'
  const lists = isObject(visibleTo) ? [visibleTo['roles'], visibleTo['groups'], visibleTo['scopes']] : [null]
  return typeof at === 'string' && kind && lists.every(isStrings)
}

function isActions(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isStrings)
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
