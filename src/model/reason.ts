import { GRAPHQL_REASONS } from './graphql-reasons.ts'
import { IDENTITY_REASONS } from './identity-reasons.ts'
import { QUESTION_REASONS } from './question-reasons.ts'
import { RESPONSE_REASONS } from './response-reasons.ts'

/**
 * The closed list of reasons: every decision, allow or deny, names at least one. Callers see `code` of a refusal
 * as problem type and at most `forCaller`; `evidence` goes to the record only and never holds a credential or a
 * value of a body.
 */
export interface Reason {
  readonly code: ReasonCode
  /** The stage that states it. */
  readonly source: ReasonSource
  readonly evidence: Readonly<Record<string, string | number | boolean | readonly string[]>>
  /** Safe for the caller: a JSON pointer, a parameter name, a rule; never a value. */
  readonly forCaller?: string
}

export type ReasonSource =
  | 'hygiene'
  | 'route'
  | 'identity'
  | 'contract'
  | 'object'
  | 'policy'
  | 'audit'
  | 'upstream'
  | 'stage'
  | 'zone'
  | 'signal'

interface ReasonEntry {
  /** HTTP status of a refusal with this first reason; 0 for reasons that allow. */
  readonly status: number
  readonly title: string
  /** What would allow the call, for the person who may change it. */
  readonly remedy: string
}

