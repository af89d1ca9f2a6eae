import { SallyportError } from '../model/errors.ts'
import type { ItemsPlan, ObjectPlan, OperationPlan, RequestPlace } from '../model/operation.ts'
import { parsePointer } from '../syntax/json-pointer.ts'
import { type ListRule, listedOperations } from './list-rule.ts'
import { parameterNames, templateForm } from './path-template.ts'

export type { ListRule } from './list-rule.ts'

/** One object rule, as `compileContract` takes it, wherever it was written. */
export interface ObjectRule {
  /** Template as in the contract, below the base path; names of parameters may differ. */
  readonly path: string
  /** JSON pointers into the object's representation, or into an item of a list of them. */
  readonly owner?: string
  readonly tenant?: string
  /** Where the request itself states them; a path parameter by its name in `path`. */
  readonly requestOwner?: RequestPlace
  readonly requestTenant?: RequestPlace
  /** Claim of the owner's tokens that the owner field holds; left out: `sub`. */
  readonly ownerClaim?: string
  readonly issuer?: string
  /** operationId of the GET on the same template. */
  readonly lookup?: string
  readonly lists?: readonly ListRule[]
  readonly hideAbsent: boolean
}

/** What object rules have to know of an operation. */
export interface RuledOperation {
  readonly plan: OperationPlan
  /** Names of its query parameters. */
  readonly query: ReadonlySet<string>
  readonly hasBody: boolean
}

export type Fault = (message: string) => SallyportError

/** The parts of a rule, read. */
interface Statements {
  readonly owner: readonly string[] | undefined
  readonly tenant: readonly string[] | undefined
  readonly requestOwner: RequestPlace | undefined
  readonly requestTenant: RequestPlace | undefined
}

/**
 * The object plan of each operation that a rule names, by operation key.
 * @throws {SallyportError} `config-invalid` for a rule that fits no operation, or a look-up that cannot be one.
 */
export function objectPlans(
  api: string,
  rules: Readonly<Record<string, ObjectRule>>,
  operations: readonly RuledOperation[],
): ReadonlyMap<string, ObjectPlan> {
  const plans = new Map<string, ObjectPlan>()
  const ruledBy = new Map<string, string>()
  const lists = new Map<string, { readonly type: string; readonly items: ItemsPlan }>()
  const faultOf =
    (type: string): Fault =>
    (message) =>
      new SallyportError('config-invalid', `apis.${api}.objects.${type}: ${message}`, { api, object: type })

  // Lists first: one that stands on its rule's own path is judged by its items, not as an object.
  for (const [type, rule] of Object.entries(rules)) {
    const fault = faultOf(type)
    for (const [key, items] of listedOperations(api, rule, operations, fault)) {
      const other = lists.get(key)
      if (other !== undefined) throw fault(`the list ${key} is named by ${other.type} already`)
      lists.set(key, { type, items })
    }
  }
  for (const [type, rule] of Object.entries(rules)) {
    const fault = faultOf(type)
    const form = templateForm(rule.path)
    const matched = operations.filter(({ plan }) => templateForm(plan.template) === form)
    if (matched.length === 0) throw fault(`no operation of the contract has the path ${rule.path}`)
    const lookup = lookupKey(rule, matched, fault)
    const statements = readStatements(rule, matched, fault)
    const listsItself = matched.some(({ plan }) => lists.get(plan.key)?.type === type)
    for (const operation of matched) {
      const { key } = operation.plan
      // A list names its operation, which says more than a path: it is judged by its items.
      if (lists.has(key)) continue
      const other = ruledBy.get(key)
      if (other !== undefined) throw fault(`another rule (${other}) names the path ${rule.path} too`)
      ruledBy.set(key, type)
      plans.set(
        key,
        objectPlan(type, rule, statements, operation, listsItself ? undefined : lookup, listsItself),
      )
    }
    for (const operation of operations) {
      const list = lists.get(operation.plan.key)
      if (list?.type === type)
        plans.set(operation.plan.key, listPlan(type, rule, statements, operation, list.items))
    }
  }
  return plans
}

function objectPlan(
  type: string,
  rule: ObjectRule,
  statements: Statements,
  operation: RuledOperation,
  lookup: string | undefined,
  listsItself: boolean,
): ObjectPlan {
  const { plan, hasBody } = operation
  // Only a GET's answer is a representation of the object as it stands (RFC 9110 §9.3.1).
  const asks = plan.method !== 'GET' && lookup !== undefined
  const represented: KnownAt = listsItself
    ? 'never'
    : plan.method === 'GET'
      ? 'response'
      : asks
        ? 'body'
        : 'never'
  const place = (at: RequestPlace | undefined): RequestPlace | undefined =>
    placedIn(at, rule.path, plan.template)
  const [requestOwner, requestTenant] = [place(statements.requestOwner), place(statements.requestTenant)]
  // A path that lists its objects represents none of them: there the request speaks alone.
  const pointer = (name: 'owner' | 'tenant', at: RequestPlace | undefined): readonly string[] | undefined =>
    listsItself && at !== undefined ? undefined : statements[name]
  const [owner, tenant] = [pointer('owner', requestOwner), pointer('tenant', requestTenant)]
  const known = [
    knownAt(owner, requestOwner, represented, hasBody),
    knownAt(tenant, requestTenant, represented, hasBody),
  ]
  return {
    type,
    ...common(rule, { owner, tenant, requestOwner, requestTenant }),
    // Of a GET too, for entrances that never see its answer.
    ...(lookup !== undefined && (owner !== undefined || tenant !== undefined) ? { lookup } : {}),
    hideAbsent: rule.hideAbsent,
    ownerKnownAt: latest(known),
  }
}

