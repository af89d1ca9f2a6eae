import { escapePointer } from '../syntax/json-pointer.ts'
import type { ContractWarning, WarningCode } from './detail.ts'
import { faultAt, type OpenApiDocument } from './document.ts'
import { isKnownFormat } from './formats.ts'
import { isRecord, type JsonRecord, own } from './json-value.ts'
import { whyUnusable } from './pattern.ts'
import { resolveReference } from './reference.ts'
import { SchemaSizer } from './schema-size.ts'

/** JSON Schema 2020-12 of the keywords below only; `$ref` names a component: `s:<index>`. */
export type Schema = boolean | { readonly [keyword: string]: unknown }

type Kind = 'schema' | 'schemas' | 'schemaMap' | 'count' | 'number' | 'names' | 'boolean' | 'any'

const COMMON: readonly (readonly [Kind, string])[] = [
  ['number', 'multipleOf maximum minimum'],
  ['count', 'maxLength minLength maxItems minItems maxProperties minProperties'],
  ['boolean', 'uniqueItems'],
  ['names', 'required'],
  ['schema', 'items not additionalProperties'],
  ['schemaMap', 'properties'],
  ['schemas', 'allOf anyOf oneOf'],
]
const NEWER: typeof COMMON = [
  ...COMMON,
  ['any', 'const'],
  ['number', 'exclusiveMaximum exclusiveMinimum'],
  ['count', 'maxContains minContains'],
  ['schema', 'contains propertyNames if then else unevaluatedProperties unevaluatedItems'],
  ['schemaMap', 'patternProperties dependentSchemas'],
  ['schemas', 'prefixItems'],
]
const byKeyword = (table: typeof COMMON): ReadonlyMap<string, Kind> =>
  new Map(table.flatMap(([kind, words]) => words.split(' ').map((word) => [word, kind] as const)))
const KINDS = { '3.0': byKeyword(COMMON), '3.1': byKeyword(NEWER) } as const

/** Say nothing about validity, or are read in their own place below. */
const SILENT = new Set([
  '$ref',
  'type',
  'nullable',
  'enum',
  'format',
  'pattern',
  'title',
  'description',
  'default',
  'example',
  'examples',
  'deprecated',
  'externalDocs',
  'xml',
  'readOnly',
  'writeOnly',
  '$comment',
  '$schema',
  '$defs',
  'definitions',
  'dependentRequired',
  'discriminator',
  'contentMediaType',
  'contentEncoding',
  'contentSchema',
  'exclusiveMaximum',
  'exclusiveMinimum',
])

const TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'])
/** The fixtures have 27 at most. Each call tries all of them: 10,000 took 50 ms a call and seconds to compile. */
const MAX_BRANCHES = 1_000
/** What an object inherits: a property of such a name must be looked for among own ones only. */
const INHERITED = new Set(Object.getOwnPropertyNames(Object.prototype))

export class SchemaConverter {
  /** By component index, in the order of first reference. */
  readonly components: Schema[] = []
  /** A property is named as something every object inherits. */
  inheritedNames = false
  /** `unevaluated*` is used: Ajv must then track what was evaluated. */
  unevaluated = false
  readonly #document: OpenApiDocument
  readonly #warn: (warning: ContractWarning) => void
  readonly #indexes = new Map<string, number>()
  readonly #pending: { value: unknown; pointer: string; index: number }[] = []
  readonly #done = new Map<object, Schema>()
  readonly #sizer = new SchemaSizer((schema) => ({ $ref: `s:${this.components.push(schema) - 1}` }))
  #readWriteOnly: { pointer: string; count: number } | undefined

  constructor(document: OpenApiDocument, warn: (warning: ContractWarning) => void) {
    this.#document = document
    this.#warn = warn
  }

