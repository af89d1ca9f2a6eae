/** Content-Disposition of a part (RFC 7578 §4.2, RFC 6266), read strictly. */

export interface Disposition {
  /** Lower case: `form-data`, `attachment`, `inline`. */
  readonly type: string
  readonly name: string | null
  readonly filename: string | null
}

/** Of a name; forms' own have tens of characters. */
const MAX_NAME = 256
/** Longest name file systems take, in bytes; here in UTF-16 units. */
const MAX_FILENAME = 255

const TYPE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}/
const PARAMETER =
  /;[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32})=(?:"([^"\\\r\n]*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z]+))[ \t]*/y
/** RFC 8187, of UTF-8 alone. */
const EXTENDED = /^utf-8'[0-9A-Za-z-]{0,16}'([!#$&+\-.^_`|~0-9A-Za-z%]*)$/i
/** How browsers write `"`, CR and LF into a name: some readers undo it, others do not. */
const ESCAPED = /%(?:22|0d|0a|00)/i
const CONTROL = /[\x00-\x1f\x7f-\x9f]/

/**
 * Null where it does not follow the grammar, has a parameter twice or one that is not `name`, `filename` or
 * `filename*`, where the two file names differ, or where a reader may take a name for another one or for a path.
 */
export function readDisposition(text: string): Disposition | null {
  const type = TYPE.exec(text)?.[0]
  if (type === undefined) return null
  const found = new Map<string, string>()
  let at = type.length
  while (text[at] === ' ' || text[at] === '\t') at++
  while (at < text.length) {
    PARAMETER.lastIndex = at
    const match = PARAMETER.exec(text)
    if (match === null) return null
    at = PARAMETER.lastIndex
    const name = (match[1] ?? '').toLowerCase()
    if (found.has(name)) return null
    const value = match[2] ?? match[3] ?? ''
    if (name === 'filename*') {
      const plain = extended(value)
      if (plain === null) return null
      found.set(name, plain)
    } else if (name === 'name' || name === 'filename') found.set(name, value)
    else return null
  }
  const name = found.get('name') ?? null
  const [plain, other] = [found.get('filename'), found.get('filename*')]
  if (plain !== undefined && other !== undefined && plain !== other) return null
  const filename = plain ?? other ?? null
  if (name !== null && !isName(name)) return null
  if (filename !== null && !isFileName(filename)) return null
  return { type: type.toLowerCase(), name, filename }
}

function extended(value: string): string | null {
  const encoded = EXTENDED.exec(value)?.[1]
  if (encoded === undefined) return null
  try {
    return decodeURIComponent(encoded)
  } catch {
    return null
  }
}

const isName = (name: string): boolean =>
  name !== '' && name.length <= MAX_NAME && !ESCAPED.test(name) && !CONTROL.test(name)

const isFileName = (name: string): boolean =>
  name.length <= MAX_FILENAME &&
  !ESCAPED.test(name) &&
  !CONTROL.test(name) &&
  !/[/\\]/.test(name) &&
  !/^\.{1,2}$/.test(name)
