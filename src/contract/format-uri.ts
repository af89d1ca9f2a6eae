import { fullFormats } from 'ajv-formats/dist/formats.js'

/** URIs (RFC 3986) and IRIs (RFC 3987), taken apart by RFC 3986 appendix B, each part held against its characters. */

const PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#([\s\S]*))?$/
const UNRESERVED = "A-Za-z0-9\\-._~!$&'()*+,;="
/** RFC 3987 §2.2 `ucschar`; `iprivate` stands in queries only. */
const UCS =
  '\\u{a0}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{ffef}\\u{10000}-\\u{dffff}\\u{e1000}-\\u{efffd}'
const PRIVATE = '\\u{e000}-\\u{f8ff}\\u{f0000}-\\u{ffffd}\\u{100000}-\\u{10fffd}'

function partsOf(
  more: string,
  inQuery: string,
): Readonly<Record<'user' | 'name' | 'path' | 'query' | 'fragment', RegExp>> {
  const only = (characters: string): RegExp =>
    new RegExp(`^(?:[${UNRESERVED}${more}${characters}]|%[0-9A-Fa-f]{2})*$`, 'u')
  return {
    user: only(':'),
    name: only(''),
    path: only(':@/'),
    query: only(`:@/?${inQuery}`),
    fragment: only(':@/?'),
  }
}

const URI = partsOf('', '')
const IRI = partsOf(UCS, PRIVATE)
const FUTURE = new RegExp(`^[Vv][0-9A-Fa-f]+\\.[${UNRESERVED}:]+$`)

export const isUri = (text: string): boolean => isReference(text, URI, true)
export const isUriReference = (text: string): boolean => isReference(text, URI, false)
export const isIri = (text: string): boolean => isReference(text, IRI, true)
export const isIriReference = (text: string): boolean => isReference(text, IRI, false)

function isReference(text: string, parts: typeof URI, absolute: boolean): boolean {
  const match = PARTS.exec(text)
  if (match === null) return false
  const [, scheme, authority, path = '', query = '', fragment = ''] = match
  if (absolute && scheme === undefined) return false
  if (authority !== undefined && !isAuthority(authority, parts)) return false
  if (authority !== undefined && path !== '' && !path.startsWith('/')) return false
  if (authority === undefined && path.startsWith('//')) return false
  // RFC 3986 §4.2: before the first colon would be a scheme.
  if (scheme === undefined && authority === undefined && /^[^/]*:/.test(path)) return false
  return parts.path.test(path) && parts.query.test(query) && parts.fragment.test(fragment)
}

function isAuthority(authority: string, parts: typeof URI): boolean {
  const at = authority.indexOf('@')
  if (at >= 0 && !parts.user.test(authority.slice(0, at))) return false
  const match = /^(\[[^\]]*\]|[^:]*)(?::[0-9]*)?$/.exec(authority.slice(at + 1))
  if (match === null) return false
  const host = match[1] ?? ''
  if (!host.startsWith('[')) return parts.name.test(host)
  const literal = host.slice(1, -1)
  return isIpv6(literal) || FUTURE.test(literal)
}

/** RFC 4291 §2.2; no longer than the longest, because the expression tries many forms. */
export function isIpv6(text: string): boolean {
  return text.length <= 45 && fullFormats.ipv6 instanceof RegExp && fullFormats.ipv6.test(text)
}

const VARIABLE =
  '(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*(?::[1-9][0-9]{0,3}|\\*)?'
const LITERAL = `[^\\x00-\\x20\\x7f"<>%\\\\^\`{|}]|%[0-9A-Fa-f]{2}`
/** RFC 6570 §2. */
const TEMPLATE = new RegExp(`^(?:${LITERAL}|\\{[+#./;?&=,!@|]?${VARIABLE}(?:,${VARIABLE})*\\})*$`, 'u')

export const isUriTemplate = (text: string): boolean => TEMPLATE.test(text)