/** A list hides nothing as a whole: what the caller may not have is not in it. */
function listPlan(
  type: string,
  rule: ObjectRule,
  { owner, tenant, ...request }: Statements,
  { plan, query, hasBody }: RuledOperation,
  items: ItemsPlan,
): ObjectPlan {
  const place = (at: RequestPlace | undefined): RequestPlace | undefined => {
    if (at?.in === 'query') return query.has(at.name) ? at : undefined
    if (at?.in === 'body') return hasBody ? at : undefined
    return templateForm(plan.template) === templateForm(rule.path)
      ? placedIn(at, rule.path, plan.template)
      : undefined
  }
  const [requestOwner, requestTenant] = [place(request.requestOwner), place(request.requestTenant)]
  return {
    type,
    ...common(rule, { owner, tenant, requestOwner, requestTenant }),
    items,
    hideAbsent: false,
    ownerKnownAt: 'response',
  }
}

function common(
  rule: ObjectRule,
  { owner, tenant, requestOwner, requestTenant }: Statements,
): Omit<ObjectPlan, 'type' | 'hideAbsent' | 'ownerKnownAt'> {
  return {
    ...(requestOwner === undefined ? {} : { requestOwner }),
    ...(requestTenant === undefined ? {} : { requestTenant }),
    ...(rule.ownerClaim === undefined ? {} : { ownerClaim: rule.ownerClaim }),
    ...(owner === undefined ? {} : { owner }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(rule.issuer === undefined ? {} : { issuer: rule.issuer }),
  }
}

type KnownAt = ObjectPlan['ownerKnownAt']
const ORDER: readonly KnownAt[] = ['never', 'head', 'body', 'response']

/** Where both state it, it is known once the later one has spoken. */
function knownAt(
  pointer: readonly string[] | undefined,
  request: RequestPlace | undefined,
  represented: KnownAt,
  hasBody: boolean,
): KnownAt {
  if (pointer !== undefined) return represented
  if (request === undefined) return 'never'
  if (request.in !== 'body') return 'head'
  return hasBody ? 'body' : 'never'
}

function latest(known: readonly KnownAt[]): KnownAt {
  return known.reduce((last, each) => (ORDER.indexOf(each) > ORDER.indexOf(last) ? each : last), 'never')
}

function readStatements(rule: ObjectRule, matched: readonly RuledOperation[], fault: Fault): Statements {
  for (const at of [rule.requestOwner, rule.requestTenant]) {
    if (at?.in === 'path' && !parameterNames(rule.path).includes(at.name))
      throw fault(`the path ${rule.path} has no parameter ${at.name}`)
    if (at?.in === 'query' && !matched.some(({ query }) => query.has(at.name)))
      throw fault(`no operation on ${rule.path} has the query parameter ${at.name}`)
    if (at?.in === 'body' && !matched.some(({ hasBody }) => hasBody))
      throw fault(`no operation on ${rule.path} takes a body`)
  }
  return {
    owner: pointer(rule.owner, fault),
    tenant: pointer(rule.tenant, fault),
    requestOwner: rule.requestOwner,
    requestTenant: rule.requestTenant,
  }
}

/** Rule and contract may name a path parameter differently: its position is what counts (OpenAPI 3.1 §4.8.8). */
function placedIn(at: RequestPlace | undefined, path: string, template: string): RequestPlace | undefined {
  if (at?.in !== 'path') return at
  const name = parameterNames(template)[parameterNames(path).indexOf(at.name)]
  return name === undefined ? at : { in: 'path', name }
}

function lookupKey(rule: ObjectRule, matched: readonly RuledOperation[], fault: Fault): string | undefined {
  if (rule.lookup === undefined) return undefined
  const plans = matched.map(({ plan }) => plan)
  const found = plans.find((operation) => operation.operationId === rule.lookup)
  if (found?.method === 'GET') return found.key
  const get = plans.find((operation) => operation.method === 'GET')?.operationId
  const which = get === undefined ? '; that path has none' : `, which is ${get}`
  throw fault(`lookup ${rule.lookup} is not the operationId of the GET on ${rule.path}${which}`)
}

function pointer(text: string | undefined, fault: Fault): readonly string[] | undefined {
  if (text === undefined) return undefined
  try {
    return parsePointer(text)
  } catch {
    throw fault(`${text.slice(0, 60)} is not a JSON pointer (RFC 6901)`)
  }
}