  /** Converts one schema of the contract with everything it refers to. */
  convert(value: unknown, pointer: string): Schema {
    const schema = this.#schema(value, pointer)
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      this.components[next.index] = this.#schema(next.value, next.pointer)
    }
    return schema
  }

  /** States once what was seen in many places. */
  finish(): void {
    if (this.#readWriteOnly === undefined) return
    const { pointer, count } = this.#readWriteOnly
    this.#say('read-write-only', pointer, `readOnly and writeOnly are not enforced yet (${count} places)`)
  }

  #say(code: WarningCode, pointer: string, message: string): void {
    this.#warn({ code, pointer, message })
  }

  #component(ref: unknown, at: string): string {
    const target = resolveReference(this.#document, ref, at)
    let index = this.#indexes.get(target.pointer)
    if (index === undefined) {
      index = this.components.length
      this.#indexes.set(target.pointer, index)
      this.components.push(true)
      this.#pending.push({ ...target, index })
    }
    return `s:${index}`
  }

  #schema(value: unknown, pointer: string): Schema {
    if (typeof value === 'boolean') return value
    if (!isRecord(value)) throw faultAt(this.#document, pointer, 'a schema is expected here')
    const known = this.#done.get(value)
    if (known !== undefined) return known
    const schema = this.#object(value, pointer)
    this.#done.set(value, schema)
    return schema
  }

  #object(value: JsonRecord, pointer: string): Schema {
    const old = this.#document.version === '3.0'
    const ref = own(value, '$ref')
    // OpenAPI 3.0 §Reference Object: what stands beside $ref is ignored.
    if (ref !== undefined && old) return { $ref: this.#component(ref, pointer) }
    const out: Record<string, unknown> = ref === undefined ? {} : { $ref: this.#component(ref, pointer) }
    this.#type(value, out, pointer, old)
    const kinds = KINDS[this.#document.version]
    for (const keyword of Object.keys(value)) {
      const kind = kinds.get(keyword)
      if (kind !== undefined) this.#keyword(keyword, kind, value[keyword], out, pointer)
      else if (!SILENT.has(keyword) && !keyword.startsWith('x-')) {
        this.#say(
          'schema-keyword',
          `${pointer}/${escapePointer(keyword)}`,
          `${keyword.slice(0, 60)} is not read`,
        )
      }
    }
    if (old) this.#exclusive(value, out)
    else this.#dependentRequired(value, out, pointer)
    this.#enum(value, out, pointer)
    this.#format(value, out, pointer)
    this.#pattern(value, out, pointer)
    if (value['readOnly'] === true || value['writeOnly'] === true) {
      this.#readWriteOnly ??= { pointer, count: 0 }
      this.#readWriteOnly.count++
    }
    this.#sizer.fit(out)
    return out
  }

  #keyword(keyword: string, kind: Kind, value: unknown, out: Record<string, unknown>, pointer: string): void {
    const at = `${pointer}/${keyword}`
    const wrong = (): void =>
      this.#say('schema-keyword', at, `${keyword} has no usable value and is not checked`)
    switch (kind) {
      case 'any':
        out[keyword] = value
        return
      case 'boolean':
        if (typeof value !== 'boolean') wrong()
        else if (value) out[keyword] = true
        return
      case 'count':
        if (Number.isSafeInteger(value) && Number(value) >= 0) out[keyword] = value
        else wrong()
        return
      case 'number':
        if (typeof value !== 'number' || (keyword === 'multipleOf' && value <= 0)) wrong()
        else out[keyword] = value
        return
      case 'names':
        if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) wrong()
        else if (value.length > 0) {
          out[keyword] = [...new Set(value)]
          this.inheritedNames ||= value.some((name) => INHERITED.has(name))
        }
        return
      case 'schema':
        if (keyword.startsWith('unevaluated')) this.unevaluated = true
        if (typeof value === 'boolean' || isRecord(value)) out[keyword] = this.#schema(value, at)
        else wrong()
        return
      case 'schemas':
        if (!Array.isArray(value) || value.length === 0) wrong()
        else if (value.length > MAX_BRANCHES) {
          const message = `${keyword} has ${value.length} members; at most ${MAX_BRANCHES} can be checked`
          throw faultAt(this.#document, at, message)
        } else {
          out[keyword] = value.map((item, index) => this.#schema(item, `${at}/${index}`))
          if (keyword === 'anyOf' || keyword === 'oneOf') this.#union(keyword, value, at)
        }
        return
      case 'schemaMap':
        if (isRecord(value)) out[keyword] = this.#map(keyword, value, at)
        else wrong()
    }
  }

  #union(keyword: string, branches: readonly unknown[], at: string): void {
    const objects = branches.filter(
      (branch) => isRecord(branch) && ('$ref' in branch || 'properties' in branch),
    )
    if (objects.length < 2) return
    const message = `a field that any branch of ${keyword} declares is taken in all of them`
    this.#say('combinator-union', at, message)
  }

  #map(keyword: string, value: JsonRecord, at: string): Record<string, Schema> {
    const out: Record<string, Schema> = Object.create(null)
    for (const [name, member] of Object.entries(value)) {
      const place = `${at}/${escapePointer(name)}`
      if (keyword === 'properties' && INHERITED.has(name)) this.inheritedNames = true
      if (keyword === 'patternProperties') {
        const why = whyUnusable(name)
        if (why !== null) {
          this.#say(
            'pattern-unusable',
            place,
            `the pattern is not checked: ${why}; its names may hold anything`,
          )
          out[''] = true
          continue
        }
      }
      out[name] = this.#schema(member, place)
    }
    return out
  }

  #type(value: JsonRecord, out: Record<string, unknown>, pointer: string, old: boolean): void {
    const stated = own(value, 'type')
    const nullable = old && value['nullable'] === true
    if (stated === undefined) {
      // OpenAPI 3.0.3 §Schema Object: nullable is only meaningful beside a type.
      if (nullable)
        this.#say('nullable-without-type', pointer, 'nullable has no effect without a type beside it')
      return
    }
    const types = old || !Array.isArray(stated) ? [stated] : stated
    if (types.length === 0 || !types.every((type) => typeof type === 'string' && TYPES.has(type))) {
      this.#say('schema-keyword', `${pointer}/type`, 'type has no usable value and is not checked')
      return
    }
    const all = [...new Set(nullable ? [...types, 'null'] : types)]
    out['type'] = all.length === 1 ? all[0] : all
  }

  /** OpenAPI 3.0: a boolean beside the bound (JSON Schema draft 4). */
  #exclusive(value: JsonRecord, out: Record<string, unknown>): void {
    for (const [bound, exclusive] of [
      ['minimum', 'exclusiveMinimum'],
      ['maximum', 'exclusiveMaximum'],
    ] as const) {
      if (value[exclusive] !== true || out[bound] === undefined) continue
      out[exclusive] = out[bound]
      delete out[bound]
    }
  }

  #dependentRequired(value: JsonRecord, out: Record<string, unknown>, pointer: string): void {
    const stated = own(value, 'dependentRequired')
    if (stated === undefined) return
    const usable =
      isRecord(stated) &&
      Object.values(stated).every(
        (names) => Array.isArray(names) && names.every((n) => typeof n === 'string'),
      )
    if (usable) out['dependentRequired'] = stated
    else this.#say('schema-keyword', `${pointer}/dependentRequired`, 'dependentRequired is not checked')
  }

  #enum(value: JsonRecord, out: Record<string, unknown>, pointer: string): void {
    const stated = own(value, 'enum')
    if (stated === undefined) return
    if (Array.isArray(stated) && stated.length > 0) out['enum'] = stated
    else this.#say('schema-keyword', `${pointer}/enum`, 'enum has no usable value and is not checked')
  }

  #format(value: JsonRecord, out: Record<string, unknown>, pointer: string): void {
    const stated = own(value, 'format')
    if (stated === undefined) return
    if (typeof stated === 'string' && isKnownFormat(stated)) out['format'] = stated
    else
      this.#say('format-unknown', `${pointer}/format`, `format ${String(stated).slice(0, 60)} is not checked`)
  }

  #pattern(value: JsonRecord, out: Record<string, unknown>, pointer: string): void {
    const stated = own(value, 'pattern')
    if (stated === undefined) return
    const why = typeof stated === 'string' ? whyUnusable(stated) : 'it is not a string'
    if (why === null) out['pattern'] = stated
    else this.#say('pattern-unusable', `${pointer}/pattern`, `the pattern is not checked: ${why}`)
  }
}
