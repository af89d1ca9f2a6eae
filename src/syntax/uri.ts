/**
 * Request targets, RFC 9112 §3.2 over RFC 3986: read once, into the one form that is routed, judged and forwarded.
 *
 * Two readers that see different paths in one target are the attack, so nothing is repaired: what readers are known
 * to differ on (dot segments, empty segments, backslashes, path parameters, double encoding) is refused by name.
 */

/** Longer than any client sends; RFC 9110 §4.1 recommends at least 8,000 octets. */
export const MAX_TARGET = 8_192
export const MAX_QUERY_PAIRS = 256

export type TargetFault =
  | 'too-long'
  | 'form'
  | 'authority'
  | 'character'
  | 'control-character'
  | 'backslash'
  | 'fragment'
  | 'path-parameter'
  | 'percent-encoding'
  | 'double-encoding'
  | 'utf-8'
  | 'dot-segment'
  | 'empty-segment'

export type Target =
  | {
      readonly ok: true
      /** Begins with `/`; unreserved characters decoded, other escapes in upper case (RFC 3986 §6.2.2). */
      readonly path: string
      /** The path's segments, canonical and still percent-encoded; a trailing slash is an empty last one. */
      readonly segments: readonly string[]
      /** As received, without the `?`; empty where there is none. */
      readonly query: string
      /** A segment holds a `;`: path parameters, which many servers leave out of what they route by. */
      readonly pathParameters?: boolean
      /** Host and port of an absolute-form target, lower case. */
      readonly authority?: string
    }
  | { readonly ok: false; readonly why: TargetFault }

/** Unreserved, sub-delims but `;`, `:`, `@` and the slash: a path of these alone is canonical but for its dots. */
const PLAIN_PATH = /^\/[A-Za-z0-9\-._~!$&'()*+,=:@/]*$/
const ABSOLUTE = /^https?:\/\//i
const AUTHORITY = /^(?:[a-z0-9\-._~]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i
const QUERY = /^[\x21\x22\x24-\x7e]*$/
const SEGMENT_CHARACTER = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%]*$/
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/
/** A second decoder would make a dot, slash, backslash or NUL of it, however often it was encoded. */
const DOUBLE = /%25(?:25)*(?:2e|2f|5c|00)/i
const DOT_COMPONENT = /(?:^|\/)\.{1,2}(?:\/|$)/
const CONTROL = /[\x00-\x1f\x7f-\x9f]/
const UNRESERVED = /[A-Za-z0-9\-._~]/

/**
 * Reads origin-form and absolute-form; the other forms are the hygiene's to refuse before. Never throws.
 * `pathParameters`: the caller refuses those of them that no contract declares (style matrix); else they all are here.
 */
export function parseTarget(target: string, pathParameters = false): Target {
  if (target.length > MAX_TARGET) return refuse('too-long')
  if (target.startsWith('/')) return origin(target, undefined, pathParameters)
  const scheme = ABSOLUTE.exec(target)?.[0]
  if (scheme === undefined) return refuse('form')
  const rest = target.slice(scheme.length)
  const end = rest.search(/[/?#]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  if (!AUTHORITY.test(authority)) return refuse('authority')
  const tail = end < 0 ? '' : rest.slice(end)
  return origin(tail.startsWith('/') ? tail : `/${tail}`, authority.toLowerCase(), pathParameters)
}

function origin(target: string, authority: string | undefined, pathParameters: boolean): Target {
  const mark = target.indexOf('?')
  const raw = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  if (!QUERY.test(query)) {
    return refuse(query.includes('#') ? 'fragment' : CONTROL.test(query) ? 'control-character' : 'character')
  }
  const segments = raw.slice(1).split('/')
  const plain = PLAIN_PATH.test(raw)
  const parameters = !plain && raw.includes(';')
  if (parameters && !pathParameters) return refuse('path-parameter')
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i] ?? ''
    if (segment === '') {
      if (i < segments.length - 1) return refuse('empty-segment')
    } else if (plain) {
      if (segment === '.' || segment === '..') return refuse('dot-segment')
    } else {
      const read = canonicalSegment(segment)
      if (!read.ok) return read
      segments[i] = read.segment
    }
  }
  const path = plain ? raw : `/${segments.join('/')}`
  return {
    ok: true,
    path,
    segments,
    query,
    ...(parameters ? { pathParameters } : {}),
    ...(authority === undefined ? {} : { authority }),
  }
}

type Segment =
  | { readonly ok: true; readonly segment: string }
  | { readonly ok: false; readonly why: TargetFault }

function canonicalSegment(raw: string): Segment {
  if (!SEGMENT_CHARACTER.test(raw)) {
    if (raw.includes('\\')) return refuse('backslash')
    if (raw.includes('#')) return refuse('fragment')
    if (CONTROL.test(raw)) return refuse('control-character')
    return refuse('character')
  }
  if (BAD_ESCAPE.test(raw)) return refuse('percent-encoding')
  if (DOUBLE.test(raw)) return refuse('double-encoding')
  let decoded: string
  try {
    decoded = decodeURIComponent(raw)
  } catch {
    // Escapes are well-formed here, so only their bytes can be wrong; overlong forms are among these.
    return refuse('utf-8')
  }
  if (CONTROL.test(decoded)) return refuse('control-character')
  if (decoded.includes('\\')) return refuse('backslash')
  // An encoded slash stays inside its segment, but a reader that decodes it must not find a way up either.
  if (DOT_COMPONENT.test(raw.includes(';') ? decoded.replaceAll(';', '/') : decoded))
    return refuse('dot-segment')
  const segment = raw.replace(/%[0-9A-Fa-f]{2}/g, (octet) => {
    const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16))
    return UNRESERVED.test(character) ? character : octet.toUpperCase()
  })
  // `%25%32%66` becomes one only here.
  if (DOUBLE.test(segment)) return refuse('double-encoding')
  return { ok: true, segment }
}

