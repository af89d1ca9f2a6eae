import type { Decision } from '../model/decision.ts'
import type { Reason, ReasonCode } from '../model/reason.ts'
import { opposes, REASONS } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import { principalId } from '../model/subject.ts'

export interface CallContext {
  /** Config name of the API; empty where none was found. */
  readonly api: string
  /** `shop.getOrder`; empty where none was found. */
  readonly operation: string
  readonly subject: Subject | null
  /** The operation's path template; empty where none was found. */
  readonly template: string
  /** The concrete path of the call; absent where it is not known. */
  readonly path?: string
  /** The configured issuers, to tell an unknown one from a mistyped one. */
  readonly issuers?: readonly { readonly name: string; readonly iss: string }[]
  /** False: the API accepts no issuer, so no token would help. */
  readonly identity?: boolean
}

type Hint = (reason: Reason, context: CallContext, decision: Decision) => string

/**
 * One line naming the smallest change that would allow a denied call; empty for an allowed one. It speaks to the
 * person who may change it, in the names of config, contract and policies. Evidence can hold what a caller chose,
 * so nothing unprintable passes into the line.
 */
export function smallestChange(decision: Decision, context: CallContext): string {
  const decisive = decision.reasons.find(({ code }) => opposes(code))
  if (decisive === undefined || decision.effect !== 'deny') return ''
  const hint = HINTS[decisive.code]
  return printable(hint === undefined ? withPlace(decisive) : hint(decisive, context, decision))
}

/** The reason's remedy, and what it speaks of. */
function withPlace(reason: Reason): string {
  const { remedy, title } = REASONS[reason.code]
  const base = remedy === '' ? title : remedy
  return reason.forCaller === undefined ? base : `${base.replace(/\.$/, '')}: ${reason.forCaller}.`
}

