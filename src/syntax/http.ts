/** Field-level grammar of HTTP (RFC 9110 §5, RFC 9112): pure checks on names, values and the few fields read here. */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// RFC 9110 §5.5: visible characters, space, tab and obs-text; no CR, LF, NUL or other controls.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

export function isFieldValue(text: string): boolean {
  return VALUE.test(text)
}

/** First value of the field, its name compared without case; undefined where it is absent. */
export function fieldValue(fields: readonly string[], lowerName: string): string | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) return fields[i + 1]
  }
  return undefined
}

export function fieldValues(fields: readonly string[], lowerName: string): string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) values.push(fields[i + 1] ?? '')
  }
  return values
}

/** Members of a comma-separated list field (RFC 9110 §5.6.1), lower-cased, empty ones dropped. */
export function listMembers(value: string): string[] {
  return value
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '')
}

/**
 * Fields that belong to one connection (RFC 9110 §7.6.1 and the customary ones); with them every field that
 * `Connection` names is removed, except those a caller must not be able to make the gate drop (standards 6.4).
 */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/**
 * `Host` or an authority (RFC 9110 §7.2, RFC 3986 §3.2): lower-cased host without port, IPv6 in its brackets.
 * Null where it is not one valid host with an optional port; user information is refused.
 */
export function parseAuthority(text: string): { readonly host: string; readonly port: number | null } | null {
  if (text.length === 0 || text.length > 261) return null
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?)(?::(\d{0,5}))?$/.exec(
    text,
  )
  if (match === null) return null
  const portText = match[3]
  const port = portText === undefined || portText === '' ? null : Number(portText)
  if (port !== null && port > 65_535) return null
  const host = (match[1] ?? '').toLowerCase()
  return { host: host.endsWith('.') ? host.slice(0, -1) : host, port }
}
