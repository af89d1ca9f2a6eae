import type { OpenApiDocument } from '../contract/document.ts'
import { isRecord, type JsonRecord, listAt, own } from '../contract/json-value.ts'
import { follow, type Located, resolveReference } from '../contract/reference.ts'
import { type MediaType, matchesRange, parseMediaType } from '../syntax/media-type.ts'
import { below } from './overlay.ts'

/** A schema, or another object of a contract, where it stands (a place: contract/place.ts). */
export interface Placed {
  readonly value: JsonRecord
  readonly pointer: string
}

const MAX_LAYERS = 200

/** Finds in a contract what a place of a message is described by; null where nothing, or more than one thing, does. */
export class SchemaPlaces {
  readonly #document: OpenApiDocument

  constructor(document: OpenApiDocument) {
    this.#document = document
  }

  /** The object itself, through the references that lead to it. */
  at(value: unknown, pointer: string): Placed | null {
    if (value === undefined) return null
    try {
      return follow(this.#document, value, pointer)
    } catch {
      return null
    }
  }

  /** The schema of content of this type, in a request body or response. */
  content(owner: Placed, mediaType: string): Placed | null {
    const content = this.at(own(owner.value, 'content'), below(owner.pointer, 'content'))
    if (content === null) return null
    const names = Object.keys(content.value)
    const media = parseMediaType(mediaType)
    const fits = media === null ? [] : names.filter((name) => inRange(media, name))
    fits.sort((a, b) => stars(a) - stars(b))
    const name = fits[0] ?? (names.length === 1 ? names[0] : undefined)
    if (name === undefined) return null
    const described = this.at(content.value[name], below(content.pointer, name))
    if (described === null) return null
    const key = own(described.value, 'itemSchema') === undefined ? 'schema' : 'itemSchema'
    return this.at(own(described.value, key), below(described.pointer, key))
  }

  /** Down from a schema by the names and `*` of a place. */
  below(start: Placed, segments: readonly string[]): Placed | null {
    let at: Placed | null = start
    for (const segment of segments) {
      if (at === null) return null
      at = segment === '*' ? (this.#items(at) ?? this.#property(at, segment)) : this.#property(at, segment)
    }
    return at
  }

  /** All schemas that an instance of this one is held against, and those it may be: through `$ref` and the `…Of`. */
  layers(start: Placed): readonly Placed[] {
    const found = new Map<string, Placed>()
    const pending: Located[] = [start]
    for (let at = pending.shift(); at !== undefined; at = pending.shift()) {
      const { value, pointer } = at
      if (!isRecord(value) || found.has(pointer) || found.size >= MAX_LAYERS) continue
      found.set(pointer, { value, pointer })
      if (own(value, '$ref') !== undefined) {
        try {
          pending.push(resolveReference(this.#document, value['$ref'], pointer))
        } catch {
          // By an anchor or identifier: what stands there is not looked for.
        }
      }
      for (const key of ['allOf', 'oneOf', 'anyOf'])
        listAt(value, key).forEach((member, index) => {
          pending.push({ value: member, pointer: below(pointer, key, String(index)) })
        })
    }
    return [...found.values()]
  }

  /** Its own statement of the property, wherever among the layers; of several, the first. */
  stated(schema: Placed, name: string): Placed | null {
    for (const layer of this.layers(schema)) {
      const properties = own(layer.value, 'properties')
      if (!isRecord(properties) || own(properties, name) === undefined) continue
      return this.at(properties[name], below(layer.pointer, 'properties', name))
    }
    return null
  }

  /** Of a choice with one object among it, that object: what objects have is stated there. */
  branch(schema: Placed): Placed {
    let at = schema
    for (let hop = 0; hop < MAX_LAYERS; hop++) {
      if (own(at.value, 'properties') !== undefined) return at
      const key = ['oneOf', 'anyOf'].find((each) => listAt(at.value, each).length > 0)
      if (key === undefined) return at
      const objects = listAt(at.value, key).flatMap((member, index) => {
        const branch = this.at(member, below(at.pointer, key, String(index)))
        return branch !== null && this.layers(branch).some(isObjects) ? [branch] : []
      })
      const [only] = objects
      if (only === undefined || objects.length > 1) return at
      at = only
    }
    return at
  }

  #property(schema: Placed, name: string): Placed | null {
    const stated = this.stated(schema, name)
    if (stated !== null) return stated
    for (const { value, pointer } of this.layers(schema)) {
      const others = own(value, 'additionalProperties')
      if (isRecord(others)) return this.at(others, below(pointer, 'additionalProperties'))
    }
    return null
  }

  #items(schema: Placed): Placed | null {
    for (const { value, pointer } of this.layers(schema)) {
      const items = own(value, 'items')
      if (isRecord(items)) return this.at(items, below(pointer, 'items'))
    }
    return null
  }
}

const isObjects = ({ value }: Placed): boolean => {
  const type = own(value, 'type')
  return (
    own(value, 'properties') !== undefined ||
    type === 'object' ||
    (Array.isArray(type) && type.includes('object'))
  )
}

function inRange(media: MediaType, name: string): boolean {
  const range = parseMediaType(name)
  return range !== null && matchesRange(media, { ...range, parameters: new Map() })
}

const stars = (range: string): number => range.split('*').length
