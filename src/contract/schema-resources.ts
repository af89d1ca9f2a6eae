import { escapePointer, parsePointer } from '../syntax/json-pointer.ts'
import {
  type Dialect,
  dialectOf,
  dialectOfVocabularies,
  JSON_SCHEMA_2020,
  OPENAPI_30,
  SUBSCHEMAS,
} from './dialect.ts'
import type { OpenApiDocument } from './document.ts'
import { isRecord, type JsonRecord, own, textAt } from './json-value.ts'
import { joinPlace, splitPlace } from './place.ts'
import { type Located, resolveReference } from './reference.ts'

/** A schema resource (JSON Schema core 2020-12 §4.3.5): what relative references and anchors inside it belong to. */
export interface Resource {
  /** Absolute, without fragment. */
  readonly uri: string
  readonly value: unknown
  readonly pointer: string
  readonly dialect: Dialect
  readonly anchors: Map<string, Located>
  /** Those of `$dynamicAnchor`; `$recursiveAnchor` stands under the empty name. */
  readonly dynamic: Map<string, Located>
  /** The contract itself or a file beside it, where references are the document's own. */
  readonly file: boolean
}

/** A target with the resource it stands in. */
export interface Target extends Located {
  readonly resource: Resource
}

/** No host: only what is relative to the contract, or named by an `$id` in it, is ever looked up here. */
const CONTRACT_BASE = 'contract:///'
const NO_DOCUMENTS: ReadonlyMap<string, unknown> = new Map()

/**
 * Schemas named by `$id`, `$anchor` and `$dynamicAnchor`, found by walking schemas (never examples or constants, which
 * may hold such names too). What no schema names is left to the document's own references.
 */
export class SchemaResources {
  readonly #document: OpenApiDocument
  readonly #documents: ReadonlyMap<string, unknown>
  readonly #unknownDialect: (uri: string, pointer: string) => void
  readonly #byUri = new Map<string, Resource>()
  readonly #files = new Map<string, Resource>()
  readonly #of = new WeakMap<object, Resource>()
  readonly #dialect: Dialect

  /** `documents`: further schemas by absolute URI, already read. */
  constructor(
    document: OpenApiDocument,
    unknownDialect: (uri: string, pointer: string) => void,
    documents: ReadonlyMap<string, unknown> = NO_DOCUMENTS,
  ) {
    this.#document = document
    this.#documents = documents
    this.#unknownDialect = unknownDialect
    if (!OF_DOCUMENT.has(document)) OF_DOCUMENT.set(document, this)
    const stated = document.version === '3.0' ? undefined : textAt(document.root, 'jsonSchemaDialect')
    this.#dialect =
      document.version === '3.0'
        ? OPENAPI_30
        : stated === undefined
          ? JSON_SCHEMA_2020
          : this.#dialectOf(stated, '/jsonSchemaDialect')
    const components = own(document.root, 'components')
    const schemas = isRecord(components) ? own(components, 'schemas') : undefined
    if (document.version === '3.0' || !isRecord(schemas)) return
    for (const [name, schema] of Object.entries(schemas)) {
      this.at(schema, `/components/schemas/${escapePointer(name)}`)
    }
  }

