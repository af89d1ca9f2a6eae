/** Tokens of XML 1.0: characters, names, references, start tags. */

export interface Attribute {
  /** As written, with its prefix. */
  readonly raw: string
  /** References undone, white space normalised (XML 1.0 §3.3.3, type CDATA). */
  readonly value: string
  /** With the white space before it, in UTF-16 units. */
  readonly from: number
  readonly to: number
}

export interface StartTag {
  readonly raw: string
  readonly prefix: string
  readonly local: string
  readonly attributes: readonly Attribute[]
  readonly empty: boolean
  readonly end: number
}

export type TagFault = 'syntax' | 'unfinished' | 'entity' | 'duplicate-attribute' | 'attributes' | 'name-size'

export const CDATA_END = ']]>'
export const COMMENT_END = '-->'

/** XML 1.0 §2.2: anything but these is no character of a document. */
export const NOT_CHARACTER = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

const START =
  'A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}'
const NCNAME = `[${START}][-.0-9\\u00b7\\u0300-\\u036f\\u203f\\u2040${START}]*`
/** Namespaces in XML 1.0 §4: one colon at most. */
export const NAME = new RegExp(`${NCNAME}(?::${NCNAME})?(?![:])`, 'uy')
const SPACE = /[\t\n\r ]*/y
const EQUALS = /[\t\n\r ]*=[\t\n\r ]*/y

/** Version 1.0 in UTF-8 (XML 1.0 §2.8); what is said otherwise would be read otherwise. */
export const DECLARATION =
  /<\?xml[\t\n\r ]+version[\t\n\r ]*=[\t\n\r ]*(?:"1\.0"|'1\.0')(?:[\t\n\r ]+encoding[\t\n\r ]*=[\t\n\r ]*(?:"utf-8"|'utf-8'))?(?:[\t\n\r ]+standalone[\t\n\r ]*=[\t\n\r ]*(?:"(?:yes|no)"|'(?:yes|no)'))?[\t\n\r ]*\?>/iy

const MAX_ATTRIBUTES = 64
/** Of a name with its prefix, in UTF-16 units. */
const MAX_NAME = 256

const REFERENCE = /&(?:#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))|(lt|gt|amp|apos|quot));|&/g
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', apos: "'", quot: '"' }

/** Character data with its references undone and its line ends as `\n` (§2.11); null where a reference is none. */
export function expand(raw: string): string | null {
  const text = raw.includes('\r') ? raw.replace(/\r\n?/g, '\n') : raw
  if (!text.includes('&')) return text
  let sound = true
  const out = text.replace(REFERENCE, (_all, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED[name] ?? ''
    const digits = hex ?? decimal
    const code = digits === undefined ? 0 : Number.parseInt(digits, hex === undefined ? 10 : 16)
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) sound = false
    const character = sound ? String.fromCodePoint(code) : ''
    if (digits === undefined || NOT_CHARACTER.test(character)) sound = false
    return character
  })
  return sound ? out : null
}

/** The start tag or empty element at `at`, a `<`. */
export function readStartTag(text: string, at: number): StartTag | TagFault {
  NAME.lastIndex = at + 1
  const raw = NAME.exec(text)?.[0]
  if (raw === undefined) return 'syntax'
  if (raw.length > MAX_NAME) return 'name-size'
  const attributes: Attribute[] = []
  const names = new Set<string>()
  let from = at + 1 + raw.length
  for (;;) {
    SPACE.lastIndex = from
    SPACE.test(text)
    const next = SPACE.lastIndex
    if (next >= text.length) return 'unfinished'
    const empty = text[next] === '/'
    if (empty || text[next] === '>') {
      if (empty && text[next + 1] !== '>') return 'syntax'
      const colon = raw.indexOf(':')
      const prefix = colon < 0 ? '' : raw.slice(0, colon)
      return { raw, prefix, local: raw.slice(colon + 1), attributes, empty, end: next + (empty ? 2 : 1) }
    }
    if (next === from) return 'syntax'
    if (attributes.length === MAX_ATTRIBUTES) return 'attributes'
    const read = readAttribute(text, from, next)
    if (typeof read === 'string') return read
    if (names.has(read.raw)) return 'duplicate-attribute'
    names.add(read.raw)
    attributes.push(read)
    from = read.to
  }
}

function readAttribute(text: string, from: number, at: number): Attribute | TagFault {
  NAME.lastIndex = at
  const raw = NAME.exec(text)?.[0]
  if (raw === undefined) return 'syntax'
  if (raw.length > MAX_NAME) return 'name-size'
  EQUALS.lastIndex = at + raw.length
  if (!EQUALS.test(text)) return 'syntax'
  const start = EQUALS.lastIndex
  const quote = text[start]
  if (quote !== '"' && quote !== "'") return 'syntax'
  const end = text.indexOf(quote, start + 1)
  if (end < 0) return 'unfinished'
  const written = text.slice(start + 1, end)
  if (written.includes('<')) return 'syntax'
  const value = expand(written.replace(/\r\n|[\t\n\r]/g, ' '))
  return value === null ? 'entity' : { raw, value, from, to: end + 1 }
}

/** The text without these ranges, which are in order and do not overlap. */
export function withoutRanges(
  text: string,
  ranges: readonly (readonly [from: number, to: number])[],
): string {
  let out = ''
  let at = 0
  for (const [from, to] of ranges) {
    out += text.slice(at, from)
    at = to
  }
  return out + text.slice(at)
}
