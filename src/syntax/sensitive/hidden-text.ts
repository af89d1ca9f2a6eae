import { cardIn } from './numbers.ts'
import { secretIn } from './secrets.ts'

/** Stands in records where a value stood. No path holds it: brackets are escaped there (RFC 3986 §3.3). */
export const HIDDEN = '[redacted]'

/** Shorter segments hold neither a token nor a card number. */
const MIN_SEGMENT = 12

/** A path without the segments that hold a token, a key or a card number. */
export function withoutSecrets(path: string): string {
  if (path.length <= MIN_SEGMENT) return path
  let out = ''
  let from = 0
  for (let at = 0; at <= path.length; at++) {
    if (at < path.length && path.charCodeAt(at) !== 0x2f) continue
    if (at - from >= MIN_SEGMENT && isSecret(path.slice(from, at))) {
      if (out === '' && from > 0) out = path.slice(0, from)
      out += HIDDEN
    } else if (out !== '') out += path.slice(from, at)
    if (out !== '' && at < path.length) out += '/'
    from = at + 1
  }
  return out === '' ? path : out
}

function isSecret(segment: string): boolean {
  return secretIn(segment) !== null || cardIn(segment)
}
