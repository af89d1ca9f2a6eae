import type { FieldObligation } from '../../model/decision.ts'
import { escapePointer, parsePointer } from '../../syntax/json-pointer.ts'
import { isRawNumber } from '../exact-json.ts'
import { toldStep } from '../told-pointer.ts'
import { type LinkedItemLabels, type LinkedLabels, labelsAt, labelsFor } from './linked-labels.ts'
import { maskText, REDACTED } from './masking.ts'

export type EditKind = FieldObligation['kind']

/** What obligations ask of one operation's answers, ready to be held against a value. */
export interface FieldEdits {
  readonly classes: ReadonlyMap<string, EditKind>
  readonly places: ReadonlyMap<string, EditKind>
  /** Null where no pointer is named. */
  readonly pointers: PointerEdits | null
}

export interface PointerEdits {
  kind?: EditKind
  readonly below: Map<string, PointerEdits>
}

/** A field that did not go out as it came: its place, with indexes as `*`, and what became of it. */
export interface FieldChange {
  readonly kind: EditKind
  readonly pointer: string
}

export interface Edited {
  /** The value given where nothing was changed; it itself is never changed. */
  readonly value: unknown
  readonly changes: readonly FieldChange[]
}

const RANK: Readonly<Record<EditKind, number>> = { mask: 1, redact: 2, drop: 3 }
const MAX_CHANGES = 100
const MAX_POINTER = 256

/**
 * Drop beats redact, redact mask.
 * @param itemsAt Where the items of a list stand: pointers name fields of each of them too.
 */
export function fieldEdits(
  obligations: readonly FieldObligation[],
  itemsAt: readonly string[] | undefined,
): FieldEdits {
  const classes = new Map<string, EditKind>()
  const places = new Map<string, EditKind>()
  const pointers: PointerEdits = { below: new Map() }
  for (const { kind, fields } of obligations) {
    for (const field of fields) {
      if (field.startsWith('class:')) put(classes, field.slice(6), kind)
      else if (field.startsWith('#')) put(places, field, kind)
      else {
        const segments = parsePointer(field)
        point(pointers, segments, kind)
        if (itemsAt !== undefined) point(pointers, [...itemsAt, '*', ...segments], kind)
      }
    }
  }
  return { classes, places, pointers: pointers.below.size === 0 ? null : pointers }
}

function put(into: Map<string, EditKind>, name: string, kind: EditKind): void {
  into.set(name, stronger(into.get(name), kind))
}

function point(root: PointerEdits, segments: readonly string[], kind: EditKind): void {
  let node = root
  for (const segment of segments) {
    let next = node.below.get(segment)
    if (next === undefined) {
      next = { below: new Map() }
      node.below.set(segment, next)
    }
    node = next
  }
  node.kind = stronger(node.kind, kind)
}

export function stronger(one: EditKind | undefined, other: EditKind): EditKind {
  return one !== undefined && RANK[one] >= RANK[other] ? one : other
}

/** A list's items, each with edits of its own; `at` is where they stand. */
export interface ItemEdits {
  readonly at: readonly string[]
  of(index: number): FieldEdits | null
}

/** The value as its reader may have it. Labels are those of the place where it stands. */
export function editFields(
  value: unknown,
  labels: LinkedLabels | null,
  edits: FieldEdits | null,
  items?: ItemEdits,
): Edited {
  const editor = new Editor(items)
  const edited = editor.edit(value, labels, edits, NONE)
  return { value: edited, changes: [...editor.changes.values()] }
}

/** One item of a sequence as its reader may have it: pointers may name its fields in the whole, or in the item. */
export function editItem(item: unknown, { labels, within }: LinkedItemLabels, edits: FieldEdits): Edited {
  const editor = new Editor(undefined)
  const inWhole = within.flatMap((steps) => reached(edits, steps))
  return { value: editor.edit(item, labels, edits, inWhole), changes: [...editor.changes.values()] }
}

const GONE = Symbol('gone')

class Editor {
  readonly changes = new Map<string, FieldChange>()
  readonly #items: ItemEdits | undefined
  readonly #path: string[] = []
  #edits: FieldEdits | null = null

  constructor(items: ItemEdits | undefined) {
    this.#items = items
  }

  /** @param inWhole Pointers that have come to this place in a whole around the value. */
  edit(
    value: unknown,
    labels: LinkedLabels | null,
    edits: FieldEdits | null,
    inWhole: readonly PointerEdits[],
  ): unknown {
    this.#edits = edits
    const start = edits?.pointers ?? null
    const edited = this.#visit(value, labels, start === null ? NONE : [start, ...inWhole], true)
    return edited === GONE ? null : edited
  }

