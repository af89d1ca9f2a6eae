import { templateParameters } from '../../decision/cedar/action-names.ts'
import type { BundleHead } from '../../model/bundle.ts'
import type { ContextInput, DecisionInput } from '../../model/decision.ts'
import type { Caller, Instant } from '../../model/exchange.ts'
import type { OperationPlan } from '../../model/operation.ts'
import { ANONYMOUS, type Subject } from '../../model/subject.ts'
import type { Properties, Question } from '../../syntax/authzen.ts'
import { withObject } from '../decision-input.ts'
import { callerAt, UNKNOWN_CALLER } from '../entrances/asked.ts'

/** A question about an operation of the gate's own APIs, read as the call it stands for. */
export interface StatedCall {
  readonly subject: Subject
  readonly caller: Caller
  readonly params: Readonly<Record<string, string>>
  /** Below the API's base path, as far as parameters are stated. */
  readonly path: string
  /** When the call is made; the question's own moment unless `context.time` says. */
  readonly at: Instant
  /** The policies' input with what only the question states: owner, tenant, geo, risk. */
  complete(input: DecisionInput): DecisionInput
}

const KINDS: Readonly<Record<string, Subject['kind']>> = {
  user: 'user',
  client: 'client',
  workload: 'workload',
  anonymous: 'anonymous',
}
const MAX_LISTED = 1_000

class Mistyped extends Error {}

/** A string names what is not as it has to be. */
export function readStatedCall(
  question: Question,
  plan: OperationPlan,
  head: BundleHead,
  now: Instant,
): StatedCall | string {
  try {
    return read(question, plan, head, now)
  } catch (error) {
    if (error instanceof Mistyped) return error.message
    throw error
  }
}

function read(
  { subject, resource, context }: Question,
  plan: OperationPlan,
  head: BundleHead,
  now: Instant,
): StatedCall {
  const wanted = plan.object?.type ?? 'operation'
  if (resource.type !== wanted && !(wanted === 'operation' && resource.type === 'Operation'))
    throw new Mistyped(`resource.type: the operation is about "${wanted}"`)
  if (wanted === 'operation' && resource.id !== plan.key && resource.id !== plan.operationId)
    throw new Mistyped('resource.id: the operation itself is the resource')
  const params = paramsOf(resource.properties, plan, resource.id)
  const owner = text(resource.properties, 'owner', 'resource')
  const tenant = text(resource.properties, 'tenant', 'resource')
  const ip = text(context, 'ip', 'context')
  const caller = ip === undefined ? UNKNOWN_CALLER : callerAt(ip)
  if (caller === null) throw new Mistyped('context.ip')
  const stated = statedContext(context)
  const object = { ...(owner === undefined ? {} : { owner }), ...(tenant === undefined ? {} : { tenant }) }
  return {
    subject: subjectOf(subject, head),
    caller,
    params,
    path: plan.template.replace(/\{([^{}]+)\}/g, (_, name: string) =>
      encodeURIComponent(params[name] ?? '-'),
    ),
    at: { ...now, wallMs: timeOf(context) ?? now.wallMs },
    complete: (input) => {
      const known = plan.object === undefined ? input : withObject(input, 'head', object)
      return { ...known, context: { ...known.context, ...stated } }
    },
  }
}

/** Path parameters as stated; the object's id is the last one, where nothing else is said of it. */
function paramsOf(
  properties: Properties,
  { template, object }: OperationPlan,
  id: string,
): Readonly<Record<string, string>> {
  const stated = properties['params'] ?? {}
  if (typeof stated !== 'object' || stated === null || Array.isArray(stated))
    throw new Mistyped('resource.properties.params')
  const names = templateParameters(template)
  const params: Record<string, string> = {}
  for (const name of names) {
    const value = (stated as Properties)[name]
    if (typeof value === 'string') params[name] = value
    else if (value !== undefined) throw new Mistyped(`resource.properties.params.${name}`)
  }
  const last = names.at(-1)
  if (object !== undefined && last !== undefined && params[last] === undefined) params[last] = id
  return params
}

