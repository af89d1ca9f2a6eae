import type * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { resourceName } from '../src/decision/cedar/request.ts'
import type { DecisionInput } from '../src/model/decision.ts'

type Json = cedar.CedarValueJson
type Attributes = Record<string, Json>

/** A decision's input as cedar-wasm takes it: what the compiled engine is compared with. */
export interface WasmInput {
  readonly principal: cedar.TypeAndId
  readonly action: cedar.TypeAndId
  readonly resource: cedar.TypeAndId
  readonly context: Attributes
  readonly entities: cedar.EntityJson[]
}

/** `groups` are those of the action, `zone` that of the API. */
export function wasmInput(input: DecisionInput, groups: readonly string[], zone?: string): WasmInput {
  const principal = { type: input.principal.type, id: input.principal.id }
  const action = { type: 'Action', id: input.action }
  const resource = resourceName(input.resource, input.action)
  return {
    principal,
    action,
    resource,
    context: contextOf(input),
    entities: [
      principalEntity(input, principal),
      { uid: action, attrs: {}, parents: groups.map((id) => ({ type: 'Action', id })) },
      {
        uid: resource,
        attrs: resourceAttributes(input),
        parents: [{ type: 'Api', id: input.resource.api }, ...named('Zone', zone)],
      },
      ...deviceEntities(input),
    ],
  }
}

function principalEntity({ principal }: DecisionInput, uid: cedar.TypeAndId): cedar.EntityJson {
  const { type, client, tenant, groups, roles = [], zone } = principal
  if (type === 'Anonymous') return { uid, attrs: {}, parents: named('Zone', zone) }
  return {
    uid,
    attrs: { client, tenant },
    parents: [
      ...groups.map((id) => ({ type: 'Group', id })),
      ...roles.map((id) => ({ type: 'Role', id })),
      ...named('Zone', zone),
    ],
  }
}

function named(type: string, id: string | undefined): cedar.TypeAndId[] {
  return id === undefined || id === '' ? [] : [{ type, id }]
}

function resourceAttributes({ resource }: DecisionInput): Attributes {
  const { objectType, params, owner, tenant } = resource
  if (objectType === '') return { type: '', params: { ...params } }
  return {
    type: objectType,
    params: { ...params },
    ...(owner === undefined ? {} : { owner: { __entity: { type: 'User', id: owner } } }),
    ...(tenant === undefined ? {} : { tenant }),
  }
}

function contextOf({ checkpoint, context }: DecisionInput): Attributes {
  const { ip, tokenAgeSeconds, authAgeSeconds, time, device, geo, rates, ...plain } = context
  return {
    ...present(plain),
    checkpoint,
    tokenAgeSeconds: Math.floor(tokenAgeSeconds),
    ip: { __extn: { fn: 'ip', arg: ip } },
    ...(authAgeSeconds === undefined ? {} : { authAgeSeconds: Math.floor(authAgeSeconds) }),
    ...(time === undefined ? {} : { time: timeOf(time) }),
    ...(device === undefined ? {} : { device: { __entity: { type: 'Device', id: device.id } } }),
    ...(geo === undefined ? {} : { geo: present(geo) }),
    ...(rates === undefined ? {} : { rates: { callerPerMinute: Math.floor(rates.callerPerMinute) } }),
  }
}

function timeOf({ epochMs, ...rest }: NonNullable<DecisionInput['context']['time']>): Attributes {
  return { ...rest, now: { __extn: { fn: 'datetime', arg: new Date(Math.floor(epochMs)).toISOString() } } }
}

function present(record: object): Attributes {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}

function deviceEntities({ context: { device } }: DecisionInput): cedar.EntityJson[] {
  if (device === undefined) return []
  const { id, ...attrs } = device
  return [{ uid: { type: 'Device', id }, attrs: present(attrs), parents: [] }]
}
