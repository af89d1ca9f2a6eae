import { Environment } from './environment.ts'
import { EntityUid, EvaluationError, MapRecord, type Value } from './values.ts'

/** An expression as a closure. Both forms throw an `EvaluationError` where Cedar's evaluation fails. */
export interface Compiled {
  readonly run: Run
  /** The value where it must be a boolean: anything else fails. */
  readonly test: Test
  /** The value, where it is the same for every call. */
  readonly constant?: Value
  readonly variable?: Variable
}

export type Run = (environment: Environment) => Value
export type Test = (environment: Environment) => boolean
export type Variable = 'principal' | 'action' | 'resource' | 'context'

export const NOT_BOOLEAN: EvaluationError = new EvaluationError('type error: expected bool')
export const NOT_LONG: EvaluationError = new EvaluationError('type error: expected long')
export const NOT_STRING: EvaluationError = new EvaluationError('type error: expected string')
export const NOT_SET: EvaluationError = new EvaluationError('type error: expected set')
export const NOT_ENTITY: EvaluationError = new EvaluationError('type error: expected an entity')
export const NOT_ENTITIES: EvaluationError = new EvaluationError(
  'type error: expected an entity or a set of entities',
)
export const NOT_RECORD: EvaluationError = new EvaluationError('type error: expected a record or an entity')
export const NOT_ORDERED: EvaluationError = new EvaluationError(
  'type error: expected two long, datetime or duration',
)

/** An expression of any type. */
export function ofRun(run: Run): Compiled {
  return {
    run,
    test: (environment) => {
      const value = run(environment)
      if (typeof value !== 'boolean') throw NOT_BOOLEAN
      return value
    },
  }
}

/** An expression that is a boolean whenever it has a value. */
export function ofTest(test: Test): Compiled {
  return { run: test, test }
}

export function ofConstant(value: Value): Compiled {
  return { ...ofRun(() => value), constant: value }
}

/** The expression, worked out now where its operands are constant and nothing fails; it must read nothing else. */
export function folded(compiled: Compiled, ...operands: readonly Compiled[]): Compiled {
  if (operands.some(({ constant }) => constant === undefined)) return compiled
  try {
    return ofConstant(compiled.run(NOWHERE))
  } catch (error) {
    if (error instanceof EvaluationError) return compiled
    throw error
  }
}

const NOBODY = new EntityUid('', '')
const NOWHERE = new Environment(
  { principal: NOBODY, action: NOBODY, resource: NOBODY, context: new MapRecord(new Map()) },
  { get: () => undefined },
)
