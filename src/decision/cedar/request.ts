import type { DecisionInput, PrincipalInput, ResourceInput } from '../../model/decision.ts'
import { CallContext, type ContextReads } from './call-context.ts'
import type { Entities, Entity } from './entities.ts'
import type { AuthorizationRequest } from './environment.ts'
import { Params } from './input-records.ts'
import { type CedarRecord, EntityUid, EvaluationError, type Value } from './values.ts'

/**
 * The decision's input as the evaluator sees it: a request, and the few entities a call is about. What a policy does
 * not ask for is not made.
 */

/** What of an operation is the same at every call, made once per bundle. */
export class KnownOperation implements Entity {
  readonly uid: EntityUid
  /** The resource of a call that is about no object. */
  readonly resource: EntityUid
  readonly #ancestors: readonly EntityUid[]

  constructor(key: string, groups: readonly string[]) {
    this.uid = new EntityUid('Action', key)
    this.resource = new EntityUid('Operation', key)
    this.#ancestors = groups.map((id) => new EntityUid('Action', id))
  }

  attribute(): undefined {}
  tag(): undefined {}

  isIn(other: EntityUid): boolean {
    return other.type === 'Action' && this.#ancestors.some(({ id }) => id === other.id)
  }

  ancestors(): readonly EntityUid[] {
    return this.#ancestors
  }
}

/** What of an API is the same at every call. */
export interface KnownApi {
  readonly zone: string | undefined
  /** The API, and the zone it stands in. */
  readonly ancestors: readonly EntityUid[]
  readonly context: ContextReads
  /** Policies tell one object from another: its name is made of its parameters. */
  readonly objectsNamed: boolean
}

/**
 * Thrown where a policy asks for what a later checkpoint will state. Such policies are set aside beforehand, so this
 * is the net below: it makes a permit that was overlooked fail, and a forbid deny.
 */
export const NOT_YET_KNOWN: EvaluationError = new EvaluationError('the attribute is not known yet')

const TYPES: ReadonlySet<string> = new Set(['User', 'Client', 'Workload', 'Anonymous'])

/** One call: the request and the entities that exist in it. */
export class Call implements AuthorizationRequest, Entities {
  readonly principal: EntityUid
  readonly action: EntityUid
  readonly resource: EntityUid
  readonly context: CedarRecord
  readonly #principal: Caller
  readonly #resource: Resource
  readonly #operation: KnownOperation
  readonly #device: DecisionInput['context']['device']

  /** @throws {Error} where the input is not of the form its type says, in what policies read of it. */
  constructor(input: DecisionInput, operation: KnownOperation, api: KnownApi) {
    const { principal, resource } = input
    if (!TYPES.has(principal.type)) throw new Error('the principal is of no known type')
    if (!isText(principal.id)) throw new Error('the principal’s id is no text')
    if (typeof resource.params !== 'object') throw new Error('the parameters are no record')
    if (!isList(principal.groups) || !isList(principal.roles ?? NONE))
      throw new Error('the groups are no list')
    if (resource.owner !== undefined && !isText(resource.owner)) throw new Error('the owner’s id is no text')
    this.principal = new EntityUid(principal.type, principal.id)
    this.action = operation.uid
    this.resource = resourceUid(resource, operation, api)
    this.context = new CallContext(input, api.context)
    this.#principal = new Caller(this.principal, principal)
    this.#resource = new Resource(this.resource, resource, api)
    this.#operation = operation
    this.#device = input.context.device
  }

  get(uid: EntityUid): Entity | undefined {
    const { type, id } = uid
    if (type === this.principal.type && id === this.principal.id) return this.#principal
    if (type === this.resource.type && id === this.resource.id) return this.#resource
    if (type === 'Action') return id === this.action.id ? this.#operation : undefined
    return type === 'Device' && this.#device?.id === id ? new Device(uid, this.#device) : undefined
  }
}

