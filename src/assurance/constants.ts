import type { EntityName, Expression } from '../decision/cedar/est.ts'
import { isObject, operands, operation } from '../decision/cedar/est.ts'

/** A constant of a policy's text: what attributes are compared with. */
export type Constant =
  | { readonly sort: 'string'; readonly value: string }
  | { readonly sort: 'long'; readonly value: number }
  | { readonly sort: 'bool'; readonly value: boolean }
  | { readonly sort: 'entity'; readonly value: EntityName }
  | { readonly sort: 'ip'; readonly value: string }
  /** Milliseconds since the epoch. */
  | { readonly sort: 'datetime'; readonly value: number }
  | { readonly sort: 'set'; readonly value: readonly Constant[] }

/** The constant an expression is, else null: arithmetic and calls on constants are not worked out. */
export function constantOf(expression: Expression): Constant | null {
  const [operator, operand] = operation(expression)
  switch (operator) {
    case 'Value':
      return literal(operand)
    case 'neg': {
      const [arg] = operands(expression)
      const inner = arg === undefined ? null : constantOf(arg)
      return inner?.sort === 'long' ? { sort: 'long', value: -inner.value } : null
    }
    case 'Set': {
      const parts = operands(expression).map(constantOf)
      const known = parts.filter((part): part is Constant => part !== null)
      return known.length === parts.length ? { sort: 'set', value: known } : null
    }
    case 'ip':
    case 'datetime':
      return extensionOf(operator, operands(expression))
    default:
      return null
  }
}

function literal(value: unknown): Constant | null {
  if (typeof value === 'string') return { sort: 'string', value }
  if (typeof value === 'number') return { sort: 'long', value }
  if (typeof value === 'boolean') return { sort: 'bool', value }
  if (Array.isArray(value)) {
    const parts = value.map(literal).filter((part) => part !== null)
    return parts.length === value.length ? { sort: 'set', value: parts } : null
  }
  const entity = isObject(value) ? value['__entity'] : null
  if (!isObject(entity)) return null
  const { type, id } = entity
  return typeof type === 'string' && typeof id === 'string' ? { sort: 'entity', value: { type, id } } : null
}

function extensionOf(name: 'ip' | 'datetime', args: readonly Expression[]): Constant | null {
  const [only] = args
  const text = only === undefined ? null : constantOf(only)
  if (text?.sort !== 'string') return null
  if (name === 'ip') return { sort: 'ip', value: text.value }
  const value = datetimeMs(text.value)
  return value === null ? null : { sort: 'datetime', value }
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{3}))?(Z|[+-]\d{4}))?$/

/** Cedar's datetime literals: a date, or a time with `Z` or an offset. */
function datetimeMs(text: string): number | null {
  const match = DATE.exec(text)
  if (match === null) return null
  const [year, month, day, hour, minute, second, millis] = match
    .slice(1, 8)
    .map((part) => Number(part ?? 0)) as [number, number, number, number, number, number, number]
  const zone = match[8] ?? 'Z'
  const sign = zone.startsWith('-') ? -1 : 1
  const offset = zone === 'Z' ? 0 : sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5)))
  return Date.UTC(year, month - 1, day, hour, minute, second, millis) - offset * 60_000
}