function subjectOf({ type, id, properties }: Question['subject'], head: BundleHead): Subject {
  const kind = KINDS[type.toLowerCase()]
  if (kind === undefined) throw new Mistyped('subject.type: one of User, Client, Workload, Anonymous')
  if (kind === 'anonymous') return ANONYMOUS
  const slash = id.indexOf('/')
  const issuer = head.issuers.find(({ name }) => name === id.slice(0, slash))
  if (issuer === undefined || slash === id.length - 1)
    throw new Mistyped('subject.id: <issuer>/<sub> with an issuer of the gate')
  const own = id.slice(slash + 1)
  const device = deviceOf(properties)
  const amr = texts(properties, 'amr')
  const acr = text(properties, 'acr', 'subject')
  const authTime = seconds(properties, 'auth_time')
  return {
    kind,
    issuer: issuer.name,
    iss: issuer.iss,
    id: own,
    client: text(properties, 'client', 'subject') ?? (kind === 'client' ? own : ''),
    groups: texts(properties, 'groups') ?? [],
    roles: texts(properties, 'roles') ?? [],
    scopes: texts(properties, 'scopes') ?? [],
    audience: texts(properties, 'audience') ?? [],
    ...(acr === undefined ? {} : { acr }),
    ...(amr === undefined ? {} : { amr }),
    ...(authTime === undefined ? {} : { authTime }),
    ...(device === undefined ? {} : { device }),
    // A token whose age nobody states counts as older than any bound.
    issuedAt: seconds(properties, 'iat') ?? 1,
    expiresAt: 0,
    tokenDigest: '',
    tenant: text(properties, 'tenant', 'subject') ?? 'default',
    environment: head.environment,
  }
}

function deviceOf(properties: Properties): Subject['device'] {
  const stated = properties['device']
  if (stated === undefined) return undefined
  if (typeof stated !== 'object' || stated === null || Array.isArray(stated))
    throw new Mistyped('subject.properties.device')
  const { id, compliant, managed } = stated as Properties
  if (typeof id !== 'string') throw new Mistyped('subject.properties.device.id')
  return { id, ...flag('compliant', compliant), ...flag('managed', managed) }
}

function flag(name: 'compliant' | 'managed', value: unknown): { readonly [key: string]: boolean } {
  if (value === undefined) return {}
  if (typeof value !== 'boolean') throw new Mistyped(`subject.properties.device.${name}`)
  return { [name]: value }
}

function statedContext(context: Properties): Partial<ContextInput> {
  const { geo, risk } = context
  if (risk !== undefined && !isWithin(risk, 100)) throw new Mistyped('context.risk: 0 to 100')
  return {
    ...(geo === undefined ? {} : { geo: geoOf(geo) }),
    ...(isWithin(risk, 100) ? { risk } : {}),
  }
}

function geoOf(geo: unknown): NonNullable<ContextInput['geo']> {
  if (typeof geo !== 'object' || geo === null) throw new Mistyped('context.geo')
  const { country, asn } = geo as Properties
  if (typeof country !== 'string') throw new Mistyped('context.geo.country')
  if (asn !== undefined && !isWithin(asn, 0xffff_ffff)) throw new Mistyped('context.geo.asn')
  return { country, ...(isWithin(asn, 0xffff_ffff) ? { asn } : {}) }
}

function isWithin(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most
}

/** RFC 3339, or without seconds as the standard's own examples have it. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/

function timeOf(context: Properties): number | undefined {
  const time = text(context, 'time', 'context')
  if (time === undefined) return undefined
  const wallMs = TIME.test(time) ? Date.parse(time) : Number.NaN
  if (Number.isNaN(wallMs)) throw new Mistyped('context.time: RFC 3339')
  return wallMs
}

function text(properties: Properties, name: string, of: string): string | undefined {
  const value = properties[name]
  if (value === undefined || typeof value === 'string') return value
  throw new Mistyped(`${of}.${name}`)
}

function texts(properties: Properties, name: string): readonly string[] | undefined {
  const value = properties[name]
  if (value === undefined) return undefined
  const listed = Array.isArray(value) && value.length <= MAX_LISTED
  if (listed && value.every((each) => typeof each === 'string')) return value
  throw new Mistyped(`subject.properties.${name}`)
}

function seconds(properties: Properties, name: string): number | undefined {
  const value = properties[name]
  if (value === undefined || isWithin(value, Number.MAX_SAFE_INTEGER)) return value
  throw new Mistyped(`subject.properties.${name}`)
}
