import { escapePointer } from '../syntax/json-pointer.ts'
import type { ContractWarning, WarningCode } from './detail.ts'
import type { Dialect, Kind } from './dialect.ts'
import { type Branches, branchesOf } from './discriminator.ts'
import { faultAt, type OpenApiDocument } from './document.ts'
import { isNumber, isRawNumber, numberText } from './exact-json.ts'
import { isKnownFormat } from './formats.ts'
import { isRecord, type JsonRecord, own } from './json-value.ts'
import { whyUnusable } from './pattern.ts'
import { DYNAMIC, DynamicScope, type Resource, SchemaResources, type Target } from './schema-resources.ts'
import { SchemaSizer } from './schema-size.ts'
import { urlPlace } from './urls/url-place.ts'
import { namesToResolve } from './urls/url-rule.ts'

/** JSON Schema 2020-12 of the keywords below only; `$ref` names a component: `s:<index>`. */
export type Schema = boolean | { readonly [keyword: string]: unknown }

const TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'])
/** The fixtures have 27 at most. Each call tries all of them: 10,000 took 50 ms a call and seconds to compile. */
const MAX_BRANCHES = 1_000
/** What an object inherits: a property of such a name must be looked for among own ones only. */
const INHERITED = new Set(Object.getOwnPropertyNames(Object.prototype))

/** Where a schema stands, and what `$dynamicRef` means there. */
interface Scope {
  readonly resource: Resource
  readonly dynamic: DynamicScope
}

/** Keywords of the validation vocabulary; the others apply schemas. */
const ASSERTIONS: ReadonlySet<Kind> = new Set(['count', 'number', 'names', 'boolean', 'any'])
export class SchemaConverter {
  /** By component index, in the order of first reference. */
  readonly components: Schema[] = []
  /** A property is named as something every object inherits. */
  inheritedNames = false
  /** Names that annotations of fields with URLs list, for control to resolve. */
  readonly urlNames = new Set<string>()
  /** `unevaluated*` is used: Ajv must then track what was evaluated. */
  unevaluated = false
  readonly #document: OpenApiDocument
  readonly #warn: (warning: ContractWarning) => void
  readonly #resources: SchemaResources
  readonly #dynamic = DynamicScope.start()
  readonly #indexes = new Map<string, number>()
  readonly #pending: { value: unknown; pointer: string; index: number; scope: Scope }[] = []
  /** By what `$dynamicRef` means inside. */
  readonly #done = new Map<string, Map<object, Schema>>()
  readonly #sizer = new SchemaSizer((schema) => ({ $ref: `s:${this.components.push(schema) - 1}` }))

