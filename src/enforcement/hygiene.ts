import type { LimitsPlan } from '../model/bundle.ts'
import type { RawFields, RequestHead } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import {
  fieldValues,
  HOP_BY_HOP,
  isFieldValue,
  isToken,
  listMembers,
  parseAuthority,
} from '../syntax/http.ts'
import { parseQuery, parseTarget } from '../syntax/uri.ts'

/** What the head says, parsed once; later stages read these values and never the raw head again. */
export interface CleanHead {
  /** Lower-cased host without port. */
  readonly host: string
  /** Canonical path as it is routed, judged and forwarded. */
  readonly path: string
  readonly segments: readonly string[]
  /** Segments hold a `;`, which only a parameter of style matrix may have: see `routeCall`. */
  readonly pathParameters: boolean
  /** Raw query without `?`, forwarded as received. */
  readonly rawQuery: string
  readonly query: readonly (readonly [string, string])[]
  /** The fields for all who handle the call: those `Connection` names ended at the gate, as if never sent. */
  readonly fields: RawFields
  /** Bytes of the body as announced; undefined where no Content-Length is. */
  readonly announcedBytes: number | undefined
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  readonly expectsContinue: boolean
}

export type HeadCheck =
  | { readonly ok: true; readonly head: CleanHead }
  | { readonly ok: false; readonly finding: Finding }

/**
 * Framing and form of the head: what the parser lets through but no stage behind may have to guess about.
 * Holds in every mode (design.md, Observe).
 */
export function checkHead(head: RequestHead, limits: LimitsPlan): HeadCheck {
  const { fields } = head
  if (fields.length / 2 > limits.fieldCount)
    return bad('head-too-large', { fields: fields.length / 2 }, 'too many fields')
  let size = 0
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const value = fields[i + 1] ?? ''
    size += name.length + value.length + 4
    if (!isToken(name)) return bad('request-malformed', { rule: 'field-name' }, 'a field name is not a token')
    if (!isFieldValue(value))
      return bad(
        'request-malformed',
        { rule: 'field-value', field: name.slice(0, 64) },
        `control characters in ${name.slice(0, 64)}`,
      )
  }
  if (size > limits.fieldBytes) return bad('head-too-large', { bytes: size }, 'the fields are too large')
  if (!isToken(head.method) || head.method.length > 32)
    return bad('request-malformed', { rule: 'method' }, 'the method is not a token')
  if (head.method === 'CONNECT') return bad('feature-refused', { feature: 'CONNECT' }, 'CONNECT')
  // TRACE would show the caller what the gate added on the way (standards 6.9).
  if (head.method === 'TRACE') return bad('method-not-allowed', { allow: [] }, 'TRACE')
  const framing = checkFraming(head)
  if (framing !== null) return { ok: false, finding: framing }

  const target = parseTarget(head.target, true)
  if (!target.ok) return bad('target-invalid', { rule: target.why }, target.why)
  const query = parseQuery(target.query)
  if (!query.ok) return bad('target-invalid', { rule: query.why }, query.why)

  const hosts = fieldValues(fields, 'host')
  // RFC 9112 §3.2: one Host; §3.2.2: the authority of an absolute target wins over it.
  if (hosts.length !== 1) return bad('host-invalid', { hosts: hosts.length })
  const authority = parseAuthority(target.authority ?? hosts[0] ?? '')
  if (authority === null || parseAuthority(hosts[0] ?? '') === null)
    return bad('host-invalid', { rule: 'authority' })

  const [announced] = fieldValues(fields, 'content-length')
  // RFC 9110 §7.6.1: taken out before anything is read of them, so that what is judged is what goes on.
  const endToEnd = withoutNamed(fields)
  const types = fieldValues(endToEnd, 'content-type')
  if (types.length > 1)
    return bad('request-malformed', { rule: 'content-type-repeated' }, 'more than one Content-Type')
  const encodings = fieldValues(endToEnd, 'content-encoding')
  return {
    ok: true,
    head: {
      host: authority.host,
      path: target.path,
      segments: target.segments,
      pathParameters: target.pathParameters === true,
      rawQuery: target.query,
      query: query.pairs,
      fields: endToEnd,
      announcedBytes: announced === undefined ? undefined : Number(announced),
      contentType: types[0],
      // RFC 9110 §10.1.1: in HTTP/1.0 it means nothing.
      expectsContinue: head.httpVersion !== '1.0' && fieldValues(fields, 'expect').length > 0,
      contentEncoding: encodings.length === 0 ? undefined : encodings.join(', '),
    },
  }
}

/** Without the connection's own fields and those `Connection` names; the same list where there are none. */
function withoutNamed(fields: RawFields): RawFields {
  const named = fieldValues(fields, 'connection').flatMap(listMembers)
  if (named.every((name) => HOP_BY_HOP.has(name) || name === 'close')) return fields
  const left: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (!named.includes(name.toLowerCase())) left.push(name, fields[i + 1] ?? '')
  }
  return left
}

/** RFC 9112 §6: one way only to tell where the body ends. The parser checks too; this does not rely on it. */
function checkFraming(head: RequestHead): Finding | null {
  const lengths = fieldValues(head.fields, 'content-length')
  const codings = fieldValues(head.fields, 'transfer-encoding')
  if (lengths.length > 1 || lengths.some((value) => !/^\d{1,15}$/.test(value))) {
    return found('request-malformed', { rule: 'content-length' }, 'Content-Length is not one number')
  }
  if (codings.length > 0) {
    if (lengths.length > 0)
      return found(
        'request-malformed',
        { rule: 'length-and-coding' },
        'Content-Length beside Transfer-Encoding',
      )
    if (head.httpVersion === '1.0')
      return found('request-malformed', { rule: 'coding-in-1.0' }, 'Transfer-Encoding in HTTP/1.0')
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') {
      return found('feature-refused', { feature: 'transfer-encoding' }, 'transfer codings other than chunked')
    }
  }
  const expectations = fieldValues(head.fields, 'expect')
  if (expectations.some((value) => value.toLowerCase() !== '100-continue')) {
    return found('feature-refused', { feature: 'expect' }, 'an unknown expectation')
  }
  const connection = fieldValues(head.fields, 'connection').flatMap(listMembers)
  if (connection.includes('upgrade') || fieldValues(head.fields, 'upgrade').length > 0) {
    return found('feature-refused', { feature: 'upgrade' }, 'Upgrade')
  }
  return null
}

type Code = Parameters<typeof reason>[0]
type Evidence = Parameters<typeof reason>[2]

function found(code: Code, evidence: Evidence, forCaller?: string): Finding {
  return finding(reason(code, 'hygiene', evidence, forCaller), true)
}

function bad(code: Code, evidence: Evidence, forCaller?: string): HeadCheck {
  return { ok: false, finding: found(code, evidence, forCaller) }
}
