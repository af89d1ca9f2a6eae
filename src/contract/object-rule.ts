import { SallyportError } from '../model/errors.ts'
import type { ObjectPlan, OperationPlan } from '../model/operation.ts'
import { parsePointer } from '../syntax/json-pointer.ts'

/** One entry of config `apis.*.objects`, as `compileContract` takes it. */
export interface ObjectRule {
  /** Template as in the contract, below the base path; names of parameters may differ. */
  readonly path: string
  /** JSON pointers into the object's representation. */
  readonly owner?: string
  readonly tenant?: string
  readonly issuer?: string
  /** operationId of the GET on the same template. */
  readonly lookup?: string
  readonly hideAbsent: boolean
}

/**
 * The object plan of each operation that a rule names, by operation key.
 * @throws {SallyportError} `config-invalid` for a rule that fits no operation, or a look-up that cannot be one.
 */
export function objectPlans(
  api: string,
  rules: Readonly<Record<string, ObjectRule>>,
  operations: readonly OperationPlan[],
): ReadonlyMap<string, ObjectPlan> {
  const plans = new Map<string, ObjectPlan>()
  for (const [type, rule] of Object.entries(rules)) {
    const fault = (message: string): SallyportError =>
      new SallyportError('config-invalid', `apis.${api}.objects.${type}: ${message}`, { api, object: type })
    const form = templateForm(rule.path)
    const matched = operations.filter((operation) => templateForm(operation.template) === form)
    if (matched.length === 0) throw fault(`no operation of the contract has the path ${rule.path}`)
    const lookup = lookupKey(rule, matched, fault)
    const owner = pointer(rule.owner, fault)
    const tenant = pointer(rule.tenant, fault)
    for (const operation of matched) {
      if (plans.has(operation.key)) throw fault(`another rule names the path ${rule.path} too`)
      // Only a GET's answer is a representation of the object as it stands (RFC 9110 §9.3.1).
      const asks = operation.method !== 'GET' && lookup !== undefined
      const stated = owner !== undefined || tenant !== undefined
      plans.set(operation.key, {
        type,
        ...(owner === undefined ? {} : { owner }),
        ...(tenant === undefined ? {} : { tenant }),
        ...(rule.issuer === undefined ? {} : { issuer: rule.issuer }),
        ...(asks ? { lookup } : {}),
        hideAbsent: rule.hideAbsent,
        ownerKnownAt: !stated ? 'never' : operation.method === 'GET' ? 'response' : asks ? 'body' : 'never',
      })
    }
  }
  return plans
}

function lookupKey(
  rule: ObjectRule,
  matched: readonly OperationPlan[],
  fault: (message: string) => SallyportError,
): string | undefined {
  if (rule.lookup === undefined) return undefined
  const found = matched.find((operation) => operation.operationId === rule.lookup)
  if (found?.method === 'GET') return found.key
  const get = matched.find((operation) => operation.method === 'GET')?.operationId
  const which = get === undefined ? '; that path has none' : `, which is ${get}`
  throw fault(`lookup ${rule.lookup} is not the operationId of the GET on ${rule.path}${which}`)
}

function pointer(
  text: string | undefined,
  fault: (message: string) => SallyportError,
): readonly string[] | undefined {
  if (text === undefined) return undefined
  try {
    return parsePointer(text)
  } catch {
    throw fault(`${text.slice(0, 60)} is not a JSON pointer (RFC 6901)`)
  }
}

const templateForm = (template: string): string => template.replace(/\{[^{}]*\}/g, '{}')
