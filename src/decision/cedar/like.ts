import { CedarFormError, isObject } from './est.ts'

/**
 * A `like` pattern as a matcher. Pieces between wildcards are found one after the other, each at its first place:
 * nothing is ever tried twice. Cedar matches by code point; a literal piece is whole code points, so that looking for
 * it in UTF-16 finds the same.
 *
 * @throws {CedarFormError}
 */
export function compileLike(pattern: unknown): (text: string) => boolean {
  const pieces = piecesOf(pattern)
  const [first = ''] = pieces
  if (pieces.length === 1) return (text) => text === first
  const last = pieces.at(-1) ?? ''
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '')
  if (middle.length === 0) {
    const least = first.length + last.length
    return (text) => text.length >= least && text.startsWith(first) && text.endsWith(last)
  }
  return (text) => {
    if (!text.startsWith(first)) return false
    let at = first.length
    for (let i = 0; i < middle.length; i++) {
      const piece = middle[i] ?? ''
      const found = text.indexOf(piece, at)
      if (found === -1) return false
      at = found + piece.length
    }
    return text.length - last.length >= at && text.endsWith(last)
  }
}

/** The literal pieces: one wildcard between each and the next. */
function piecesOf(pattern: unknown): readonly string[] {
  if (!Array.isArray(pattern)) throw new CedarFormError('a pattern is no list')
  const pieces = ['']
  for (const element of pattern) {
    if (element === 'Wildcard') pieces.push('')
    else if (isObject(element) && typeof element['Literal'] === 'string') {
      pieces.push((pieces.pop() ?? '') + element['Literal'])
    } else throw new CedarFormError('a pattern has something other than text and wildcards')
  }
  return pieces
}