/** Statuses follow RFC 9110 §15, RFC 6750 §3.1 and standards 6.15. */
export const REASONS = {
  // Why yes
  'identity-verified': { status: 0, title: 'The token is valid and its issuer accepted.', remedy: '' },
  'anonymous-allowed': { status: 0, title: 'The operation asks for no token.', remedy: '' },
  'scopes-met': { status: 0, title: 'The token has the scopes the contract asks for.', remedy: '' },
  'policy-permits': { status: 0, title: 'A policy permits the call.', remedy: '' },
  'policy-pending': {
    status: 0,
    title: 'A policy may permit the call once a later checkpoint knows more.',
    remedy: '',
  },
  'list-filtered': {
    status: 0,
    title: 'Each item of the list was judged by itself; the caller got those that policies permit.',
    remedy: '',
  },
  'only-observed': {
    status: 0,
    title: 'What speaks against the call is only observed, and has no effect yet.',
    remedy: '',
  },
  'decision-source-permits': {
    status: 0,
    title: 'A decision source that the API asks permits the call.',
    remedy: '',
  },
  ungoverned: {
    status: 0,
    title: 'The API has no contract or no provider: calls are observed, not judged.',
    remedy: 'Give the API a contract and an issuer.',
  },

  // Hygiene: in every mode
  'request-malformed': {
    status: 400,
    title: 'The request is not well-formed HTTP.',
    remedy: 'Send a request that RFC 9110 and RFC 9112 allow.',
  },
  'host-invalid': {
    status: 400,
    title: 'There must be exactly one valid Host.',
    remedy: 'Send one Host field with a host name.',
  },
  'target-invalid': {
    status: 400,
    title: 'The request target is not in a form the gate forwards.',
    remedy: 'Send a path without dot segments, encoded separators, control characters or fragments.',
  },
  'head-too-large': {
    status: 431,
    title: 'The request’s fields are too many or too large.',
    remedy: 'Send fewer or smaller fields, or raise limits.fieldBytes and limits.fieldCount.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is larger than the API accepts.',
    remedy: 'Send a smaller body, or raise the API’s maxRequestBytes.',
  },
  'body-too-slow': {
    status: 408,
    title: 'The body did not arrive in time.',
    remedy: 'Send the body faster, or raise the API’s timeouts.requestMs.',
  },
  'request-too-slow': {
    status: 408,
    title: 'The request’s head did not arrive in time.',
    remedy: 'Send the request faster.',
  },
  'body-broken-off': {
    status: 400,
    title: 'The body ended before its announced end.',
    remedy: 'Send the whole body.',
  },
  'feature-refused': {
    status: 501,
    title: 'The gate does not carry this feature.',
    remedy: 'Leave out Upgrade, CONNECT, unknown transfer codings or an unknown expectation.',
  },
  'loop-detected': {
    status: 508,
    title: 'The call has come through this gate already.',
    remedy: 'Point the API’s upstream at the service, not at the gate.',
  },

  'proxy-unclear': {
    status: 500,
    title: 'The proxy in front does not say clearly what was asked, or by whom.',
    remedy: 'Have the proxy send the fields the decision point reads, each exactly once.',
  },
  'field-not-strippable': {
    status: 400,
    title: 'The call has a field by which proxies state who calls, and this entrance cannot take it out.',
    remedy: 'Leave the field out, or have the proxy take it out before it asks.',
  },

  // Route
  'host-unknown': {
    status: 404,
    title: 'No API answers on this host.',
    remedy: 'Add the host to an API’s hosts.',
  },
  'route-unknown': {
    status: 404,
    title: 'No operation has this path.',
    remedy: 'Declare the path in the contract.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The path has no operation with this method.',
    remedy: 'Declare the method in the contract.',
  },

  ...IDENTITY_REASONS,
  ...GRAPHQL_REASONS,

  // Contract
  'parameter-missing': {
    status: 400,
    title: 'A required parameter is missing.',
    remedy: 'Send the parameter.',
  },
  'parameter-invalid': {
    status: 400,
    title: 'A parameter does not fit its schema.',
    remedy: 'Send a value the contract allows.',
  },
  'parameter-repeated': {
    status: 400,
    title: 'A parameter that takes one value stands more than once.',
    remedy: 'Send it once.',
  },
  'parameter-undeclared': {
    status: 400,
    title: 'The contract declares no such query parameter.',
    remedy: 'Leave it out, or declare it.',
  },
  'body-missing': { status: 400, title: 'The operation asks for a body.', remedy: 'Send one.' },
  'body-unexpected': { status: 400, title: 'The operation declares no body.', remedy: 'Send none.' },
  'body-malformed': {
    status: 400,
    title: 'The body is not strict JSON.',
    remedy: 'Send RFC 8259 JSON without duplicate names.',
  },
  'body-invalid': {
    status: 400,
    title: 'The body does not fit its schema.',
    remedy: 'Send a body the contract allows.',
  },
  'url-forbidden': {
    status: 400,
    title: 'A URL in the request names a host that the API’s rule does not allow.',
    remedy: 'Send a URL of an allowed public host in its plain form, or set urls for the API.',
  },
  'field-undeclared': {
    status: 400,
    title: 'The contract declares no such field.',
    remedy: 'Leave it out, or declare it in the schema.',
  },
  'field-read-only': {
    status: 400,
    title: 'The contract says that answers alone have this field.',
    remedy: 'Leave it out, or take readOnly from the schema.',
  },
  'request-field-dropped': {
    status: 0,
    title: 'Fields or query parameters that the contract does not declare were taken out of the request.',
    remedy: 'Declare them if they are meant to reach the upstream.',
  },
  'media-type-unsupported': {
    status: 415,
    title: 'The operation does not take this media type.',
    remedy: 'Send a media type the contract declares.',
  },
  'content-encoding-unsupported': {
    status: 415,
    title: 'The gate does not take request bodies in this content coding.',
    remedy:
      'Send the body without Content-Encoding, or in a coding that Accept-Encoding of the answer names.',
  },
  'body-partial': {
    status: 413,
    title: 'The body was not shown to the gate whole and as it is, so it cannot be checked.',
    remedy:
      'Send a smaller body; or have the proxy’s with_request_body raise max_request_bytes and set pack_as_bytes.',
  },
  'body-unseen': {
    status: 403,
    title: 'The operation takes a body, which this entrance does not show to the gate.',
    remedy: 'Have the proxy send bodies, or set bodies: unchecked for the decision point.',
  },
  ...RESPONSE_REASONS,

  // Object and policy
  'object-lookup-failed': {
    status: 403,
    title: 'The owner of the object could not be found out.',
    remedy: 'Check that the look-up operation answers the gate.',
  },
  'object-absent': { status: 404, title: 'There is no such object.', remedy: '' },
  'owner-differs': {
    status: 403,
    title: 'The object belongs to someone else.',
    remedy: 'Call as the owner, or permit it by policy.',
  },
  'policy-forbids': {
    status: 403,
    title: 'A policy forbids the call.',
    remedy: 'Change the policy named in the record.',
  },
  'policy-missing': { status: 403, title: 'No policy permits the call.', remedy: 'Add a permit.' },
  'policy-failed': {
    status: 403,
    title: 'A forbidding policy could not be evaluated, which counts as a deny.',
    remedy: 'Correct the policy named in the record.',
  },
  'field-rule-unapplied': {
    status: 502,
    title: 'Fields of the answer are to be hidden from this caller, and the answer cannot be read to do so.',
    remedy: 'Have the upstream answer JSON within maxAnswerBytes, or narrow the policy or field rule.',
  },
  'owner-unknowable': {
    status: 403,
    title: 'Policies ask for the owner, which nothing states before the call would take effect.',
    remedy: 'Declare a lookup for the object.',
  },

  'list-unreadable': {
    status: 502,
    title: 'The answer holds no list where the object rule says, so its items cannot be judged.',
    remedy: 'Correct the rule’s list.items, or the upstream.',
  },
  'list-too-large': {
    status: 502,
    title: 'The list holds more items, or more kinds of them, than the gate judges one by one.',
    remedy: 'Ask for a smaller page, or permit the list without reading whose each item is.',
  },

  ...QUESTION_REASONS,
  'decision-source-denied': {
    status: 403,
    title: 'A decision source that the API asks denies the call.',
    remedy: 'Permit it there.',
  },
  'decision-source-failed': {
    status: 503,
    title: 'A decision source that the API asks gave no valid answer in time, which counts as a deny.',
    remedy: 'Look at the source; the record says what became of the question.',
  },

  'answer-unseen': {
    status: 403,
    title:
      'Policies ask for what only the answer states, and this entrance does not show answers to the gate.',
    remedy: 'Declare a lookup for the object, or send the calls through the gate itself.',
  },

  // Faults that end a call
  'stage-failed': {
    status: 500,
    title: 'A check failed to run, which counts as a deny.',
    remedy: 'Look up the exchange id in the gate’s log.',
  },
  'audit-unavailable': {
    status: 503,
    title: 'The call could not be recorded.',
    remedy: 'Free space for the store, or set onAuditFailure: allow for the API.',
  },
  'upstream-unreachable': {
    status: 502,
    title: 'The upstream cannot be reached.',
    remedy: 'Start the upstream, or correct its address.',
  },
  'upstream-timeout': {
    status: 504,
    title: 'The upstream did not answer in time.',
    remedy: 'Raise the API’s timeouts, or look at the upstream.',
  },
  'upstream-broken': {
    status: 502,
    title: 'The upstream broke off its answer.',
    remedy: 'Look at the upstream.',
  },
  'upstream-failed': {
    status: 502,
    title: 'The upstream answered with an error before the owner of the object was known.',
    remedy: 'Look at the upstream.',
  },
  'not-ready': {
    status: 503,
    title: 'The gate has no bundle yet.',
    remedy: 'Wait until /readyz answers 200.',
  },
} as const satisfies Record<string, ReasonEntry>

export type ReasonCode = keyof typeof REASONS

export function reason(
  code: ReasonCode,
  source: ReasonSource,
  evidence: Reason['evidence'] = {},
  forCaller?: string,
): Reason {
  return forCaller === undefined ? { code, source, evidence } : { code, source, evidence, forCaller }
}

/** True of the reasons that speak against a call. */
export function opposes(code: ReasonCode): boolean {
  return REASONS[code].status !== 0
}
