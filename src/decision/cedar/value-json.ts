import { CedarFormError, entityOf, isObject } from './est.ts'
import { EXTENSION_FUNCTIONS } from './extensions/functions.ts'
import { CedarSet, EntityUid, longOf, MapRecord, type Value } from './values.ts'

/** How deep values may nest: an attribute deeper than this is an attack on the stack. */
export const MAX_VALUE_DEPTH = 100

const WHOLE = /^-?\d{1,19}$/

/**
 * A value of Cedar's JSON form: `{"__entity": {type, id}}`, `{"__extn": {fn, arg}}`, and `{"__long": "…"}` for longs
 * that a JavaScript number cannot hold (no part of Cedar's form: what this project's plans carry). A bigint is taken
 * as a long too.
 *
 * @throws {CedarFormError} for null, fractions, other escapes, and values nested beyond `MAX_VALUE_DEPTH`.
 * @throws {EvaluationError} where an extension's constructor refuses its argument, or a long has more than 64 bits.
 */
export function valueOfJson(json: unknown, depth = 0): Value {
  if (depth > MAX_VALUE_DEPTH) throw new CedarFormError(`a value is nested more than ${MAX_VALUE_DEPTH} deep`)
  if (typeof json === 'string' || typeof json === 'boolean') return json
  if (typeof json === 'bigint') return longOf(json)
  if (typeof json === 'number') {
    if (!Number.isSafeInteger(json))
      throw new CedarFormError('a number is no whole number that JSON carries exactly')
    return json
  }
  if (Array.isArray(json)) return new CedarSet(json.map((element) => valueOfJson(element, depth + 1)))
  if (!isObject(json)) throw new CedarFormError('null is no value')
  if ('__entity' in json) {
    const name = entityOf(json)
    if (name === null) throw new CedarFormError('an __entity is not of the form {type, id}')
    return new EntityUid(name.type, name.id)
  }
  if ('__extn' in json) return extensionOf(json['__extn'], depth)
  if ('__long' in json) return longOfText(json['__long'])
  const attributes = new Map<string, Value>()
  for (const name of Object.keys(json)) attributes.set(name, valueOfJson(json[name], depth + 1))
  return new MapRecord(attributes)
}

function longOfText(digits: unknown): Value {
  if (typeof digits !== 'string' || !WHOLE.test(digits))
    throw new CedarFormError('a __long is no whole number')
  return longOf(BigInt(digits))
}

function extensionOf(call: unknown, depth: number): Value {
  if (!isObject(call) || typeof call['fn'] !== 'string')
    throw new CedarFormError('an __extn names no function')
  const known = EXTENSION_FUNCTIONS.get(call['fn'])
  if (known === undefined) throw new CedarFormError('an __extn names an unknown function')
  const stated = Array.isArray(call['args']) ? call['args'] : [call['arg']]
  const [first, second, ...rest] = stated.map((argument: unknown) => valueOfJson(argument, depth + 1))
  const given = second === undefined ? 1 : 2
  if (first === undefined || rest.length > 0 || given !== known.arity) {
    throw new CedarFormError('an __extn has another number of arguments than its function')
  }
  return known.apply(first, second)
}
