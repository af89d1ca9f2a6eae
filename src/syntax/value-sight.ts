import { parseJson } from './json-build.ts'

/**
 * What values were like, without any of them: their JSON types, with what surely shows of texts. Records keep it as one
 * text: `integer`, `string:date-time|null`, `array<object{id:string:uuid,"first name":string,…}>`; `~` and `!` hold the
 * length class of texts and what detectors took one for (`string~16!pii.email`).
 */
export interface Sight {
  /** Sorted as `SIGHT_TYPES`; never both `integer` and `number`; empty: nothing is known. */
  readonly types: readonly SightType[]
  /** All texts had it. */
  readonly format?: string
  /** No text was longer: a power of two. */
  readonly length?: number
  /** Sensitivity class and kind that a value's own form told. */
  readonly detected?: { readonly class: string; readonly kind: string }
  readonly items?: Sight
  readonly members?: ReadonlyMap<string, Sight>
  /** There were more members, or levels, than are told. */
  readonly more?: boolean
}

export const SIGHT_TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const
export type SightType = (typeof SIGHT_TYPES)[number]

/** Members of one object that are kept when sights are joined. */
const MAX_MEMBERS = 64
/** Longer or deeper texts are nobody's record. */
const MAX_TEXT = 16_384
const MAX_DEPTH = 12
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/

export const UNSEEN: Sight = Object.freeze({ types: [] })

/** The record's text; `details` false: without length classes and detections, as people and rows have it. */
export function sightText(sight: Sight, details = true): string {
  return sight.types.map((type) => typeText(type, sight, details)).join('|')
}

function typeText(type: SightType, sight: Sight, details: boolean): string {
  const { format, length, detected, items, members, more } = sight
  if (type === 'string') {
    const shown = details && length !== undefined ? `~${length}` : ''
    const told = details && detected !== undefined ? `!${detected.class}.${detected.kind}` : ''
    return `string${format === undefined ? '' : `:${format}`}${shown}${told}`
  }
  if (type === 'array') {
    if (items === undefined) return more === true ? 'array<…>' : 'array'
    return `array<${sightText(items, details)}>`
  }
  if (type !== 'object') return type
  const names = [...(members ?? [])].map(
    ([name, member]) =>
      `${PLAIN_NAME.test(name) ? name : JSON.stringify(name)}:${sightText(member, details)}`,
  )
  if (more === true) names.push('…')
  return names.length === 0 ? 'object' : `object{${names.join(',')}}`
}

/** What a text of a record says; null where it is none. */
export function readSight(text: string): Sight | null {
  if (text.length > MAX_TEXT) return null
  const reader = new Reader(text)
  const sight = reader.union(0)
  return sight !== null && reader.at === text.length ? sight : null
}

const TYPE = /null|boolean|integer|number|string|array|object/y
const FORMAT = /:([a-z][a-z0-9-]{0,31})/y
const LENGTH = /~([0-9]{1,10})/y
const DETECTED = /!([a-z][a-z0-9-]{0,31})\.([a-z][a-z0-9-]{0,31})/y
const NAME = /([A-Za-z_][A-Za-z0-9_.-]{0,63}):|("(?:[^"\\]|\\.)*"):/y

class Reader {
  at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  union(depth: number): Sight | null {
    let sight: Sight | null = this.#one(depth)
    while (sight !== null && this.#takes('|')) {
      const other = this.#one(depth)
      sight = other === null ? null : joinSights(sight, other)
    }
    return sight
  }

