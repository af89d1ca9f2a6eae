import { scanJson } from '../syntax/json.ts'
import { escapePointer } from '../syntax/json-pointer.ts'
import { isJson, parseMediaType } from '../syntax/media-type.ts'

/** Entries of one shape at most: enough to learn a contract from, too few to fill a log. */
const MAX_ENTRIES = 200
const MAX_NAME = 128

/**
 * The form of a JSON body without its values: `/id:string`, `/items/*:object`, sorted; of an API without a
 * contract, so that one can be learned. Undefined where the body is not JSON.
 */
export function jsonShape(contentType: string | undefined, body: Uint8Array): readonly string[] | undefined {
  const type = contentType === undefined ? null : parseMediaType(contentType)
  if (type === null || !isJson(type)) return undefined
  const scan = scanJson(body)
  if (!scan.ok) return undefined
  const entries = new Set<string>()
  walk(scan.value, '', entries)
  return [...entries].sort()
}

function walk(value: unknown, pointer: string, entries: Set<string>): void {
  if (entries.size >= MAX_ENTRIES) return
  entries.add(`${pointer}:${typeName(value)}`)
  if (Array.isArray(value)) {
    for (const item of value) walk(item, `${pointer}/*`, entries)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value))
      walk(member, `${pointer}/${escapePointer(name.slice(0, MAX_NAME))}`, entries)
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
