/** JSON Pointer, RFC 6901: how faults, findings and policies name a place inside a JSON document. */

const CANONICAL_INDEX = /^(?:0|[1-9][0-9]*)$/
const BAD_ESCAPE = /~(?![01])/

/** One reference token, ready to follow a `/` (RFC 6901 §3: `~` first, so that `~1` in a key stays itself). */
export function escapePointer(segment: string): string {
  return segment.includes('~') || segment.includes('/')
    ? segment.replaceAll('~', '~0').replaceAll('/', '~1')
    : segment
}

/**
 * The unescaped reference tokens; `''` is the whole document and gives `[]`.
 * @throws {SyntaxError} where RFC 6901 §3 does not derive the text: no leading `/`, or a `~` not followed by 0 or 1.
 */
export function parsePointer(text: string): readonly string[] {
  if (text === '') return []
  if (!text.startsWith('/')) throw new SyntaxError('a JSON pointer is empty or begins with "/"')
  if (BAD_ESCAPE.test(text)) throw new SyntaxError('a JSON pointer has "~" only as "~0" or "~1"')
  // RFC 6901 §4: ~1 before ~0, so that ~01 becomes ~1 and never /.
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/**
 * The value at the place, or undefined where there is none (JSON itself has no undefined). Only own properties
 * count: `/constructor` or `/__proto__` of client data must never reach what every object inherits. Arrays answer
 * to canonical indexes only (RFC 6901 §4: no leading zeros); `-`, the element after the last, names no value.
 */
export function readPointer(value: unknown, segments: readonly string[]): unknown {
  let at = value
  for (const segment of segments) {
    if (typeof at !== 'object' || at === null) return undefined
    if (Array.isArray(at) && !CANONICAL_INDEX.test(segment)) return undefined
    if (!Object.hasOwn(at, segment)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[segment]
  }
  return at
}
