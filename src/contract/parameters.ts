import type { RawFields } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import type { ParameterDetail, ParameterType } from './detail.ts'
import { contractFinding, MAX_FINDINGS, NO_FINDINGS, shortPointer } from './findings.ts'
import type { Check } from './runtime.ts'

export interface LinkedParameter extends Omit<ParameterDetail, 'check'> {
  readonly check: Check | null
}

export interface ParameterSet {
  readonly path: readonly LinkedParameter[]
  readonly query: ReadonlyMap<string, LinkedParameter>
  readonly header: readonly LinkedParameter[]
  readonly queryPrefixes: readonly string[]
  readonly queryOpen: boolean
}

/** A list longer than this is refused: it could only be there to cost. */
const MAX_LIST = 1_024

/** Values as received, decoded once; `fields` in wire order. */
export function checkParameters(
  set: ParameterSet,
  params: Readonly<Record<string, string>>,
  query: readonly (readonly [string, string])[],
  fields: RawFields,
): readonly Finding[] {
  let findings: Finding[] | undefined
  const add = (found: Finding | null): void => {
    if (found === null) return
    findings ??= []
    if (findings.length < MAX_FINDINGS) findings.push(found)
  }
  for (const parameter of set.path) {
    const value = params[parameter.name]
    add(value === undefined ? missing(parameter) : checkJoined(parameter, value))
  }
  if (query.length > 0 || set.query.size > 0) checkQuery(set, query, add)
  for (const parameter of set.header) add(checkHeader(parameter, fields))
  return findings ?? NO_FINDINGS
}

function checkQuery(
  set: ParameterSet,
  query: readonly (readonly [string, string])[],
  add: (found: Finding | null) => void,
): void {
  const values = new Map<string, string[]>()
  for (const [name, value] of query) {
    const known = values.get(name)
    if (known === undefined) values.set(name, [value])
    else known.push(value)
  }
  for (const [name, given] of values) {
    const parameter = set.query.get(name)
    if (parameter !== undefined) add(checkGiven(parameter, given))
    else if (!set.queryOpen && !set.queryPrefixes.some((prefix) => name.startsWith(prefix))) {
      const shown = shortPointer(name)
      add(contractFinding('parameter-undeclared', { in: 'query', name: shown }, `query ${shown}`))
    }
  }
  for (const [name, parameter] of set.query) {
    if (parameter.required && !values.has(name)) add(missing(parameter))
  }
}

function checkHeader(parameter: LinkedParameter, fields: RawFields): Finding | null {
  const given: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (name.length === parameter.name.length && name.toLowerCase() === parameter.name)
      given.push(fields[i + 1] ?? '')
  }
  const [value] = given
  if (value === undefined) return parameter.required ? missing(parameter) : null
  if (given.length === 1) return checkJoined(parameter, value)
  // RFC 9110 §5.3: lines of one list field are one list.
  return parameter.form === 'list' ? checkJoined(parameter, given.join()) : repeated(parameter)
}

/** Path and header lists are comma-separated (style simple). */
function checkJoined(parameter: LinkedParameter, value: string): Finding | null {
  if (parameter.form === 'one' || parameter.form === 'unchecked') return checkGiven(parameter, [value])
  if (parameter.form === 'either' && oneFault(parameter, value) === null) return null
  return checkList(parameter, value === '' ? [] : value.split(',').map((item) => item.trim()))
}

function checkGiven(parameter: LinkedParameter, given: readonly string[]): Finding | null {
  const [value = ''] = given
  const empty = given.length === 1 && value === '' && parameter.allowEmpty
  switch (parameter.form) {
    case 'list':
      return empty ? null : checkList(parameter, given)
    case 'either':
      return given.length === 1 && oneFault(parameter, value) === null ? null : checkList(parameter, given)
    default: {
      if (given.length > 1) return repeated(parameter)
      if (parameter.form === 'unchecked' || empty) return null
      const rule = oneFault(parameter, value)
      return rule === null ? null : invalid(parameter, rule)
    }
  }
}

/** The rule that a text breaks in the last of the parameter's types it can be read as, or null where one fits. */
function oneFault({ types, check }: LinkedParameter, text: string): string | null {
  let rule = 'type'
  for (const type of types) {
    const value = read(text, type)
    if (value === undefined) continue
    const faults = check === null ? null : check.faults(value, text.length)
    if (faults === null) return null
    rule = faults[0]?.keyword ?? rule
  }
  return rule
}

function checkList(parameter: LinkedParameter, items: readonly string[]): Finding | null {
  if (items.length > MAX_LIST) return invalid(parameter, 'length')
  const values: unknown[] = []
  for (const item of items) {
    const value = firstReading(item, parameter.types)
    if (value === undefined) return invalid(parameter, 'type')
    values.push(value)
  }
  const faults = parameter.check === null ? null : parameter.check.faults(values, MAX_LIST)
  return faults === null ? null : invalid(parameter, faults[0]?.keyword ?? 'type')
}

function firstReading(text: string, types: readonly ParameterType[]): unknown {
  for (const type of types) {
    const value = read(text, type)
    if (value !== undefined) return value
  }
  return undefined
}

const INTEGER = /^-?(?:0|[1-9][0-9]{0,308})$/
const NUMBER = /^-?(?:0|[1-9][0-9]{0,308})(?:\.[0-9]{1,308})?(?:[eE][+-]?[0-9]{1,3})?$/

/** A text as the type's JSON value, or undefined where it is none; nothing is coerced. */
function read(text: string, type: ParameterType): string | number | boolean | null | undefined {
  switch (type) {
    case 'string':
      return text
    case 'integer':
      return INTEGER.test(text) ? Number(text) : undefined
    case 'number':
      return NUMBER.test(text) ? Number(text) : undefined
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'null':
      return text === '' || text === 'null' ? null : undefined
  }
}

const label = (parameter: LinkedParameter): string => `${parameter.in} ${parameter.name}`

const missing = (parameter: LinkedParameter): Finding =>
  contractFinding('parameter-missing', { in: parameter.in, name: parameter.name }, label(parameter))

const repeated = (parameter: LinkedParameter): Finding =>
  contractFinding('parameter-repeated', { in: parameter.in, name: parameter.name }, label(parameter))

function invalid(parameter: LinkedParameter, rule: string): Finding {
  const evidence = { in: parameter.in, name: parameter.name, rule }
  return contractFinding('parameter-invalid', evidence, `${label(parameter)}: ${rule}`)
}
