import { CedarFormError, isObject } from '../cedar/est.ts'
import { EXTENSION_FUNCTIONS } from '../cedar/extensions/functions.ts'
import { MAX_VALUE_DEPTH } from '../cedar/value-json.ts'
import { CedarSet, EntityUid, EvaluationError, MapRecord, type Value } from '../cedar/values.ts'
import type { RecordShape, Shape } from './plan.ts'

/** A stated value is not what the schema says; `message` is the path of its attribute. */
export class StatedValueError extends Error {
  override readonly name = 'StatedValueError'
}

const EXTENSION: Readonly<Record<string, string>> = {
  ipaddr: 'ip',
  decimal: 'decimal',
  datetime: 'datetime',
  duration: 'duration',
}

/**
 * Plain JSON to the attributes the schema declares. What it does not declare no policy can read, so that is left out
 * unread; an entity is stated by its id, an address, decimal, time or duration by its text. Null fits nothing.
 *
 * @throws {StatedValueError}
 */
export function statedAttributes(
  stated: Readonly<Record<string, unknown>>,
  shape: RecordShape,
  path: string,
): ReadonlyMap<string, Value> {
  const attributes = new Map<string, Value>()
  for (const name of Object.keys(shape)) {
    const one = shape[name]
    if (one === undefined || !Object.hasOwn(stated, name)) continue
    attributes.set(name, statedValue(stated[name], one, `${path}.${name}`, 0))
  }
  return attributes
}

function statedValue(json: unknown, shape: Shape, path: string, depth: number): Value {
  if (depth > MAX_VALUE_DEPTH) throw new StatedValueError(path)
  switch (shape.kind) {
    case 'string':
      if (typeof json === 'string') return json
      break
    case 'boolean':
      if (typeof json === 'boolean') return json
      break
    case 'long':
      if (typeof json === 'number' && Number.isSafeInteger(json)) return json
      break
    case 'entity':
      if (typeof json === 'string') return new EntityUid(shape.type, json)
      break
    case 'set':
      if (Array.isArray(json))
        return new CedarSet(json.map((each) => statedValue(each, shape.element, path, depth + 1)))
      break
    case 'record':
      if (isObject(json)) {
        const attributes = new Map<string, Value>()
        for (const [name, one] of Object.entries(shape.attributes)) {
          if (Object.hasOwn(json, name))
            attributes.set(name, statedValue(json[name], one, `${path}.${name}`, depth + 1))
        }
        return new MapRecord(attributes)
      }
      break
    default:
      if (typeof json === 'string') return extensionOf(json, EXTENSION[shape.kind] ?? '', path)
  }
  throw new StatedValueError(path)
}

function extensionOf(text: string, name: string, path: string): Value {
  try {
    const made = EXTENSION_FUNCTIONS.get(name)?.apply(text, undefined)
    if (made !== undefined) return made
  } catch (error) {
    if (!(error instanceof EvaluationError) && !(error instanceof CedarFormError)) throw error
  }
  throw new StatedValueError(path)
}
