import { escapePointer } from '../../syntax/json-pointer.ts'
import type { OpenApiDocument } from '../document.ts'
import { isRecord, type JsonRecord, own } from '../json-value.ts'
import { resolveReference } from '../reference.ts'

/**
 * Swagger 2.0 schemas (§Schema Object) as those of OpenAPI 3.0. Whatever a reference names, in the contract or in a file
 * beside it, becomes a component; `origins` remembers where it stands.
 */
export class SwaggerSchemas {
  /** Filled by name while anything is left to convert: see `finish`. */
  readonly components: Record<string, unknown> = Object.create(null)
  readonly #raw: OpenApiDocument
  readonly #origins: Map<string, string>
  readonly #names = new Map<string, string>()
  readonly #pending: { readonly name: string; readonly value: unknown; readonly place: string }[] = []
  /** YAML aliases stand for one object in many places: it is converted once. */
  readonly #done = new Map<object, unknown>()

  constructor(raw: OpenApiDocument, origins: Map<string, string>) {
    this.#raw = raw
    this.#origins = origins
    const definitions = own(raw.root, 'definitions')
    if (!isRecord(definitions)) return
    for (const [name, value] of Object.entries(definitions))
      this.#claim(`/definitions/${escapePointer(name)}`, name, value)
  }

  convert(value: unknown, place: string): unknown {
    if (!isRecord(value)) return value
    const known = this.#done.get(value)
    if (known !== undefined) return known
    const made = this.#object(value, place)
    this.#done.set(value, made)
    return made
  }

  finish(): void {
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop())
      this.components[next.name] = this.convert(next.value, next.place)
  }

  #object(value: JsonRecord, place: string): unknown {
    const ref = own(value, '$ref')
    if (ref !== undefined) {
      const target = resolveReference(this.#raw, ref, place)
      const name = this.#names.get(target.pointer) ?? this.#claim(target.pointer, this.#free(), target.value)
      return { $ref: `#/components/schemas/${encodeURIComponent(escapePointer(name))}` }
    }
    return Object.fromEntries(
      Object.entries(value).flatMap(([keyword, member]) => this.#member(keyword, member, place)),
    )
  }

  #member(keyword: string, value: unknown, place: string): [string, unknown][] {
    const at = `${place}/${escapePointer(keyword)}`
    switch (keyword) {
      case 'items':
      case 'additionalProperties':
      case 'not':
        return [[keyword, this.convert(value, at)]]
      case 'allOf':
      case 'anyOf':
      case 'oneOf':
        return [
          [keyword, Array.isArray(value) ? value.map((each, i) => this.convert(each, `${at}/${i}`)) : value],
        ]
      case 'properties':
        return [[keyword, isRecord(value) ? this.#map(value, at) : value]]
      case 'discriminator':
        return [[keyword, typeof value === 'string' ? { propertyName: value } : value]]
      case 'x-nullable':
        return [['nullable', value]]
      case 'type':
        return value === 'file'
          ? [
              ['type', 'string'],
              ['format', 'binary'],
            ]
          : [[keyword, value]]
      default:
        return [[keyword, value]]
    }
  }

  #map(value: JsonRecord, at: string): JsonRecord {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        this.convert(member, `${at}/${escapePointer(name)}`),
      ]),
    )
  }

  #claim(place: string, name: string, value: unknown): string {
    this.#names.set(place, name)
    this.#origins.set(`/components/schemas/${escapePointer(name)}`, place)
    this.components[name] = true
    this.#pending.push({ name, value, place })
    return name
  }

  #free(): string {
    let name = `ref-${this.#names.size}`
    while (name in this.components) name += '_'
    return name
  }
}
