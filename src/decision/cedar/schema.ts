import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { SallyportError } from '../../model/errors.ts'
import type { OperationPlan } from '../../model/operation.ts'
import { type ApiOperations, actionGroups, actionIds, templateParameters } from './action-names.ts'

export { type ApiOperations, actionGroups, actionIds, templateParameters } from './action-names.ts'

/**
 * The Cedar schema made from contracts and config: what policies are validated against, and what they may name.
 * Names are fixed (design.md, "Policy"), because they live in users' policies and in records for ever.
 */

/** Cedar's JSON schema form, as far as it is made here. */
export type CedarSchema = cedar.SchemaJson<string>

type ActionDefinition = cedar.ActionType<string>
type AttributeType = cedar.TypeOfAttribute<string>

const STRING: AttributeType = { type: 'String' }
const STRINGS: AttributeType = { type: 'Set', element: { type: 'String' } }
const OPTIONAL_STRING: AttributeType = { type: 'String', required: false }
const LONG: AttributeType = { type: 'Long' }
const OPTIONAL_LONG: AttributeType = { type: 'Long', required: false }
const OPTIONAL_BOOLEAN: AttributeType = { type: 'Boolean', required: false }

const CONTEXT: Readonly<Record<string, AttributeType>> = {
  checkpoint: STRING,
  scopes: STRINGS,
  scopesMet: { type: 'Boolean' },
  issuer: STRING,
  audience: STRINGS,
  acr: OPTIONAL_STRING,
  tokenAgeSeconds: LONG,
  method: STRING,
  path: STRING,
  ip: { type: 'Extension', name: 'ipaddr' },
  amr: STRINGS,
  authAgeSeconds: OPTIONAL_LONG,
  networks: STRINGS,
  requestClasses: STRINGS,
  answerClasses: STRINGS,
  time: {
    type: 'Record',
    attributes: {
      now: { type: 'Extension', name: 'datetime' },
      hour: LONG,
      minute: LONG,
      weekday: STRING,
      zone: STRING,
    },
  },
  device: { type: 'Entity', name: 'Device', required: false },
  geo: { type: 'Record', attributes: { country: STRING, asn: OPTIONAL_LONG }, required: false },
  risk: OPTIONAL_LONG,
  rates: { type: 'Record', attributes: { callerPerMinute: LONG }, required: false },
  message: { type: 'Record', attributes: { kind: STRING, bytes: LONG }, required: false },
}

const IDENTIFIED = ['User', 'Client', 'Workload'] as const

/**
 * Anonymous callers apply where the gate may let one through: no token is needed, or the scheme is one it cannot
 * read (`credential: pass`). They have no attributes, so `principal.tenant` asks for `principal is User` first.
 */
function principalTypes(plan: OperationPlan): string[] {
  const anonymous =
    plan.security.need !== 'required' ||
    plan.security.alternatives.some(({ schemes }) => schemes.some(({ kind }) => kind === 'unsupported'))
  return anonymous ? [...IDENTIFIED, 'Anonymous'] : [...IDENTIFIED]
}

function ownerNote(plan: OperationPlan): string | null {
  if (plan.object?.owner === undefined && plan.object?.tenant === undefined) return null
  switch (plan.object.ownerKnownAt) {
    case 'response':
      return 'resource.owner and resource.tenant are known at the response checkpoint'
    case 'head':
      return 'resource.owner and resource.tenant are known at the head, by the request'
    case 'body':
      return 'resource.owner and resource.tenant are known at the body checkpoint, after the look-up'
    case 'never':
      return 'resource.owner and resource.tenant are never known: declare a lookup for the object'
  }
}

function actionDefinition(plan: OperationPlan): ActionDefinition {
  const note = ownerNote(plan)
  return {
    memberOf: actionGroups(plan).map((id) => ({ id })),
    appliesTo: {
      principalTypes: principalTypes(plan),
      resourceTypes: [plan.object === undefined ? 'Operation' : 'Object'],
      context: { type: 'Call' },
    },
    ...(note === null ? {} : { annotations: { doc: note } }),
  }
}

/**
 * The schema of one API. Records need declared attributes, so `params` is the union of the API's path parameters,
 * each optional. `owner` is a User: what a field names is a person's id; comparing it with a Client is never true.
 * @param mentioned Known actions, of other APIs too, that policies may name here without being called.
 * @param only Operations that can be called; left out: all of the API.
 */
export function apiSchema(
  api: ApiOperations,
  mentioned: Iterable<string> = [],
  only?: ReadonlySet<string>,
): CedarSchema {
  const names = new Set(api.operations.flatMap((plan) => templateParameters(plan.template)))
  const params: AttributeType = {
    type: 'Record',
    attributes: Object.fromEntries([...names].sort().map((name) => [name, OPTIONAL_STRING])),
  }
  const caller: cedar.EntityType<string> = {
    memberOfTypes: ['Group', 'Role', 'Zone'],
    shape: { type: 'Record', attributes: { client: STRING, tenant: STRING } },
  }
  const actions = new Map<string, ActionDefinition>()
  const callable = only === undefined ? api.operations : api.operations.filter(({ key }) => only.has(key))
  for (const id of mentioned) actions.set(id, {})
  for (const id of actionIds({ api: api.api, operations: callable })) actions.set(id, {})
  for (const plan of callable) actions.set(plan.key, actionDefinition(plan))
  return {
    '': {
      commonTypes: { Call: { type: 'Record', attributes: { ...CONTEXT } } },
      entityTypes: {
        User: caller,
        Client: caller,
        Workload: caller,
        // Whoever it is, the network it calls from is known.
        Anonymous: { memberOfTypes: ['Zone'] },
        Group: {},
        Role: {},
        Zone: {},
        Device: {
          shape: {
            type: 'Record',
            attributes: { compliant: OPTIONAL_BOOLEAN, managed: OPTIONAL_BOOLEAN },
          },
        },
        Api: { memberOfTypes: ['Zone'] },
        Operation: {
          memberOfTypes: ['Api'],
          shape: { type: 'Record', attributes: { type: STRING, params } },
        },
        Object: {
          memberOfTypes: ['Api'],
          shape: {
            type: 'Record',
            attributes: {
              type: STRING,
              params,
              owner: { type: 'Entity', name: 'User', required: false },
              tenant: OPTIONAL_STRING,
            },
          },
        },
      },
      actions: Object.fromEntries(actions),
    },
  }
}

/** The API's schema in Cedar's readable form, for people and their editors. */
export function schemaText(api: ApiOperations): string {
  const answer = cedar.schemaToText(apiSchema(api))
  if (answer.type === 'failure') {
    throw new SallyportError('policy-invalid', `no schema can be made for ${api.api}`, {
      api: api.api,
      errors: answer.errors.map(({ message }) => message),
    })
  }
  return answer.text
}