  /** Recursion is bounded by the scanner's depth limit. */
  #visit(
    at: unknown,
    labels: LinkedLabels | null,
    pointers: readonly PointerEdits[],
    required: boolean,
  ): unknown {
    const kind = this.#kindOf(labels, pointers)
    if (kind !== undefined) return this.#apply(kind, at, labels?.nullable === true, required)
    if (typeof at !== 'object' || at === null || isRawNumber(at)) return at
    const items = this.#isList() ? this.#items : undefined
    if (labels === null && pointers.length === 0 && this.#items === undefined) return at
    return Array.isArray(at)
      ? this.#list(at, labels, pointers, items)
      : this.#object(at as Readonly<Record<string, unknown>>, labels, pointers)
  }

  #kindOf(labels: LinkedLabels | null, pointers: readonly PointerEdits[]): EditKind | undefined {
    let kind: EditKind | undefined
    const edits = this.#edits
    if (edits === null) return undefined
    if (labels !== null) {
      for (const name of labels.classes) {
        const asked = edits.classes.get(name)
        if (asked !== undefined) kind = stronger(kind, asked)
      }
      for (const place of labels.places) {
        const asked = edits.places.get(place)
        if (asked !== undefined) kind = stronger(kind, asked)
      }
    }
    for (const pointer of pointers) if (pointer.kind !== undefined) kind = stronger(kind, pointer.kind)
    return kind
  }

  #object(
    object: Readonly<Record<string, unknown>>,
    labels: LinkedLabels | null,
    pointers: readonly PointerEdits[],
  ): unknown {
    let changed: [string, unknown][] | undefined
    const names = Object.keys(object)
    for (let index = 0; index < names.length; index++) {
      const name = names[index] ?? ''
      const given = object[name]
      const below = labels === null ? null : labelsFor(name, labels)
      const under = follow(pointers, name)
      // Nothing of it is labelled, and no pointer leads here: what has edits of its own is found by its place.
      if (below === null && under.length === 0 && typeof given !== 'object') {
        changed?.push([name, given])
        continue
      }
      this.#path.push(name)
      const edited = this.#visit(given, below, under, labels?.required.has(name) === true)
      this.#path.pop()
      if (edited !== given)
        changed ??= names.slice(0, index).map((earlier): [string, unknown] => [earlier, object[earlier]])
      if (edited !== GONE) changed?.push([name, edited])
    }
    return changed === undefined ? object : Object.fromEntries(changed)
  }

  #list(
    list: readonly unknown[],
    labels: LinkedLabels | null,
    pointers: readonly PointerEdits[],
    items: ItemEdits | undefined,
  ): unknown {
    const kept: unknown[] = []
    let changed = false
    const outer = this.#edits
    for (let index = 0; index < list.length; index++) {
      const given = list[index]
      this.#path.push('*')
      let below = follow(pointers, String(index))
      if (items !== undefined) {
        // What the policy that allowed this very item asks for.
        this.#edits = items.of(index)
        below = follow(reached(this.#edits, items.at), String(index))
      }
      const edited = this.#visit(given, labels === null ? null : labelsAt(index, labels), below, true)
      this.#path.pop()
      if (edited !== given) changed = true
      if (edited !== GONE) kept.push(edited)
    }
    this.#edits = outer
    return changed ? kept : list
  }

  /** The array whose items have edits of their own stands here. */
  #isList(): boolean {
    const at = this.#items?.at
    return (
      at !== undefined &&
      at.length === this.#path.length &&
      at.every((step, index) => step === this.#path[index])
    )
  }

  #apply(kind: EditKind, at: unknown, nullable: boolean, required: boolean): unknown {
    // Nothing stands there that could be hidden.
    if (at === null && kind !== 'drop') return at
    this.#note(kind)
    if (kind === 'drop') return GONE
    if (kind === 'mask' && typeof at === 'string') return maskText(at)
    if (nullable) return null
    if (typeof at === 'string') return REDACTED
    if (!required) return GONE
    if (typeof at === 'boolean') return false
    if (Array.isArray(at)) return []
    return typeof at === 'number' || (typeof at === 'object' && at !== null && isRawNumber(at)) ? 0 : {}
  }

  #note(kind: EditKind): void {
    if (this.changes.size >= MAX_CHANGES) return
    let pointer = this.#path.map((step) => `/${toldStep(escapePointer(step))}`).join('')
    if (pointer.length > MAX_POINTER) pointer = `${pointer.slice(0, MAX_POINTER - 1).toWellFormed()}…`
    this.changes.set(`${kind} ${pointer}`, { kind, pointer })
  }
}

const NONE: readonly PointerEdits[] = Object.freeze([])

function follow(pointers: readonly PointerEdits[], step: string): readonly PointerEdits[] {
  if (pointers.length === 0) return pointers
  const found: PointerEdits[] = []
  for (const { below } of pointers) {
    const named = below.get(step)
    if (named !== undefined) found.push(named)
    const any = step === '*' ? undefined : below.get('*')
    if (any !== undefined) found.push(any)
  }
  return found.length === 0 ? NONE : found
}

function reached(edits: FieldEdits | null, at: readonly string[]): readonly PointerEdits[] {
  let pointers: readonly PointerEdits[] = edits?.pointers ? [edits.pointers] : NONE
  for (const step of at) pointers = follow(pointers, step)
  return pointers
}