  /** The resource a schema of the contract stands in. */
  at(value: unknown, pointer: string, within: Resource = this.#file(splitPlace(pointer).part)): Resource {
    if (this.#document.version === '3.0' || !isRecord(value)) return within
    if (!this.#of.has(value)) this.#walk(value, pointer, within)
    return this.#of.get(value) ?? within
  }

  /** @throws {SallyportError} `contract-invalid` where the reference names nothing that was read. */
  resolve(ref: unknown, from: Resource, at: string): Target {
    if (typeof ref !== 'string' || this.#document.version === '3.0') return this.#inDocument(ref, at)
    const hash = ref.indexOf('#')
    const base = hash < 0 ? ref : ref.slice(0, hash)
    const fragment = decoded(hash < 0 ? '' : ref.slice(hash + 1))
    const uri = base === '' ? from.uri : absolute(base, from.uri)
    const resource = base === '' ? from : uri === null ? undefined : this.#resource(uri)
    if (resource === undefined || fragment === null) return this.#inDocument(ref, at)
    if (fragment !== '' && !fragment.startsWith('/')) {
      const anchor = resource.anchors.get(fragment)
      if (anchor === undefined) return this.#inDocument(ref, at)
      return { ...anchor, resource: this.at(anchor.value, anchor.pointer, resource) }
    }
    // Not everything in the contract is a schema, and its files are the document's to find.
    if (resource.file) return this.#inDocument(ref, at)
    return this.#below(resource, fragment) ?? this.#inDocument(ref, at)
  }

  /** All that a dynamic reference may mean, from wherever its schema is come to. */
  dynamicTargets(ref: unknown, name: string, from: Resource, at: string): readonly Located[] {
    const target = this.resolve(ref, from, at)
    const named = new Set([...this.#byUri.values()].map(({ dynamic }) => dynamic.get(name)))
    return [target, ...[...named].filter((each) => each !== undefined)]
  }

  #inDocument(ref: unknown, at: string): Target {
    const target = resolveReference(this.#document, ref, at)
    return { ...target, resource: this.at(target.value, target.pointer) }
  }

  #below(resource: Resource, fragment: string): Target | null {
    let value = resource.value
    let within = resource
    let pointer = resource.pointer
    for (const token of parsePointer(fragment)) {
      value = Array.isArray(value) ? value[Number(token)] : isRecord(value) ? own(value, token) : undefined
      if (value === undefined) return null
      pointer += `/${escapePointer(token)}`
      if (typeof value === 'object' && value !== null) within = this.#of.get(value) ?? within
    }
    return { value, pointer, resource: this.at(value, pointer, within) }
  }

  #resource(uri: string): Resource | undefined {
    const known = this.#byUri.get(uri)
    if (known !== undefined) return known
    const value = this.#documents.get(uri)
    if (value === undefined) return undefined
    const resource = this.#named(uri, value, joinPlace(uri, ''), this.#dialect)
    this.#byUri.set(uri, resource)
    this.#walk(value, resource.pointer, resource)
    const inner = isRecord(value) ? (this.#of.get(value) ?? resource) : resource
    this.#byUri.set(uri, inner)
    return inner
  }

  #file(part: string): Resource {
    let file = this.#files.get(part)
    if (file === undefined) {
      file = {
        ...this.#named(CONTRACT_BASE + part, undefined, joinPlace(part, ''), this.#dialect),
        file: true,
      }
      this.#files.set(part, file)
      this.#byUri.set(file.uri, file)
    }
    return file
  }

  #named(uri: string, value: unknown, pointer: string, dialect: Dialect): Resource {
    return { uri, value, pointer, dialect, anchors: new Map(), dynamic: new Map(), file: false }
  }

  #walk(value: unknown, pointer: string, within: Resource): void {
    if (!isRecord(value) || this.#of.has(value)) return
    const resource = this.#enter(value, pointer, within)
    this.#of.set(value, resource)
    for (const [name, inner] of Object.entries(value)) {
      const kind = SUBSCHEMAS.get(name)
      if (kind === undefined || typeof inner !== 'object' || inner === null) continue
      const at = `${pointer}/${name}`
      if (Array.isArray(inner)) {
        if (kind === 'schemas')
          for (const [index, each] of inner.entries()) this.#walk(each, `${at}/${index}`, resource)
      } else if (kind === 'schemaMap') {
        for (const [key, each] of Object.entries(inner))
          this.#walk(each, `${at}/${escapePointer(key)}`, resource)
      } else this.#walk(inner, at, resource)
    }
  }

  #enter(value: Readonly<Record<string, unknown>>, pointer: string, within: Resource): Resource {
    const schema = textAt(value, '$schema')
    const dialect = schema === undefined ? within.dialect : this.#dialectOf(schema, `${pointer}/$schema`)
    if (dialect.refAlone && own(value, '$ref') !== undefined) return within
    const id = dialect.id === null ? undefined : textAt(value, dialect.id)
    const hash = id === undefined ? -1 : id.indexOf('#')
    const base = id === undefined ? undefined : hash < 0 ? id : id.slice(0, hash)
    const uri = base === undefined || base === '' ? null : absolute(base, within.uri)
    let resource = within
    if (uri !== null || dialect !== within.dialect || value === within.value) {
      resource = this.#named(uri ?? within.uri, value, pointer, dialect)
      if (uri !== null || value === within.value) this.#byUri.set(resource.uri, resource)
    }
    const here: Located = { value, pointer }
    if (dialect.idAnchors) {
      if (id !== undefined && hash >= 0) resource.anchors.set(id.slice(hash + 1), here)
      return resource
    }
    const anchor = textAt(value, '$anchor')
    if (anchor !== undefined) resource.anchors.set(anchor, here)
    const dynamic = textAt(value, '$dynamicAnchor')
    if (dynamic !== undefined) {
      resource.anchors.set(dynamic, here)
      resource.dynamic.set(dynamic, here)
    }
    if (value['$recursiveAnchor'] === true) resource.dynamic.set('', here)
    return resource
  }

  #dialectOf(uri: string, pointer: string): Dialect {
    const known = dialectOf(uri)
    if (known !== null) return known
    const own = this.#documents.get(uri) ?? this.#byUri.get(uri)?.value
    const vocabulary = isRecord(own) ? own['$vocabulary'] : undefined
    if (isRecord(vocabulary)) return dialectOfVocabularies(Object.keys(vocabulary))
    this.#unknownDialect(uri, pointer)
    return JSON_SCHEMA_2020
  }
}