/** A text of groups would hold each of its parts. */
function isList(value: unknown): boolean {
  return Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

function resourceUid(resource: ResourceInput, operation: KnownOperation, api: KnownApi): EntityUid {
  if (resource.objectType === '') return operation.resource
  // Where no policy tells one object from another, none needs its name.
  if (!api.objectsNamed) return new EntityUid('Object', `${resource.api}/${resource.objectType}`)
  const { type, id } = resourceName(resource, operation.uid.id)
  return new EntityUid(type, id)
}

/** `Object::"shop/order/o-17"` for what an object rule covers, else `Operation::"shop.listOrders"`. */
export function resourceName(
  resource: ResourceInput,
  action: string,
): { readonly type: string; readonly id: string } {
  if (resource.objectType === '') return { type: 'Operation', id: action }
  // `/` separates parts, so that two parameters never read as one with a slash in it.
  const { params, named } = resource
  const own =
    named === undefined
      ? Object.values(params)
      : named.flatMap((name) => (Object.hasOwn(params, name) ? (params[name] ?? []) : []))
  const values = own.map((value) =>
    value.includes('/') || value.includes('%') ? value.replaceAll('%', '%25').replaceAll('/', '%2F') : value,
  )
  return { type: 'Object', id: [resource.api, resource.objectType, ...values].join('/') }
}

const NONE: readonly EntityUid[] = []

const COMPARED_ONE_BY_ONE = 32

/** Anonymous callers have no attributes, no groups and no roles; the network they call from is known of them too. */
class Caller implements Entity {
  readonly uid: EntityUid
  readonly #input: PrincipalInput
  /** Made where there are many, so that many policies do not go through all of them each. */
  #groups: ReadonlySet<string> | undefined

  constructor(uid: EntityUid, input: PrincipalInput) {
    this.uid = uid
    this.#input = input
  }

  attribute(name: string): Value | undefined {
    if (this.uid.type === 'Anonymous') return
    if (name === 'client') return this.#input.client
    return name === 'tenant' ? this.#input.tenant : undefined
  }

  tag(): undefined {}

  isIn({ type, id }: EntityUid): boolean {
    if (type === 'Zone') return id !== '' && id === this.#input.zone
    if (this.uid.type === 'Anonymous') return false
    if (type === 'Group') return this.#isMember(id)
    return type === 'Role' && (this.#input.roles?.includes(id) ?? false)
  }

  #isMember(group: string): boolean {
    const { groups } = this.#input
    if (groups.length <= COMPARED_ONE_BY_ONE) return groups.includes(group)
    this.#groups ??= new Set(groups)
    return this.#groups.has(group)
  }

  ancestors(): readonly EntityUid[] {
    const { groups, roles = [], zone = '' } = this.#input
    const found = zone === '' ? [] : [new EntityUid('Zone', zone)]
    if (this.uid.type === 'Anonymous') return found
    for (const id of groups) found.push(new EntityUid('Group', id))
    for (const id of roles) found.push(new EntityUid('Role', id))
    return found
  }
}

/** The object a call is about, or the operation itself. */
class Resource implements Entity {
  readonly uid: EntityUid
  readonly #input: ResourceInput
  readonly #api: KnownApi
  #params: CedarRecord | undefined

  constructor(uid: EntityUid, input: ResourceInput, api: KnownApi) {
    this.uid = uid
    this.#input = input
    this.#api = api
  }

  attribute(name: string): Value | undefined {
    const { objectType, params, owner, tenant, unknown } = this.#input
    switch (name) {
      case 'type':
        return objectType
      case 'params':
        this.#params ??= new Params(params)
        return this.#params
      case 'owner':
        if (objectType === '') return
        if (unknown.includes('owner')) throw NOT_YET_KNOWN
        return owner === undefined ? undefined : new EntityUid('User', owner)
      case 'tenant':
        if (objectType === '') return
        if (unknown.includes('tenant')) throw NOT_YET_KNOWN
        return tenant
      default:
        return
    }
  }

  tag(): undefined {}

  isIn({ type, id }: EntityUid): boolean {
    if (type === 'Api') return id === this.#input.api
    return type === 'Zone' && id === this.#api.zone
  }

  ancestors(): readonly EntityUid[] {
    return this.#api.ancestors
  }
}

class Device implements Entity {
  readonly uid: EntityUid
  readonly #input: NonNullable<DecisionInput['context']['device']>

  constructor(uid: EntityUid, input: NonNullable<DecisionInput['context']['device']>) {
    this.uid = uid
    this.#input = input
  }

  attribute(name: string): Value | undefined {
    if (name === 'compliant') return this.#input.compliant
    return name === 'managed' ? this.#input.managed : undefined
  }

  tag(): undefined {}

  isIn(): boolean {
    return false
  }

  ancestors(): readonly EntityUid[] {
    return NONE
  }
}