  #one(depth: number): Sight | null {
    const type = this.#match(TYPE)?.[0] as SightType | undefined
    if (type === undefined || depth > MAX_DEPTH) return null
    if (type === 'string') {
      const format = this.#match(FORMAT)?.[1]
      const length = this.#match(LENGTH)?.[1]
      const told = this.#match(DETECTED)
      return {
        types: ['string'],
        ...(format === undefined ? {} : { format }),
        ...(length === undefined ? {} : { length: Number(length) }),
        ...(told === null ? {} : { detected: { class: told[1] ?? '', kind: told[2] ?? '' } }),
      }
    }
    if (type === 'array' && this.#takes('<')) {
      if (this.#takes('…>')) return { types: ['array'], more: true }
      const items = this.union(depth + 1)
      return items !== null && this.#takes('>') ? { types: ['array'], items } : null
    }
    if (type === 'object' && this.#takes('{')) return this.#members(depth)
    return { types: [type] }
  }

  #members(depth: number): Sight | null {
    const members = new Map<string, Sight>()
    for (;;) {
      if (this.#takes('…}')) return { types: ['object'], members, more: true }
      const name = this.#name()
      const member = name === null ? null : this.union(depth + 1)
      if (name === null || member === null) return null
      members.set(name, member)
      if (this.#takes('}')) return { types: ['object'], members }
      if (!this.#takes(',')) return null
    }
  }

  #name(): string | null {
    const [, plain, quoted] = this.#match(NAME) ?? []
    if (quoted === undefined) return plain ?? null
    try {
      const name = parseJson(quoted)
      return typeof name === 'string' ? name : null
    } catch {
      return null
    }
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.#text)
    if (match !== null) this.at = pattern.lastIndex
    return match
  }

  #takes(text: string): boolean {
    if (!this.#text.startsWith(text, this.at)) return false
    this.at += text.length
    return true
  }
}

/** What both were like. */
export function joinSights(a: Sight, b: Sight): Sight {
  if (a.types.length === 0) return b
  if (b.types.length === 0) return a
  const both = new Set([...a.types, ...b.types])
  if (both.has('number')) both.delete('integer')
  const types = SIGHT_TYPES.filter((type) => both.has(type))
  const texts = [a, b].filter((each) => each.types.includes('string'))
  const [format] = texts.every(({ format }) => format === texts[0]?.format) ? [texts[0]?.format] : []
  const length = Math.max(a.length ?? 0, b.length ?? 0)
  const detected = a.detected ?? b.detected
  const items =
    a.items === undefined || b.items === undefined ? (a.items ?? b.items) : joinSights(a.items, b.items)
  const { members, cut } = joinMembers(a.members, b.members)
  return {
    types,
    ...(format === undefined ? {} : { format }),
    ...(length === 0 ? {} : { length }),
    ...(detected === undefined ? {} : { detected }),
    ...(items === undefined ? {} : { items }),
    ...(members === undefined ? {} : { members }),
    ...(a.more === true || b.more === true || cut ? { more: true } : {}),
  }
}

function joinMembers(
  a: Sight['members'],
  b: Sight['members'],
): { readonly members: Sight['members']; readonly cut: boolean } {
  if (a === undefined || b === undefined) return { members: a ?? b, cut: false }
  const members = new Map(a)
  let cut = false
  for (const [name, member] of b) {
    const known = members.get(name)
    if (known !== undefined) members.set(name, joinSights(known, member))
    else if (members.size < MAX_MEMBERS) members.set(name, member)
    else cut = true
  }
  return { members, cut }
}

/** A stand-in for such a value: every text says what stood there, and none is anybody's. */
export function redactedExample(sight: Sight): unknown {
  const { types, items, members, more } = sight
  const [type] = types
  if (type === undefined) return '‹value›'
  if (types.length > 1) return `‹${types.join(' or ')}›`
  if (type === 'null') return null
  if (type === 'array') return items === undefined ? [] : [redactedExample(items)]
  if (type === 'object') {
    const shown = [...(members ?? [])].map(([name, member]) => [name, redactedExample(member)] as const)
    // `fromEntries` defines, so that a member called __proto__ is one.
    return Object.fromEntries([...shown, ...(more === true ? [['…', '…'] as const] : [])])
  }
  return type === 'string' ? `‹${textWords(sight)}›` : `‹${type}›`
}

function textWords({ detected, format, length }: Sight): string {
  if (detected !== undefined) return detected.kind
  if (format !== undefined) return format
  return length === undefined ? 'string' : `string of up to ${length}`
}
