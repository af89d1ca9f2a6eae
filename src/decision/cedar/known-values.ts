import { nearest } from '../../syntax/nearest.ts'
import type { Expression, Policy } from './est.ts'
import { isObject, operands, operation, pathOf } from './est.ts'

/** By path (`context.networks`), the texts that can ever stand there. */
export type KnownValues = ReadonlyMap<string, readonly string[]>

/** A text compared with a path that never holds it. */
export interface UnknownValue {
  readonly value: string
  /** What is wrong, with the nearest there is. */
  readonly why: string
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

/**
 * @param networks Names of the declared networks; left out: any may be asked for.
 * @param classes Sensitivity classes that fields can have.
 */
export function knownValues(
  networks: readonly string[] | undefined,
  classes?: readonly string[],
): KnownValues {
  const values = new Map<string, readonly string[]>([['context.time.weekday', WEEKDAYS]])
  if (classes !== undefined) {
    values.set('context.requestClasses', classes)
    values.set('context.answerClasses', classes)
  }
  if (networks !== undefined) values.set('context.networks', networks)
  return values
}

const COMPARING: ReadonlySet<string> = new Set(['==', '!=', 'contains', 'containsAll', 'containsAny'])

/** Texts that conditions compare with what is never one of them: a forbid over a misspelt network forbids nothing. */
export function unknownValues(policy: Policy, known: KnownValues): readonly UnknownValue[] {
  const found: UnknownValue[] = []
  const open: Expression[] = policy.conditions.map(({ body }) => body)
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    open.push(...operands(next))
    const [operator, operand] = operation(next)
    if (!COMPARING.has(operator) || !isObject(operand)) continue
    const { left, right } = operand
    if (!isObject(left) || !isObject(right)) continue
    found.push(...unknownAmong(left, right, known), ...unknownAmong(right, left, known))
  }
  return found
}

function unknownAmong(path: Expression, compared: Expression, known: KnownValues): readonly UnknownValue[] {
  const name = pathOf(path)?.join('.') ?? ''
  const values = known.get(name)
  if (values === undefined) return []
  return textsOf(compared)
    .filter((value) => !values.includes(value))
    .map((value) => {
      const close = nearest(value, values)
      const hint = close === null ? '' : `; the nearest is ${JSON.stringify(close)}`
      return { value, why: `${name} never has ${JSON.stringify(value.slice(0, 200))}${hint}` }
    })
}

/** `"office"`, or each text of `["office", "home"]`. */
function textsOf(expression: Expression): readonly string[] {
  const [operator, operand] = operation(expression)
  if (operator === 'Value') return typeof operand === 'string' ? [operand] : []
  return operator === 'Set' && Array.isArray(operand) ? operand.filter(isObject).flatMap(textsOf) : []
}
