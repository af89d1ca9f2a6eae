/** Media types and ranges, RFC 9110 §8.3 and §12.5.1, read strictly: two readings of one Content-Type are an attack. */

export interface MediaType {
  /** Lower case. */
  readonly type: string
  /** Lower case. */
  readonly subtype: string
  /** `type/subtype`. */
  readonly essence: string
  /** Names in lower case; values unquoted, as received. */
  readonly parameters: ReadonlyMap<string, string>
}

const MAX_LENGTH = 512
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
/**
 * RFC 9110 §5.6.4, without the obsolete non-ASCII text and with a backslash where it has to be alone: before any other
 * character some readers drop it and some do not (Go, PHP), which gives a multipart body two boundaries.
 */
const QUOTED = /"((?:[\t \x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y
const SPACE = /[ \t]*/y

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map()

/** Null where the grammar does not derive the text, a parameter is repeated, or it is longer than 512 characters. */
export function parseMediaType(text: string): MediaType | null {
  if (text.length > MAX_LENGTH) return null
  const cursor = { text, at: 0 }
  take(cursor, SPACE)
  const type = take(cursor, TOKEN)?.[0]
  if (type === undefined || text[cursor.at] !== '/') return null
  cursor.at++
  const subtype = take(cursor, TOKEN)?.[0]
  if (subtype === undefined) return null
  const parameters = readParameters(cursor)
  if (parameters === null) return null
  const lower = { type: type.toLowerCase(), subtype: subtype.toLowerCase() }
  return { ...lower, essence: `${lower.type}/${lower.subtype}`, parameters }
}

interface Cursor {
  readonly text: string
  at: number
}

function readParameters(cursor: Cursor): ReadonlyMap<string, string> | null {
  let parameters: Map<string, string> | undefined
  for (;;) {
    take(cursor, SPACE)
    if (cursor.at === cursor.text.length) return parameters ?? NO_PARAMETERS
    if (cursor.text[cursor.at] !== ';') return null
    cursor.at++
    take(cursor, SPACE)
    // RFC 9110 §5.6.6 lets a parameter be empty: `a/b;` and `a/b;;charset=utf-8`.
    const name = take(cursor, TOKEN)?.[0].toLowerCase()
    if (name === undefined) continue
    if (cursor.text[cursor.at] !== '=') return null
    cursor.at++
    const value = take(cursor, TOKEN)?.[0] ?? take(cursor, QUOTED)?.[1]?.replace(/\\(.)/g, '$1')
    if (value === undefined) return null
    parameters ??= new Map()
    if (parameters.has(name)) return null
    parameters.set(name, value)
  }
}

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = cursor.at
  const match = pattern.exec(cursor.text)
  if (match !== null) cursor.at = pattern.lastIndex
  return match
}

/** Whether the media type is in the range (`application/json`, `text/*`, `*` + `/*`); the range's parameters must hold. */
export function matchesRange(media: MediaType, range: MediaType): boolean {
  if (range.type !== '*' && range.type !== media.type) return false
  if (range.subtype !== '*' && range.subtype !== media.subtype) return false
  for (const [name, value] of range.parameters) {
    if (media.parameters.get(name)?.toLowerCase() !== value.toLowerCase()) return false
  }
  return true
}

/** `application/json`, `text/json` and every `+json` (RFC 6839 §3.1). */
export function isJson(media: MediaType): boolean {
  return (
    (media.subtype === 'json' && (media.type === 'application' || media.type === 'text')) ||
    media.subtype.endsWith('+json')
  )
}

/** JSON is UTF-8 (RFC 8259 §8.1); a charset that says otherwise makes readers differ. */
export function isUtf8(media: MediaType): boolean {
  const charset = media.parameters.get('charset')
  return charset === undefined || /^utf-?8$/i.test(charset)
}