  /** `documents`: schemas by absolute URI that references may name beside those of the contract. */
  constructor(
    document: OpenApiDocument,
    warn: (warning: ContractWarning) => void,
    documents?: ReadonlyMap<string, unknown>,
  ) {
    this.#document = document
    this.#warn = warn
    this.#resources = new SchemaResources(
      document,
      (uri, pointer) =>
        this.#say('schema-keyword', pointer, `${uri.slice(0, 80)} is not known: read as 2020-12`),
      documents,
    )
  }

  /** Converts one schema of the contract with everything it refers to. */
  convert(value: unknown, pointer: string): Schema {
    const resource = this.#resources.at(value, pointer)
    const schema = this.#schema(value, pointer, { resource, dynamic: this.#dynamic.enter(resource) })
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      this.components[next.index] = this.#schema(next.value, next.pointer, next.scope)
    }
    return schema
  }

  #say(code: WarningCode, pointer: string, message: string): void {
    this.#warn({ code, pointer, message })
  }

  #component(target: Target, dynamic: DynamicScope): string {
    const scope: Scope = { resource: target.resource, dynamic: dynamic.enter(target.resource) }
    const key = `${target.pointer}\n${scope.dynamic.key}`
    let index = this.#indexes.get(key)
    if (index === undefined) {
      index = this.components.length
      this.#indexes.set(key, index)
      this.components.push(true)
      this.#pending.push({ value: target.value, pointer: target.pointer, index, scope })
    }
    return `s:${index}`
  }

  #schema(value: unknown, pointer: string, outer: Scope): Schema {
    if (typeof value === 'boolean') return value
    if (!isRecord(value)) throw faultAt(this.#document, pointer, 'a schema is expected here')
    const resource = this.#resources.at(value, pointer, outer.resource)
    const scope = resource === outer.resource ? outer : { resource, dynamic: outer.dynamic.enter(resource) }
    const done = this.#done.get(scope.dynamic.key) ?? new Map<object, Schema>()
    this.#done.set(scope.dynamic.key, done)
    const known = done.get(value)
    if (known !== undefined) return known
    const schema = this.#object(value, pointer, scope)
    done.set(value, schema)
    return schema
  }

  #object(value: JsonRecord, pointer: string, scope: Scope): Schema {
    const { dialect } = scope.resource
    const refs = this.#references(value, pointer, scope)
    const [ref] = refs
    // OpenAPI 3.0 §Reference Object and drafts before 2019-09: what stands beside $ref is ignored.
    if (ref !== undefined && dialect.refAlone) return { $ref: ref }
    const out: Record<string, unknown> = ref === undefined ? {} : { $ref: ref }
    if (refs.length > 1) out['allOf'] = refs.slice(1).map(($ref) => ({ $ref }))
    if (dialect.asserts) this.#type(value, out, pointer, dialect)
    for (const keyword of Object.keys(value)) {
      const kind = dialect.kinds.get(keyword)
      if (kind === undefined) {
        if (keyword.startsWith('x-')) continue
        const place = `${pointer}/${escapePointer(keyword)}`
        this.#say('schema-keyword', place, `${keyword.slice(0, 60)} is not read`)
      } else if (kind !== 'apart' && (dialect.asserts || !ASSERTIONS.has(kind))) {
        this.#keyword(keyword, kind, value[keyword], out, pointer, scope)
      }
    }
    if (dialect.itemsList) this.#items(value, out, pointer, scope)
    if (dialect.kinds.has('dependencies')) this.#dependencies(value, out, pointer, scope)
    if (dialect.asserts) this.#assertions(value, out, pointer, dialect)
    this.#format(value, out, pointer)
    this.#url(value, out, pointer)
    // Annotations that sealing/ turns into rules for their direction.
    for (const mark of ['readOnly', 'writeOnly'] as const) if (value[mark] === true) out[mark] = true
    const branches = own(value, 'discriminator') === undefined ? null : this.#branches(value, scope)
    const count = Array.isArray(out['oneOf']) ? out['oneOf'].length : 0
    this.#sizer.fit(out)
    // What was regrouped has other branches.
    const kept = Array.isArray(out['oneOf']) ? out['oneOf'].length : 0
    if (branches !== null && kept > 0 && kept === count) out['branches'] = branches
    return out
  }

  #branches(value: JsonRecord, scope: Scope): Branches | null {
    return branchesOf(value, (ref) => {
      try {
        return this.#resources.resolve(ref, scope.resource, '').pointer
      } catch {
        return null
      }
    })
  }

  #assertions(value: JsonRecord, out: Record<string, unknown>, pointer: string, dialect: Dialect): void {
    if (dialect.booleanBounds) this.#exclusive(value, out)
    if (!dialect.openApi) this.#dependentRequired(value, out, pointer)
    this.#enum(value, out, pointer)
    this.#pattern(value, out, pointer)
  }

  #references(value: JsonRecord, pointer: string, scope: Scope): readonly string[] {
    const refs: string[] = []
    const ref = own(value, '$ref')
    if (ref !== undefined) {
      refs.push(this.#component(this.#resources.resolve(ref, scope.resource, pointer), scope.dynamic))
    }
    if (scope.resource.dialect.refAlone) return refs
    for (const [keyword, anchorOf] of DYNAMIC) {
      const stated = own(value, keyword)
      if (stated === undefined) continue
      const target = this.#resources.resolve(stated, scope.resource, pointer)
      const name = anchorOf(String(stated))
      const isDynamic = name !== null && target.resource.dynamic.get(name)?.value === target.value
      const found = isDynamic ? scope.dynamic.enter(target.resource).find(name) : undefined
      refs.push(this.#component(found ?? target, scope.dynamic))
    }
    return refs
  }

  /** Up to 2019-09 a list under `items` was what `prefixItems` is now, and `additionalItems` stood for the rest. */
  #items(value: JsonRecord, out: Record<string, unknown>, pointer: string, scope: Scope): void {
    const items = own(value, 'items')
    if (items === undefined) return
    if (!Array.isArray(items)) return this.#keyword('items', 'schema', items, out, pointer, scope)
    out['prefixItems'] = items.map((item, index) => this.#schema(item, `${pointer}/items/${index}`, scope))
    const rest = own(value, 'additionalItems')
    if (rest !== undefined) out['items'] = this.#schema(rest, `${pointer}/additionalItems`, scope)
  }

  #dependencies(value: JsonRecord, out: Record<string, unknown>, pointer: string, scope: Scope): void {
    const stated = own(value, 'dependencies')
    if (!isRecord(stated)) return
    const required: Record<string, unknown> = Object.create(null)
    const schemas: Record<string, Schema> = Object.create(null)
    for (const [name, member] of Object.entries(stated)) {
      if (Array.isArray(member)) required[name] = member
      else schemas[name] = this.#schema(member, `${pointer}/dependencies/${escapePointer(name)}`, scope)
    }
    const all = [{ dependentRequired: required }, { dependentSchemas: schemas }]
    this.inheritedNames ||= Object.keys(stated).some((name) => INHERITED.has(name))
    out['allOf'] = [...((out['allOf'] ?? []) as readonly Schema[]), ...all]
  }

  #keyword(
    keyword: string,
    kind: Kind,
    value: unknown,
    out: Record<string, unknown>,
    pointer: string,
    scope: Scope,
  ): void {
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
        if (!isNumber(value) || (keyword === 'multipleOf' && !(Number(numberText(value)) > 0))) wrong()
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
        if (typeof value === 'boolean' || isRecord(value)) out[keyword] = this.#schema(value, at, scope)
        else wrong()
        return
      case 'schemas':
        if (!Array.isArray(value) || value.length === 0) wrong()
        else if (value.length > MAX_BRANCHES) {
          const message = `${keyword} has ${value.length} members; at most ${MAX_BRANCHES} can be checked`
          throw faultAt(this.#document, at, message)
        } else {
          const members = value.map((item, index) => this.#schema(item, `${at}/${index}`, scope))
          out[keyword] = [...((out[keyword] ?? []) as readonly Schema[]), ...members]
        }
        return
      case 'schemaMap':
        if (isRecord(value) && !isRawNumber(value)) out[keyword] = this.#map(keyword, value, at, scope)
        else wrong()
    }
  }

  #map(keyword: string, value: JsonRecord, at: string, scope: Scope): Record<string, Schema> {
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
      out[name] = this.#schema(member, place, scope)
    }
    return out
  }

  #type(value: JsonRecord, out: Record<string, unknown>, pointer: string, dialect: Dialect): void {
    const old = dialect.openApi
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
    if (usable) {
      out['dependentRequired'] = stated
      this.inheritedNames ||= Object.keys(stated).some((name) => INHERITED.has(name))
    } else this.#say('schema-keyword', `${pointer}/dependentRequired`, 'dependentRequired is not checked')
  }

  #enum(value: JsonRecord, out: Record<string, unknown>, pointer: string): void {
    const stated = own(value, 'enum')
    if (stated === undefined) return
    // Of no values, none fits.
    if (Array.isArray(stated)) out['enum'] = stated
    else this.#say('schema-keyword', `${pointer}/enum`, 'enum has no usable value and is not checked')
  }

  #format(value: JsonRecord, out: Record<string, unknown>, pointer: string): void {
    const stated = own(value, 'format')
    if (stated === undefined) return
    if (typeof stated === 'string' && isKnownFormat(stated)) out['format'] = stated
    else {
      // `url` is no format of the registry, and still one whose values the rule for URLs looks at.
      const ruled = urlPlace({ format: stated }) === null ? '' : ', but for the rule for URLs in requests'
      const message = `format ${String(stated).slice(0, 60)} is not checked${ruled}`
      this.#say('format-unknown', `${pointer}/format`, message)
    }
  }

  #url(value: JsonRecord, out: Record<string, unknown>, pointer: string): void {
    const place = urlPlace(value)
    if (typeof place === 'string') throw faultAt(this.#document, `${pointer}/x-sallyport/url`, place)
    if (place === null) return
    out['x-url'] = place
    for (const name of namesToResolve(place.rule)) this.urlNames.add(name)
  }

  #pattern(value: JsonRecord, out: Record<string, unknown>, pointer: string): void {
    const stated = own(value, 'pattern')
    if (stated === undefined) return
    const why = typeof stated === 'string' ? whyUnusable(stated) : 'it is not a string'
    if (why === null) out['pattern'] = stated
    else this.#say('pattern-unusable', `${pointer}/pattern`, `the pattern is not checked: ${why}`)
  }
}
