import type { MediaType } from '../syntax/media-type.ts'
import type { ItemFraming } from './detail.ts'
import type { OpenApiDocument } from './document.ts'
import { isRecord, type JsonRecord, own, recordAt } from './json-value.ts'
import { follow } from './reference.ts'

/** Where the schema of one item stands, and how items are told apart. */
export interface SequencePlan {
  readonly framing: ItemFraming
  readonly schema: unknown
  readonly pointer: string
  /** From the whole that the contract describes to the item in it, as steps of a pointer: `*`, `data`; mostly none. */
  readonly within: readonly string[]
}

/** Sequential media types (OpenAPI 3.2 §4.14.4.1). */
const FRAMINGS: ReadonlyMap<string, ItemFraming> = new Map([
  ['application/x-ndjson', 'lines'],
  ['application/ndjson', 'lines'],
  ['application/jsonl', 'lines'],
  ['application/x-jsonlines', 'lines'],
  ['application/json-seq', 'records'],
  ['text/event-stream', 'events'],
])

/**
 * The item's schema is `itemSchema` (OpenAPI 3.2). Without it, it is `schema`, as contracts before 3.2 write it: of an
 * array, its `items`; anything else is itself the schema of one item. Of an event it is the schema of its data as
 * JSON: the `contentSchema` of a member `data` where there is one (OpenAPI 3.2 §4.14.4.3). Null where nothing is said
 * of items, or data is mere text: then the stream is declared and not read.
 */
export function sequencePlan(
  document: OpenApiDocument,
  media: MediaType,
  member: JsonRecord,
  pointer: string,
): SequencePlan | null {
  const framing = FRAMINGS.get(media.essence)
  if (framing === undefined) return null
  const stated = own(member, 'itemSchema')
  const whole = stated === undefined ? own(member, 'schema') : stated
  if (!isRecord(whole)) return null
  let at = follow(document, whole, `${pointer}/${stated === undefined ? 'schema' : 'itemSchema'}`)
  const within: string[] = []
  const items = own(at.value, 'items')
  if (stated === undefined && at.value['type'] === 'array' && isRecord(items)) {
    at = follow(document, items, `${at.pointer}/items`)
    within.push('*')
  }
  if (framing !== 'events') return { framing, schema: at.value, pointer: at.pointer, within }
  const data = own(recordAt(at.value, 'properties'), 'data')
  if (isRecord(data)) {
    const event = follow(document, data, `${at.pointer}/properties/data`)
    const content = own(event.value, 'contentSchema')
    if (content !== undefined)
      return {
        framing,
        schema: content,
        pointer: `${event.pointer}/contentSchema`,
        within: [...within, 'data'],
      }
    // An event that is described as such, with text as its data.
    if (event.value['type'] === 'string') return null
  }
  return at.value['type'] === 'string' ? null : { framing, schema: at.value, pointer: at.pointer, within }
}
