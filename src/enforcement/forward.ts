import type { ApiPlan } from '../model/bundle.ts'
import type { RawFields } from '../model/exchange.ts'
import { fieldValue, fieldValues, HOP_BY_HOP, listMembers } from '../syntax/http.ts'
import type { AdmittedCall } from './admitted-call.ts'
import type { CleanHead } from './hygiene.ts'
import { isStripped } from './identity-fields.ts'

/** Told to upstreams and looked for in requests, so that a route back into the gate is seen (RFC 9110 §7.6.3). */
export const VIA = '1.1 sallyport'

export type Credential =
  /** The gate's own Authorization value in place of whatever the caller sent. */
  | { readonly kind: 'assertion'; readonly value: string }
  /** The caller's own Authorization goes on (`credential: pass`, and observe mode). */
  | { readonly kind: 'pass' }
  /** None: an anonymous call in enforce mode. */
  | { readonly kind: 'none' }

/** A part of an answer cannot be held against its schema; a recipient may ignore Range (RFC 9110 §14.2). */
export const ONLY_WHOLE: ReadonlySet<string> = new Set(['range', 'if-range'])
/** 304 does not say whose the object is; without these the answer does (RFC 9110 §13.1). */
export const ONLY_STATED: ReadonlySet<string> = new Set([...ONLY_WHOLE, 'if-none-match', 'if-modified-since'])
export const NONE: ReadonlySet<string> = new Set()
/** What a caller says of its bytes, which other bytes belie (RFC 9110 §8.4, RFC 9530). */
export const OF_THE_BYTES: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
])

/** Request fields as they go upstream: end-to-end ones of the caller, then what the gate itself states. */
export function upstreamFields(
  { exchange, head, api: { plan: api }, operation, body, bodyChanged }: AdmittedCall,
  credential: Credential,
  withheld: ReadonlySet<string>,
): string[] {
  const { fields } = head
  const declared = operation?.headers ?? NONE
  const out: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const lower = name.toLowerCase()
    if (lower === 'host' || lower === 'content-length' || lower === 'accept-encoding' || lower === 'expect')
      continue
    if (HOP_BY_HOP.has(lower) || withheld.has(lower) || isStripped(lower, api, declared)) continue
    if (lower === 'authorization' && credential.kind !== 'pass') continue
    if (bodyChanged && OF_THE_BYTES.has(lower)) continue
    out.push(name, fields[i + 1] ?? '')
  }
  if (credential.kind === 'assertion') out.push('Authorization', credential.value)
  if (body !== null) out.push('Content-Length', String(body.byteLength))
  out.push(
    'Host',
    upstreamHost(api),
    // What cannot be read cannot be checked: answers are asked for unencoded.
    'Accept-Encoding',
    'identity',
    'Via',
    VIA,
    'X-Forwarded-For',
    exchange.caller.text,
    'X-Forwarded-Host',
    head.host,
    'X-Forwarded-Proto',
    exchange.head.secure ? 'https' : 'http',
  )
  return out
}

/** Fields of the gate's own look-up: it states itself, nothing of the caller's head goes along but, where the API
 * checks the client's credential itself (`credential: pass`), that credential. */
export function lookupFields(fields: RawFields, api: ApiPlan, credential: Credential): string[] {
  const out = [
    'Host',
    upstreamHost(api),
    'Accept',
    'application/json',
    'Accept-Encoding',
    'identity',
    'Via',
    VIA,
  ]
  if (credential.kind === 'assertion') out.push('Authorization', credential.value)
  if (credential.kind === 'pass') {
    for (const value of fieldValues(fields, 'authorization').slice(0, 1)) out.push('Authorization', value)
  }
  return out
}

const upstreamHosts = new WeakMap<ApiPlan, string>()

function upstreamHost(api: ApiPlan): string {
  let host = upstreamHosts.get(api)
  if (host === undefined) {
    host = new URL(api.upstream.origin).host
    upstreamHosts.set(api, host)
  }
  return host
}

/** The base path the contract speaks of is replaced by the upstream's, where its URL has one. */
export function upstreamPath(api: ApiPlan, head: CleanHead): string {
  const { basePath } = api.upstream
  const path = basePath === api.basePath ? head.path : basePath + head.path.slice(api.basePath.length) || '/'
  if (head.rawQuery === '') return path
  // Some readers part a query at `;` too: what was judged as one value must not become two parameters there.
  const query = api.mode === 'enforce' ? head.rawQuery.replaceAll(';', '%3B') : head.rawQuery
  return `${path}?${query}`
}

/** A call that carries the gate's own Via has come round in a circle. */
export function loops(fields: RawFields): boolean {
  return fieldValues(fields, 'via').some((value) => listMembers(value).includes(VIA))
}

function namedByConnection(fields: RawFields): Set<string> | null {
  let named: Set<string> | null = null
  for (const value of fieldValues(fields, 'connection')) {
    for (const member of listMembers(value)) {
      if (member === 'close' || member === 'keep-alive') continue
      named ??= new Set()
      named.add(member)
    }
  }
  return named
}

/** Tells upstream technology, or its inside, to whoever asks; of no use to a caller (standards 2.9, 6.19). */
const TALKATIVE = new Set([
  'server',
  'via',
  'x-powered-by',
  'x-generator',
  'x-runtime',
  'x-aspnet-version',
  'x-aspnetmvc-version',
  'x-sourcefiles',
  'x-stack-trace',
  'x-exception',
  'x-php-originating-script',
  'x-server-name',
  'x-backend-server',
  'x-served-by',
  'x-upstream',
  'x-drupal-dynamic-cache',
  'x-mod-pagespeed',
])
const DEBUGGING = /^x-(?:debug|envoy-|php-|litespeed|varnish|django|rack-|rails)/

/**
 * Answer fields as they go to the caller. `length` replaces Content-Length; null leaves the upstream's (a body
 * that is passed on untouched, or HEAD), `none` leaves it out (204, RFC 9110 §8.6).
 */
export function callerFields(
  fields: RawFields,
  exchangeId: string,
  length: number | null | 'none',
  decoded: boolean,
): string[] {
  const dropped = namedByConnection(fields)
  const out: string[] = ['Sallyport-Exchange', exchangeId]
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const lower = name.toLowerCase()
    if (HOP_BY_HOP.has(lower) || dropped?.has(lower) || isTalkative(lower)) continue
    if (lower.startsWith('sallyport-')) continue
    if (lower === 'content-length' && length !== null) continue
    // The bytes changed: digests and validators of the upstream's bytes would lie (RFC 9110 §8.8, RFC 9530).
    if (
      decoded &&
      (lower === 'content-encoding' ||
        lower === 'etag' ||
        lower === 'content-md5' ||
        lower === 'content-digest' ||
        lower === 'repr-digest' ||
        lower === 'digest')
    )
      continue
    out.push(name, fields[i + 1] ?? '')
  }
  if (typeof length === 'number') out.push('Content-Length', String(length))
  // What the contract says a body is, no browser is to guess otherwise (standards 6.19).
  if (fieldValue(fields, 'x-content-type-options') === undefined)
    out.push('X-Content-Type-Options', 'nosniff')
  return out
}

function isTalkative(lower: string): boolean {
  return TALKATIVE.has(lower) || (lower.startsWith('x-') && DEBUGGING.test(lower))
}