const refuse = (why: TargetFault): { readonly ok: false; readonly why: TargetFault } => ({ ok: false, why })

export type Query =
  | { readonly ok: true; readonly pairs: readonly (readonly [name: string, value: string])[] }
  | { readonly ok: false; readonly why: 'too-many-pairs' | 'percent-encoding' | 'utf-8' }

const NO_PAIRS: Query = Object.freeze({ ok: true, pairs: Object.freeze([]) })

/**
 * Ordered pairs, decoded once as application/x-www-form-urlencoded (WHATWG URL §5.1, what OpenAPI's form style
 * serialises to): `+` is a space. Empty pieces (`a&&b`) are left out; a name without `=` has the empty value.
 */
export function parseQuery(raw: string): Query {
  if (raw === '') return NO_PAIRS
  if (BAD_ESCAPE.test(raw)) return { ok: false, why: 'percent-encoding' }
  const pairs: (readonly [string, string])[] = []
  let from = 0
  try {
    while (from <= raw.length) {
      const next = raw.indexOf('&', from)
      const to = next < 0 ? raw.length : next
      if (to > from) {
        if (pairs.length === MAX_QUERY_PAIRS) return { ok: false, why: 'too-many-pairs' }
        const mark = raw.indexOf('=', from)
        pairs.push(
          mark < 0 || mark >= to
            ? [decodeForm(raw.slice(from, to)), '']
            : [decodeForm(raw.slice(from, mark)), decodeForm(raw.slice(mark + 1, to))],
        )
      }
      from = to + 1
    }
  } catch {
    return { ok: false, why: 'utf-8' }
  }
  return { ok: true, pairs }
}

/** The values of the same pairs as they stand in the query: an encoded delimiter is data, one that is not is none. */
export function rawValues(raw: string): readonly string[] {
  const pieces = raw.split('&').filter((piece) => piece !== '')
  return pieces.map((piece) => {
    const mark = piece.indexOf('=')
    return mark < 0 ? '' : piece.slice(mark + 1)
  })
}

/**
 * One value decoded once, `+` as a space.
 * @throws {URIError} where its escapes are none, or not UTF-8.
 */
export function decodeForm(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  return spaced.includes('%') ? decodeURIComponent(spaced) : spaced
}
