import { _, type AnySchemaObject, type Options, type ValidateFunction } from 'ajv'
import core from 'ajv/dist/core.js'
import applicator from 'ajv/dist/vocabularies/applicator/index.js'
import coreVocabulary from 'ajv/dist/vocabularies/core/index.js'
import format from 'ajv/dist/vocabularies/format/index.js'
import next from 'ajv/dist/vocabularies/next.js'
import unevaluated from 'ajv/dist/vocabularies/unevaluated/index.js'
import validation from 'ajv/dist/vocabularies/validation/index.js'
import { unwrap } from './commonjs.ts'
import type { CheckName } from './detail.ts'
import { FORMATS } from './formats.ts'
import { EXACT_KEYWORDS } from './keywords.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import { prepare } from './prepared.ts'
import type { Schema } from './schema.ts'
import { ABSENT, ANY_OF } from './sealing/sealed-keywords.ts'
import { evaluationKeywords } from './unevaluated.ts'
import { ONE_OF } from './union-keywords.ts'
import { URL_KEYWORD } from './urls/url-keyword.ts'

const Core = unwrap(core)

/** One check as source text, as Ajv leaves it: the function and the values it names. */
export interface GeneratedCheck {
  readonly name: string
  readonly code: string
  /** Set after the function where `unevaluated*` is in use. */
  readonly evaluated: string | undefined
  readonly constants: readonly { readonly name: string; readonly code: string }[]
  /** Names of other checks it calls, by the name it calls them by. */
  readonly calls: readonly { readonly as: string; readonly name: string; readonly wrapped: boolean }[]
}

/**
 * Compiles schemas with Ajv into standalone source. Every component has one function that all others call
 * (`inlineRefs: false`), so that code grows with the contract and not with its operations.
 */
export class ValidatorCompiler {
  readonly #ajv: InstanceType<typeof Core>
  readonly #names = new Map<string, CheckName>()
  readonly #checks = new Map<string, GeneratedCheck>()
  readonly #components: readonly Schema[]
  readonly #tracksEvaluated: boolean
  #extra = 0

