import { SUBSCHEMAS } from './dialect.ts'
import { INTEGER_FORMATS } from './formats.ts'
import { isRecord } from './json-value.ts'
import type { Schema } from './schema.ts'

/**
 * A converted schema as Ajv is given it: the same meaning, said with keywords whose generated code is exact. Ajv knows
 * no member named `__proto__`, checks `integer` on doubles alone, and counts what a failed `if` evaluated.
 */
export function prepare(schema: Schema, tracksEvaluated: boolean): Schema {
  if (typeof schema === 'boolean') return schema
  const out: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(schema)) out[keyword] = below(keyword, value, tracksEvaluated)
  integer(out)
  numberFormat(out)
  protoName(out)
  if (tracksEvaluated) conditional(out)
  return out
}

function below(keyword: string, value: unknown, tracksEvaluated: boolean): unknown {
  const kind = SUBSCHEMAS.get(keyword)
  if (kind === undefined || typeof value !== 'object' || value === null) return value
  const each = (schema: unknown): Schema => prepare(schema as Schema, tracksEvaluated)
  if (Array.isArray(value)) return value.map(each)
  if (kind !== 'schemaMap') return each(value)
  const map: Record<string, Schema> = Object.create(null)
  for (const [name, member] of Object.entries(value)) map[name] = each(member)
  return map
}

function integer(out: Record<string, unknown>): void {
  const stated = out['type']
  const types: readonly unknown[] = Array.isArray(stated) ? stated : [stated]
  if (!types.includes('integer')) return
  const others = types.filter((type) => type !== 'integer' && type !== 'number')
  out['type'] = others.length === 0 ? 'number' : [...others, 'number']
  if (!types.includes('number')) out['integer'] = true
}

/** Ajv tells a format the value alone: where the digits stand is what these need. */
function numberFormat(out: Record<string, unknown>): void {
  const { format } = out
  if (typeof format !== 'string' || !INTEGER_FORMATS.has(format)) return
  delete out['format']
  out['numberFormat'] = format
}

const PROTO = '__proto__'

function protoName(out: Record<string, unknown>): void {
  const { properties, patternProperties } = out
  if (!isRecord(properties) || !Object.hasOwn(properties, PROTO)) return
  const { [PROTO]: schema, ...others } = properties
  out['properties'] = Object.assign(Object.create(null), others)
  out['patternProperties'] = Object.assign(Object.create(null), patternProperties, { '^__proto__$': schema })
}

/** `if` as the two cases it stands for: what a schema that failed evaluated does not count. */
function conditional(out: Record<string, unknown>): void {
  const { if: condition, then: met, else: otherwise } = out
  if (condition === undefined) return
  delete out['if']
  delete out['then']
  delete out['else']
  const cases = [{ allOf: [condition, met ?? true] }, { allOf: [{ not: condition }, otherwise ?? true] }]
  out['allOf'] = [...((out['allOf'] ?? []) as readonly Schema[]), { anyOf: cases }]
}
