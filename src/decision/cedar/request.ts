import type { CedarValueJson, EntityJson, StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs'
import type { DecisionInput, ResourceInput } from '../../model/decision.ts'

/** The decision's input as cedar-wasm's request: principal, its groups, action with its groups, resource. */
export type CedarRequest = Omit<StatefulAuthorizationCall, 'preparsedPolicySetId'>

/**
 * What an API's policies read, worked out once: what crosses into cedar-wasm is turned into its values at every call,
 * and costs more there than the evaluation itself. Paths as `PolicyPlan.reads` names them.
 */
export interface Wanted {
  readonly context: ReadonlySet<string>
  readonly principal: boolean
  readonly params: boolean
}

const CONTEXT = [
  'checkpoint',
  'scopes',
  'scopesMet',
  'issuer',
  'audience',
  'tokenAgeSeconds',
  'method',
  'path',
  'ip',
  'acr',
]

export function wantedBy(reads: Iterable<string>): Wanted {
  const paths = new Set(reads)
  const all = (root: string): boolean => paths.has(root)
  return {
    context: new Set(CONTEXT.filter((name) => all('context') || paths.has(`context.${name}`))),
    principal: all('principal') || paths.has('principal.client') || paths.has('principal.tenant'),
    params:
      all('resource') ||
      [...paths].some((path) => path === 'resource.params' || path.startsWith('resource.params.')),
  }
}

export function toRequest(input: DecisionInput, groups: readonly string[], wanted: Wanted): CedarRequest {
  const principal = { type: input.principal.type, id: input.principal.id }
  const action = { type: 'Action', id: input.action }
  const resource = resourceName(input.resource, input.action)
  return {
    principal,
    action,
    resource,
    context: contextValue(input, wanted.context),
    entities: [
      principalEntity(input, principal, wanted),
      { uid: action, attrs: {}, parents: groups.map((id) => ({ type: 'Action', id })) },
      resourceEntity(input.resource, resource, wanted),
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

function principalEntity(input: DecisionInput, uid: EntityJson['uid'], wanted: Wanted): EntityJson {
  const { type, client, tenant, groups } = input.principal
  if (type === 'Anonymous') return { uid, attrs: {}, parents: [] }
  return {
    uid,
    attrs: wanted.principal ? { client, tenant } : {},
    parents: groups.map((id) => ({ type: 'Group', id })),
  }
}

function resourceEntity(resource: ResourceInput, uid: EntityJson['uid'], wanted: Wanted): EntityJson {
  const attrs: Record<string, CedarValueJson> = { type: resource.objectType }
  if (wanted.params) attrs['params'] = { ...resource.params }
  if (resource.objectType !== '') {
    if (resource.owner !== undefined) attrs['owner'] = { __entity: { type: 'User', id: resource.owner } }
    if (resource.tenant !== undefined) attrs['tenant'] = resource.tenant
  }
  return { uid, attrs, parents: [{ type: 'Api', id: resource.api }] }
}

function contextValue(
  { checkpoint, context }: DecisionInput,
  wanted: Wanted['context'],
): Record<string, CedarValueJson> {
  const value: Record<string, CedarValueJson> = {}
  if (wanted.has('checkpoint')) value['checkpoint'] = checkpoint
  if (wanted.has('scopes')) value['scopes'] = [...context.scopes]
  if (wanted.has('scopesMet')) value['scopesMet'] = context.scopesMet
  if (wanted.has('issuer')) value['issuer'] = context.issuer
  if (wanted.has('audience')) value['audience'] = [...context.audience]
  if (wanted.has('tokenAgeSeconds')) value['tokenAgeSeconds'] = Math.floor(context.tokenAgeSeconds)
  if (wanted.has('method')) value['method'] = context.method
  if (wanted.has('path')) value['path'] = context.path
  if (wanted.has('ip')) value['ip'] = { __extn: { fn: 'ip', arg: context.ip } }
  if (wanted.has('acr') && context.acr !== undefined) value['acr'] = context.acr
  return value
}