/** The dynamic references, and which anchor they ask for. */
export const DYNAMIC: ReadonlyMap<string, (ref: string) => string | null> = new Map([
  ['$dynamicRef', (ref: string) => (/#[^/]/.test(ref) ? ref.slice(ref.indexOf('#') + 1) : null)],
  ['$recursiveRef', () => ''],
])

const OF_DOCUMENT = new WeakMap<OpenApiDocument, SchemaResources>()

/**
 * What a schema's references name, for readers of schemas as they stand; of a dynamic one, all that it may.
 * @throws {SallyportError} `contract-invalid`
 */
export function referredSchemas(
  document: OpenApiDocument,
  schema: JsonRecord,
  pointer: string,
): readonly Located[] {
  const stated = ['$ref', ...DYNAMIC.keys()].filter((keyword) => own(schema, keyword) !== undefined)
  if (stated.length === 0) return []
  const resources = OF_DOCUMENT.get(document) ?? new SchemaResources(document, () => {})
  const from = resources.at(schema, pointer)
  return stated.flatMap((keyword) => {
    if (keyword !== '$ref' && from.dialect.refAlone) return []
    const ref = own(schema, keyword)
    const name = DYNAMIC.get(keyword)?.(String(ref)) ?? null
    return name === null
      ? [resources.resolve(ref, from, pointer)]
      : resources.dynamicTargets(ref, name, from, pointer)
  })
}

/** JSON Schema core 2020-12 §9.3.2: the outermost resource entered that has the anchor is the one meant. */
export class DynamicScope {
  readonly key: string
  readonly #anchors: ReadonlyMap<string, Target>
  readonly #inner = new Map<Resource, DynamicScope>()

  private constructor(key: string, anchors: ReadonlyMap<string, Target>) {
    this.key = key
    this.#anchors = anchors
  }

  static start(): DynamicScope {
    return new DynamicScope('', new Map())
  }

  enter(resource: Resource): DynamicScope {
    const known = this.#inner.get(resource)
    if (known !== undefined) return known
    const added = [...resource.dynamic].filter(([name]) => !this.#anchors.has(name))
    let inner: DynamicScope = this
    if (added.length > 0) {
      const anchors = new Map(this.#anchors)
      for (const [name, at] of added) anchors.set(name, { ...at, resource })
      inner = new DynamicScope(
        [...anchors]
          .map(([name, { pointer }]) => `${name}=${pointer}`)
          .sort()
          .join('\n'),
        anchors,
      )
    }
    this.#inner.set(resource, inner)
    return inner
  }

  find(name: string): Target | undefined {
    return this.#anchors.get(name)
  }
}

function absolute(reference: string, base: string): string | null {
  const url = URL.parse(reference, base)
  if (url === null) return null
  url.hash = ''
  return url.href
}

function decoded(fragment: string): string | null {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return null
  }
}
