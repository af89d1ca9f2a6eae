import type { Chance } from './chance.ts'
import { type FaultKind, faultsOf } from './fault.ts'
import type { Dialect, RawSchema } from './schema-view.ts'
import { type ParameterStyle, serialized } from './serialize.ts'
import { ValueMaker } from './value.ts'

export interface ParameterSource extends ParameterStyle {
  readonly required: boolean
  readonly schema: RawSchema
  readonly pointer: string
}

export interface OperationSource {
  readonly method: string
  /** Below the API's base path. */
  readonly template: string
  readonly parameters: readonly ParameterSource[]
  /** Its JSON body; null where it takes none, or another kind. */
  readonly body: {
    readonly type: string
    readonly required: boolean
    readonly schema: RawSchema
    readonly pointer: string
  } | null
}

/** A request as it goes on the wire. */
export interface MadeCall {
  readonly method: string
  readonly target: string
  readonly fields: readonly string[]
  readonly body: string | null
  /** What stands in it, by the schema it is held against. */
  readonly values: readonly { readonly pointer: string; readonly value: unknown }[]
}

export interface FaultyCall {
  readonly kind: FaultKind | 'wrong-content-type' | 'undeclared-parameter'
  /** `query limit`, `body`. */
  readonly place: string
  readonly call: MadeCall
  /** The value at fault, where a validator can judge it. */
  readonly judge: { readonly pointer: string; readonly value: unknown } | null
}

type Given = ReadonlyMap<ParameterSource, unknown>

/** Makes requests an operation ought to take, and such with one fault in a parameter or its content type. */
export class CallMaker {
  readonly #dialect: Dialect
  readonly #chance: Chance
  readonly #maker: ValueMaker

  constructor(dialect: Omit<Dialect, 'direction'>, chance: Chance) {
    this.#dialect = { ...dialect, direction: 'request' }
    this.#chance = chance
    this.#maker = new ValueMaker(this.#dialect, chance)
  }

  /** Null where something it asks for cannot be made. */
  make(
    operation: OperationSource,
  ): { readonly call: MadeCall; readonly faults: readonly FaultyCall[] } | null {
    const given = new Map<ParameterSource, unknown>()
    const faults: FaultyCall[] = []
    const changed: { parameter: ParameterSource; kind: FaultKind; value: unknown }[] = []
    for (const parameter of operation.parameters) {
      if (!parameter.required && !this.#chance.happens(0.5)) continue
      const made = this.#maker.make(parameter.schema)
      const text = made === null ? null : textOf(parameter, made.value)
      if (made === null || text === null) {
        if (parameter.required) return null
        continue
      }
      given.set(parameter, made.value)
      // A text says nothing of its type: only what no number and no boolean is written as is a wrong type there.
      const typed = typeof made.value === 'number' || typeof made.value === 'boolean'
      for (const { kind, value } of faultsOf(made.value, made.spots, this.#dialect, this.#chance))
        if (kind !== 'wrong-type' || (typed && value === 'text')) changed.push({ parameter, kind, value })
    }
    const body = this.#body(operation)
    if (body === NO_BODY) return null
    const call = written(operation, given, body)
    if (call === null) return null
    for (const { parameter, kind, value } of changed) {
      const other = written(operation, new Map([...given, [parameter, value]]), body)
      const place = `${parameter.in} ${parameter.name}`
      if (other === null || value === '') continue
      faults.push({ kind, place, call: other, judge: { pointer: parameter.pointer, value } })
    }
    faults.push(...this.#left(operation, given, body))
    return { call, faults }
  }

  /** What is wrong without any value's being wrong. */
  *#left(operation: OperationSource, given: Given, body: string | null): Generator<FaultyCall> {
    for (const parameter of given.keys()) {
      if (!parameter.required || parameter.in === 'path') continue
      const rest = new Map([...given].filter(([each]) => each !== parameter))
      const call = written(operation, rest, body)
      const place = `${parameter.in} ${parameter.name}`
      if (call !== null) yield { kind: 'missing-required', place, call, judge: null }
    }
    const call = written(operation, given, body)
    if (call === null) return
    const target = `${call.target}${call.target.includes('?') ? '&' : '?'}zzUndeclared9=x`
    // An object that takes any name spreads into the query: then none is undeclared.
    if (
      !operation.parameters.some((each) => each.in === 'query' && each.style === 'form' && mayBeObject(each))
    )
      yield { kind: 'undeclared-parameter', place: 'query', call: { ...call, target }, judge: null }
    if (body !== null) {
      const fields = call.fields.map((field) =>
        field === operation.body?.type ? 'application/x-zz-other' : field,
      )
      yield { kind: 'wrong-content-type', place: 'body', call: { ...call, fields }, judge: null }
    }
  }

  #body({ body }: OperationSource): string | null | typeof NO_BODY {
    if (body === null || (!body.required && this.#chance.happens(0.3))) return null
    const made = this.#maker.make(body.schema)
    if (made === null) return body.required ? NO_BODY : null
    return JSON.stringify(made.value)
  }
}

const NO_BODY: unique symbol = Symbol('no body')

function mayBeObject({ schema, explode }: ParameterSource): boolean {
  return explode && typeof schema === 'object' && schema['type'] !== 'string' && schema['type'] !== 'integer'
}

function textOf(parameter: ParameterSource, value: unknown): string | null {
  const text = serialized(parameter, value)
  if (text === null) return null
  // A path segment cannot be empty, nor a dot segment (RFC 3986 §3.3).
  if (parameter.in === 'path' && (text === '' || text === '.' || text === '..')) return null
  return text
}

function written(operation: OperationSource, given: Given, body: string | null): MadeCall | null {
  let path = operation.template
  const query: string[] = []
  const fields: string[] = ['Host', '127.0.0.1']
  const cookies: string[] = []
  const values: { pointer: string; value: unknown }[] = []
  for (const [parameter, value] of given) {
    const text = textOf(parameter, value)
    if (text === null) return null
    values.push({ pointer: parameter.pointer, value })
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, () => text)
    else if (parameter.in === 'query') query.push(text)
    else if (parameter.in === 'cookie') cookies.push(...text.split('&'))
    else fields.push(parameter.name, text)
  }
  if (cookies.length > 0) fields.push('Cookie', cookies.join('; '))
  if (body !== null && operation.body !== null) {
    fields.push('Content-Type', operation.body.type)
    values.push({ pointer: operation.body.pointer, value: JSON.parse(body) as unknown })
  }
  const target = query.length === 0 ? path : `${path}?${query.join('&')}`
  return { method: operation.method, target, fields, body, values }
}
