import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { parsePointer } from '../syntax/json-pointer.ts'

export interface Place {
  readonly line: number
  readonly column: number
}

/**
 * A place in a contract of several files: a JSON pointer for the contract itself, for another file its path from the
 * contract's folder, `#`, and the pointer there. What stands below is told by appending to either.
 */
export function splitPlace(place: string): { readonly part: string; readonly pointer: string } {
  const hash = place === '' || place.startsWith('/') ? -1 : place.indexOf('#')
  return { part: place.slice(0, Math.max(hash, 0)), pointer: place.slice(hash + 1) }
}

export const joinPlace = (part: string, pointer: string): string =>
  part === '' ? pointer : `${part}#${pointer}`

/** Line and column, from 1, of a JSON pointer's value, or of its last ancestor that exists; null for unreadable text. */
export function placeOf(text: string, pointer: string): Place | null {
  const counter = new LineCounter()
  let node: unknown
  try {
    node = parseDocument(text, { lineCounter: counter, version: '1.2', logLevel: 'silent' }).contents
  } catch {
    return null
  }
  let at: Node | null = null
  let offset = 0
  for (const segment of parsePointer(pointer)) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === segment)
      if (pair === undefined) break
      offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset
      node = pair.value
    } else if (isSeq(node)) {
      const item = node.items[Number(segment)]
      if (item === undefined) break
      at = item as Node
      offset = at.range?.[0] ?? offset
      node = item
    } else break
  }
  const { line, col } = counter.linePos(offset)
  return { line, column: col }
}
