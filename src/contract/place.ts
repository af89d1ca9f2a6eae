import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { parsePointer } from '../syntax/json-pointer.ts'

export interface Place {
  readonly line: number
  readonly column: number
}

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