const HINTS: Partial<Record<ReasonCode, Hint>> = {
  'token-missing': (reason, context) =>
    context.identity === false && context.api !== ''
      ? `Add identity: to apis.${context.api}, with accept and audience: without it no token is read.`
      : withPlace(reason),
  'insufficient-scope': (reason, context, { reasons }) => {
    const scopes = texts(reason, 'scopes')
    const which = scopes.length === 1 ? `scope ${scopes[0]}` : `scopes ${scopes.join(', ')}`
    const add = `Add ${which} to ${caller(context)}’s token`
    // A permit may ask for the scopes itself, so whether one is still missing then is not known here.
    return reasons.some(({ code }) => code === 'policy-missing')
      ? `${add}; if no policy permits the call then either, add ${permit(context)}`
      : `${add}.`
  },
  'policy-missing': (reason, context) => {
    const failed = texts(reason, 'failed')
    if (failed.length > 0)
      return `Correct ${list(failed)}, which failed to evaluate; or add ${permit(context)}`
    return reason.evidence['attribute'] === 'tenant'
      ? orThisObject('Call as a member of the object’s tenant', context)
      : `Add ${permit(context)}`
  },
  'owner-differs': (_, context) => orThisObject('Call as the owner', context),
  'owner-unknowable': (reason, context) => {
    const policies = texts(reason, 'policies')
    const object = context.api === '' ? 'the object' : `the object under apis.${context.api}.objects`
    const readers =
      policies.length === 0 ? '' : `, which ${list(policies)} ask${policies.length > 1 ? '' : 's'} for`
    return `Declare a lookup for ${object} that states the ${text(reason, 'attribute') || 'owner'}${readers}.`
  },
  'policy-forbids': (reason) => {
    const policies = texts(reason, 'policies')
    return `Change ${list(policies)}, which forbid${policies.length > 1 ? '' : 's'} the call.`
  },
  'policy-failed': (reason) => {
    const policies = texts(reason, 'policies')
    return policies.length === 0
      ? 'Look up the exchange id in the gate’s log: the policies could not be evaluated.'
      : `Correct ${list(policies)}, which failed to evaluate.`
  },
  'field-undeclared': (reason) =>
    reason.forCaller === undefined
      ? withPlace(reason)
      : `Remove field ${reason.forCaller}, or declare it in the contract.`,
  'parameter-undeclared': (reason) =>
    reason.forCaller === undefined
      ? withPlace(reason)
      : `Leave out query parameter ${reason.forCaller}, or declare it in the contract.`,
  'parameter-missing': (reason) =>
    reason.forCaller === undefined ? withPlace(reason) : `Send parameter ${reason.forCaller}.`,
  'issuer-unknown': (reason, { issuers = [] }) => {
    const iss = text(reason, 'iss')
    if (iss === '') return withPlace(reason)
    const near = issuers.find((issuer) => sameButForm(issuer.iss, iss))
    return near !== undefined
      ? `Correct identity.issuers.${near.name}.issuer, or what the issuer sends: the token’s ${iss} differs from ${near.name}’s ${near.iss} only by ${difference(near.iss, iss)}.`
      : `Add an issuer with issuer: ${iss} under identity.issuers.`
  },
  'issuer-refused': (reason, context) => {
    const issuer = text(reason, 'issuer')
    return issuer === '' || context.api === ''
      ? withPlace(reason)
      : `Add ${issuer} to apis.${context.api}.identity.accept.`
  },
  'audience-mismatch': (reason, context) => {
    const audience = texts(reason, 'audience')
    const has = audience.length === 0 ? '' : `; this one is for ${audience.join(', ')}`
    return `Ask the issuer for a token for ${context.api || 'this API'}’s audience${has}.`
  },
  'algorithm-refused': (reason) => {
    const [alg, issuer] = [text(reason, 'alg'), text(reason, 'issuer')]
    return alg === '' || issuer === ''
      ? withPlace(reason)
      : `Sign with an allowed algorithm, or add ${alg} to identity.issuers.${issuer}.algorithms.`
  },
  'token-type-refused': (reason) => {
    const [typ, issuer] = [text(reason, 'typ'), text(reason, 'issuer')]
    return typ === '' || issuer === ''
      ? withPlace(reason)
      : `Have ${issuer} send at+jwt, or add ${typ} to identity.issuers.${issuer}.types.`
  },
  'token-expired': (reason) => {
    const ago = reason.evidence['secondsAgo']
    return typeof ago === 'number' ? `Get a new token: this one expired ${ago} s ago.` : withPlace(reason)
  },
  'token-too-old': (reason, context) => {
    const age = reason.evidence['ageSeconds']
    return typeof age === 'number'
      ? `Get a new token, or raise ${config(context, 'identity.maxTokenAge')}: this one is ${age} s old.`
      : withPlace(reason)
  },
  'claim-invalid': (reason) => {
    const claim = text(reason, 'claim')
    return claim === '' ? withPlace(reason) : `Have the issuer send claim ${claim} as RFC 9068 §2.2 requires.`
  },
  'scheme-unsupported': (_, context) =>
    `Declare a bearer scheme for ${operation(context)}, or set ${config(context, 'credential')}: pass.`,
  'method-not-allowed': (reason) => {
    const allow = texts(reason, 'allow')
    return allow.length === 0
      ? withPlace(reason)
      : `Call with ${allow.join(' or ')}, or declare the method in the contract.`
  },
  'body-too-large': (reason, context) =>
    limit(reason, 'Send a smaller body', config(context, 'maxRequestBytes')),
  'response-too-large': (reason, context) =>
    limit(reason, 'Have the upstream answer less', config(context, 'maxAnswerBytes')),
  'response-undeclared': (reason, context) => {
    const { status, rule } = reason.evidence
    if (typeof status !== 'number') return withPlace(reason)
    const answer = `answer ${status} of ${operation(context)}`
    const type = text(reason, 'mediaType')
    if (rule === 'media type')
      return `Declare media type ${type === '' ? 'of the content' : type} for ${answer} in the contract.`
    return rule === undefined || rule === 'response-undeclared'
      ? `Declare ${answer} in the contract.`
      : withPlace(reason)
  },
  'lateral-movement': (reason, context) => {
    const [from, to, by] = [text(reason, 'from'), text(reason, 'to'), text(reason, 'by')]
    if (by === 'elsewhere')
      return 'Call from the networks of the caller’s zone: its identity belongs to one that names networks.'
    if (from === '')
      return 'Put the caller into a zone by its workload, client or network, and add a flow from it.'
    const only = context.operation === '' ? '' : `, operations: [${JSON.stringify(context.operation)}]`
    return `Add the flow { from: ${from}, to: ${to}${only} }.`
  },
  'object-absent': () => 'Name an object that exists.',
}

