import { isRecord, type JsonRecord } from '../contract/json-value.ts'
import { escapePointer, parsePointer, readPointer } from '../syntax/json-pointer.ts'

/** An OpenAPI Overlay document (Overlay Specification 1.0.0): changes to an OpenAPI document, in order. */
export interface Overlay {
  readonly overlay: '1.0.0'
  readonly info: { readonly title: string; readonly version: string }
  /** Where the document is that it changes. */
  readonly extends?: string
  readonly actions: readonly OverlayAction[]
}

export interface OverlayAction {
  /** RFC 9535 JSONPath of one node, in its normalized form (§2.7). */
  readonly target: string
  readonly description?: string
  /** Merged into an object, or appended to an array. */
  readonly update?: unknown
  readonly remove?: true
}

interface Draft {
  readonly remove: boolean
  update: unknown
  readonly descriptions: Set<string>
}

/** Actions on one document as it stands; those on the same object become one. */
export class OverlayDraft {
  readonly #root: unknown
  readonly #drafts = new Map<string, Draft>()

  constructor(root: unknown) {
    this.#root = root
  }

  /** The object at the pointer gets these members, and is made where it is not there yet. */
  merge(pointer: string, members: JsonRecord, description = ''): void {
    let segments = [...parsePointer(pointer)]
    let update: JsonRecord = members
    while (segments.length > 0 && !isRecord(readPointer(this.#root, segments))) {
      update = Object.fromEntries([[segments.at(-1) ?? '', update]])
      segments = segments.slice(0, -1)
    }
    this.#draft('update', segments, description, (known) => mergeInto(known ?? {}, update))
  }

  /** One more entry of the array at the pointer, which is made where it is not there yet. */
  append(pointer: string, entry: unknown, description = ''): void {
    const segments = [...parsePointer(pointer)]
    if (Array.isArray(readPointer(this.#root, segments)))
      // The specification appends one entry an action.
      this.#drafts.set(`append ${this.#drafts.size} ${pathOf(this.#root, segments)}`, {
        remove: false,
        update: entry,
        descriptions: told(description),
      })
    else
      this.#draft('update', segments.slice(0, -1), description, (known) => {
        const name = segments.at(-1) ?? ''
        const before = isRecord(known) ? known[name] : undefined
        const list = [...(Array.isArray(before) ? before : []), entry]
        return { ...(isRecord(known) ? known : {}), ...Object.fromEntries([[name, list]]) }
      })
  }

  /** Before what is merged at the same place: an update alone can replace no array. */
  remove(pointer: string, description = ''): void {
    this.#drafts.set(`remove ${pathOf(this.#root, parsePointer(pointer))}`, {
      remove: true,
      update: undefined,
      descriptions: told(description),
    })
  }

  get actions(): readonly OverlayAction[] {
    const all = [...this.#drafts].map(([key, { remove, update, descriptions }]): OverlayAction => {
      const target = key.slice(key.indexOf('$'))
      const description = descriptions.size === 0 ? {} : { description: [...descriptions].join(' ') }
      return remove ? { target, ...description, remove } : { target, ...description, update }
    })
    return [...all.filter((each) => each.remove === true), ...all.filter((each) => each.remove !== true)]
  }

  #draft(
    what: string,
    segments: readonly string[],
    description: string,
    change: (known: unknown) => unknown,
  ): void {
    const key = `${what} ${pathOf(this.#root, segments)}`
    const known = this.#drafts.get(key)
    const descriptions = known?.descriptions ?? new Set<string>()
    if (description !== '') descriptions.add(description)
    this.#drafts.set(key, { remove: false, update: change(known?.update), descriptions })
  }
}

const told = (description: string): Set<string> => new Set(description === '' ? [] : [description])

/** Members of both objects; of equal ones that are no objects, the later. */
function mergeInto(known: unknown, update: JsonRecord): JsonRecord {
  const members = new Map(isRecord(known) ? Object.entries(known) : [])
  for (const [name, value] of Object.entries(update)) {
    const before = members.get(name)
    members.set(name, isRecord(before) && isRecord(value) ? mergeInto(before, value) : value)
  }
  return Object.fromEntries(members)
}

/** RFC 9535 §2.7: the one way of writing the path of a node; digits are a name where an object has them. */
export function pathOf(root: unknown, segments: readonly string[]): string {
  let path = '$'
  let at = root
  for (const segment of segments) {
    path += Array.isArray(at) ? `[${segment}]` : `['${quoted(segment)}']`
    at = readPointer(at, [segment])
  }
  return path
}

const SHORT: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  "'": "\\'",
  '\\': '\\\\',
}

const quoted = (name: string): string =>
  name.replace(
    /['\\\x00-\x1f]/g,
    (each) => SHORT[each] ?? `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** A pointer with one more segment. */
export const below = (pointer: string, ...names: readonly string[]): string =>
  `${pointer}${names.map((name) => `/${escapePointer(name)}`).join('')}`
