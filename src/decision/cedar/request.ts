import type { CedarValueJson, EntityJson, StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs'
import type { DecisionInput, ResourceInput } from '../../model/decision.ts'

/** The decision's input as cedar-wasm's request: principal, its groups, action with its groups, resource. */
export type CedarRequest = Omit<StatefulAuthorizationCall, 'preparsedPolicySetId'>

export function toRequest(input: DecisionInput, groups: readonly string[]): CedarRequest {
  const principal = { type: input.principal.type, id: input.principal.id }
  const action = { type: 'Action', id: input.action }
  const resource = resourceName(input.resource, input.action)
  return {
    principal,
    action,
    resource,
    context: contextValue(input),
    entities: [
      principalEntity(input, principal),
      { uid: action, attrs: {}, parents: groups.map((id) => ({ type: 'Action', id })) },
      resourceEntity(input.resource, resource),
    ],
  }
}

/** `Object::"shop/order/o-17"` for what an object rule covers, else `Operation::"shop.listOrders"`. */
export function resourceName(
  resource: ResourceInput,
  action: string,
): { readonly type: string; readonly id: string } {
  if (resource.objectType === '') return { type: 'Operation', id: action }
  // `/` separates parts, so that two parameters never read as one with a slash in it.
  const values = Object.values(resource.params).map((value) =>
    value.includes('/') || value.includes('%') ? value.replaceAll('%', '%25').replaceAll('/', '%2F') : value,
  )
  return { type: 'Object', id: [resource.api, resource.objectType, ...values].join('/') }
}

function principalEntity(input: DecisionInput, uid: EntityJson['uid']): EntityJson {
  const { type, client, tenant, groups } = input.principal
  if (type === 'Anonymous') return { uid, attrs: {}, parents: [] }
  return { uid, attrs: { client, tenant }, parents: groups.map((id) => ({ type: 'Group', id })) }
}

function resourceEntity(resource: ResourceInput, uid: EntityJson['uid']): EntityJson {
  const attrs: Record<string, CedarValueJson> = { type: resource.objectType, params: { ...resource.params } }
  if (resource.objectType !== '') {
    if (resource.owner !== undefined) attrs['owner'] = { __entity: { type: 'User', id: resource.owner } }
    if (resource.tenant !== undefined) attrs['tenant'] = resource.tenant
  }
  return { uid, attrs, parents: [{ type: 'Api', id: resource.api }] }
}

function contextValue(input: DecisionInput): Record<string, CedarValueJson> {
  const { context } = input
  const value: Record<string, CedarValueJson> = {
    checkpoint: input.checkpoint,
    scopes: [...context.scopes],
    scopesMet: context.scopesMet,
    issuer: context.issuer,
    audience: [...context.audience],
    tokenAgeSeconds: Math.floor(context.tokenAgeSeconds),
    method: context.method,
    path: context.path,
    ip: { __extn: { fn: 'ip', arg: context.ip } },
  }
  if (context.acr !== undefined) value['acr'] = context.acr
  return value
}