/** Two spellings that people take for one issuer; a token's `iss` is compared exactly (RFC 7519 §4.1.1). */
function sameButForm(left: string, right: string): boolean {
  const plain = (iss: string): string =>
    iss
      .toLowerCase()
      .replace(/^http:/, 'https:')
      .replace(/\/$/, '')
  return left !== right && plain(left) === plain(right)
}

function difference(left: string, right: string): string {
  const parts = [
    left.endsWith('/') === right.endsWith('/') ? '' : 'a trailing slash',
    /^https:/i.test(left) === /^https:/i.test(right) ? '' : 'its scheme',
  ].filter((part) => part !== '')
  return parts.length === 0 ? 'case' : parts.join(' and ')
}

/** Never a permit for everyone's objects: it names the object of the call, or is left out. */
function orThisObject(instead: string, context: CallContext): string {
  const params = paramsOf(context)
  if (params.length === 0) return `${instead}.`
  // Every parameter is optional in the schema, which joins those of all the API's paths.
  const when = params
    .map(([name, value]) => `resource.params has ${name} && resource.params.${name} == ${quoted(value)}`)
    .join(' && ')
  return `${instead}, or add ${permit(context, ` when { ${when} }`)}`
}

/** Words of Cedar's grammar that cannot stand after a dot. */
const RESERVED = new Set(['true', 'false', 'if', 'then', 'else', 'in', 'is', 'like', 'has', '__cedar'])

/** Path parameters that are whole segments, as policies see them; empty where one is not, or the path is another. */
function paramsOf({ template, path = '' }: CallContext): readonly (readonly [string, string])[] {
  const parts = path.split('/')
  const names = template.split('/')
  if (names.length !== parts.length) return []
  const found: (readonly [string, string])[] = []
  for (const [index, name] of names.entries()) {
    const value = parts[index] ?? ''
    const parameter = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(name)?.[1]
    if (parameter === undefined || RESERVED.has(parameter)) {
      if (name.includes('{') || name !== value) return []
      continue
    }
    try {
      found.push([parameter, decodeURIComponent(value)])
    } catch {
      return []
    }
  }
  return found
}

/** What stands before the name of an application's own domain where a record has the API. */
const DOMAIN = 'authzen:'

const TYPES = { user: 'User', client: 'Client', workload: 'Workload' } as const

/** The permit that allows this caller this operation and nothing else. */
function permit({ api, subject, operation }: CallContext, when = ''): string {
  // Another schema, whose types for caller and thing no record holds.
  if (api.startsWith(DOMAIN))
    return `a permit for action ${operation} to the policies of the domain ${api.slice(DOMAIN.length)}.`
  const scope =
    subject === null || subject.kind === 'anonymous'
      ? 'principal is Anonymous'
      : `principal == ${TYPES[subject.kind]}::${quoted(principalId(subject))}`
  return `permit(${scope}, action == Action::${quoted(operation)}, resource)${when};`
}

/** Cedar's string escapes are those of JSON for quotes and backslashes; control characters never stay in. */
function quoted(value: string): string {
  return JSON.stringify(value)
}

function caller({ subject }: CallContext): string {
  return subject === null || subject.kind === 'anonymous' ? 'the caller' : subject.id
}

function operation(context: CallContext): string {
  return context.operation || context.template || 'the operation'
}

function config({ api }: CallContext, key: string): string {
  return api === '' ? `the API’s ${key}` : `apis.${api}.${key}`
}

function limit(reason: Reason, instead: string, key: string): string {
  const bytes = reason.evidence['limit']
  return typeof bytes === 'number'
    ? `${instead}, or raise ${key} above ${bytes}.`
    : `${instead}, or raise ${key}.`
}

function text(reason: Reason, key: string): string {
  const value = reason.evidence[key]
  return typeof value === 'string' ? value : ''
}

function texts(reason: Reason, key: string): readonly string[] {
  const value = reason.evidence[key]
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.map(String) : []
}

function list(policies: readonly string[]): string {
  if (policies.length === 0) return 'the policy named in the record'
  return policies.length === 1 ? `policy ${policies[0]}` : `policies ${policies.join(', ')}`
}

const MAX_LINE = 400

function printable(line: string): string {
  const clean = line.replace(/\p{C}|\p{Zl}|\p{Zp}/gu, '·')
  return clean.length <= MAX_LINE ? clean : `${clean.slice(0, MAX_LINE - 1)}…`
}