  constructor(
    components: readonly Schema[],
    features: { readonly unevaluated: boolean; readonly inheritedNames: boolean },
  ) {
    const options: Options = {
      strict: false,
      meta: false,
      validateSchema: false,
      addUsedSchema: false,
      logger: false,
      messages: false,
      inlineRefs: false,
      allErrors: false,
      unevaluated: features.unevaluated,
      ownProperties: features.inheritedNames,
      next: true,
      formats: Object.fromEntries(FORMATS) as NonNullable<Options['formats']>,
      code: { source: true, optimize: false, regExp: patternEngine, formats: _`rt.formats` },
    }
    this.#ajv = new Core(options)
    for (const vocabulary of [unwrap(coreVocabulary), unwrap(validation), unwrap(applicator)(true)]) {
      this.#ajv.addVocabulary(vocabulary)
    }
    this.#ajv.addVocabulary(unwrap(format)).addVocabulary(unwrap(next))
    if (features.unevaluated) this.#ajv.addVocabulary(unwrap(unevaluated))
    this.#ajv.removeKeyword('anyOf').addKeyword(ANY_OF).addKeyword(ABSENT).addKeyword(URL_KEYWORD)
    this.#tracksEvaluated = features.unevaluated
    this.#components = components.map((schema) => prepare(schema, features.unevaluated))
    const component = (ref: string): Schema => this.#components[Number(ref.slice(2))] ?? true
    const own = features.unevaluated ? evaluationKeywords(component) : []
    for (const keyword of [...EXACT_KEYWORDS, ONE_OF, ...own]) {
      this.#ajv.removeKeyword(String(keyword.keyword)).addKeyword(keyword)
    }
    this.#components.forEach((schema, index) => {
      this.#ajv.addSchema(asObject(schema), `s:${index}`)
    })
  }

  /** The name of the schema's function, compiled at first use; null where everything fits. */
  check(schema: Schema): CheckName {
    if (schema === true || (typeof schema === 'object' && Object.keys(schema).length === 0)) return null
    const text = JSON.stringify(schema)
    const known = this.#names.get(text)
    if (known !== undefined) return known
    const only = typeof schema === 'object' && Object.keys(schema).length === 1 ? schema['$ref'] : undefined
    let key = typeof only === 'string' ? only : undefined
    if (key === undefined) {
      key = `x:${this.#extra++}`
      this.#ajv.addSchema(asObject(prepare(schema, this.#tracksEvaluated)), key)
    }
    const validate = this.#ajv.getSchema(key)
    if (validate === undefined) throw new Error(`schema ${key} was not compiled`)
    const name = this.#collect(validate)
    this.#names.set(text, name)
    return name
  }

  /** All functions the named ones need, callees first where there is no circle. */
  finish(): readonly GeneratedCheck[] {
    return [...this.#checks.values()]
  }

  #collect(root: unknown): string {
    const rootSource = sourceOf(root)
    const pending = [rootSource]
    for (let source = pending.pop(); source !== undefined; source = pending.pop()) {
      if (this.#checks.has(source.name)) continue
      const constants: { name: string; code: string }[] = []
      const calls: { as: string; name: string; wrapped: boolean }[] = []
      for (const value of source.values) {
        const as = String(value)
        const ref: unknown = value.value?.ref
        if (value.prefix === 'validate') {
          const callee = sourceOf(ref)
          calls.push({ as, name: callee.name, wrapped: false })
          pending.push(callee)
        } else if (value.prefix === 'wrapper' || value.prefix === 'root') {
          const callee = sourceOf((ref as { validate?: unknown }).validate)
          calls.push({ as, name: callee.name, wrapped: true })
          pending.push(callee)
        } else if (value.prefix !== 'schema' || mentions(source.code, as)) {
          constants.push({ name: as, code: String(value.value?.code) })
        }
      }
      const { name, code, evaluated } = source
      this.#checks.set(name, { name, code, evaluated, constants, calls })
    }
    return rootSource.name
  }
}

interface ScopeName {
  readonly prefix: string
  readonly value?: { readonly ref: unknown; readonly code?: unknown }
}

interface Source {
  readonly name: string
  readonly code: string
  readonly evaluated: string | undefined
  readonly values: readonly ScopeName[]
}

const sources = new WeakMap<object, Source>()

function sourceOf(validate: unknown): Source {
  const source = typeof validate === 'function' ? (validate as ValidateFunction).source : undefined
  if (source === undefined) throw new Error('a compiled schema has no source')
  let read = sources.get(source)
  if (read === undefined) {
    read = {
      name: String(source.validateName),
      code: source.validateCode,
      evaluated: source.evaluated === undefined ? undefined : String(source.evaluated),
      values: Object.values(source.scopeValues).flatMap((names) => [...(names ?? [])]),
    }
    sources.set(source, read)
  }
  return read
}

/** Generated names end in digits: `schema1` is not named by `schema16`. */
function mentions(code: string, name: string): boolean {
  for (let at = code.indexOf(name); at >= 0; at = code.indexOf(name, at + 1)) {
    const after = code.charCodeAt(at + name.length)
    if (!(after >= 0x30 && after <= 0x39)) return true
  }
  return false
}

const asObject = (schema: Schema): AnySchemaObject =>
  typeof schema === 'object' ? (schema as AnySchemaObject) : schema ? {} : { not: {} }

/** Ajv keys patterns by their text form, which is why a Pattern has its own `toString`. */
const patternEngine = Object.assign(
  (text: string): Pattern => {
    const pattern = compilePattern(text)
    if (pattern === null) throw new Error('a pattern that cannot be checked reached the compiler')
    return pattern
  },
  { code: 'rt.pattern' },
)
