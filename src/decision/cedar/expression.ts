import {
  compileArithmetic,
  compileEquality,
  compileNegation,
  compileOrder,
  isArithmetic,
  isOrder,
} from './arithmetic.ts'
import {
  compileAttribute,
  compileGetTag,
  compileHas,
  compileHasTag,
  compileRecord,
} from './attribute-access.ts'
import { allOf, anyOf, links } from './chain.ts'
import type { Compiled } from './compiled.ts'
import { folded, NOT_STRING, ofConstant, ofRun, ofTest } from './compiled.ts'
import { CedarFormError, type Expression, isObject, operation } from './est.ts'
import { EXTENSION_FUNCTIONS } from './extensions/functions.ts'
import { compileLike } from './like.ts'
import {
  compileContains,
  compileContainsMany,
  compileIn,
  compileIs,
  compileIsEmpty,
  compileSet,
} from './membership.ts'
import type { Slots } from './scope.ts'
import { valueOfJson } from './value-json.ts'
import { EvaluationError } from './values.ts'

const WRONG_ARITY = new EvaluationError('wrong number of arguments')

/** The source may hold 1,024 operators and 48 brackets (source.ts), each at most one level of its JSON form. */
const MAX_DEPTH = 1_100

/**
 * A policy's expression, in Cedar's JSON form, as closures.
 * @throws {CedarFormError} for what Cedar's parser does not write.
 */
export function compileExpression(expression: Expression, slots: Slots): Compiled {
  return new Compiler(slots).compile(expression, 0)
}

class Compiler {
  readonly #slots: Slots

  constructor(slots: Slots) {
    this.#slots = slots
  }

  compile(expression: unknown, depth: number): Compiled {
    if (!isObject(expression)) throw new CedarFormError('an expression is no object')
    if (depth > MAX_DEPTH) throw new CedarFormError(`an expression is nested more than ${MAX_DEPTH} deep`)
    const [operator, operand] = operation(expression)
    switch (operator) {
      case 'Value':
        return literal(operand)
      case 'Var':
        return variable(operand)
      case 'Slot':
        return this.#slot(operand)
      case 'Set':
        if (!Array.isArray(operand)) throw new CedarFormError('a set is no list')
        return compileSet(operand.map((element) => this.compile(element, depth + 1)))
      case '&&':
      case '||':
        return this.#chain(expression, operator, depth)
      default:
        break
    }
    if (Array.isArray(operand)) return this.#extension(operator, operand, depth)
    if (!isObject(operand)) throw new CedarFormError(`${operator} has no operands`)
    if (operator === 'Record') {
      return compileRecord(Object.keys(operand).map((name) => [name, this.compile(operand[name], depth + 1)]))
    }
    return this.#operation(operator, operand, depth + 1)
  }

  #operation(operator: string, operand: Expression, depth: number): Compiled {
    const part = (name: string): Compiled => this.compile(operand[name], depth)
    if (isArithmetic(operator)) return compileArithmetic(operator, part('left'), part('right'))
    if (isOrder(operator)) return compileOrder(operator, part('left'), part('right'))
    switch (operator) {
      case '!':
        return not(part('arg'))
      case 'neg':
        return compileNegation(part('arg'))
      case '==':
        return compileEquality(part('left'), part('right'), false)
      case '!=':
        return compileEquality(part('left'), part('right'), true)
      case 'in':
        return compileIn(part('left'), part('right'))
      case 'is':
        return compileIs(
          part('left'),
          text(operand, 'entity_type'),
          operand['in'] === undefined ? null : part('in'),
        )
      case '.':
        return compileAttribute(part('left'), text(operand, 'attr'))
      case 'has':
        return compileHas(part('left'), names(operand['attr']))
      case 'like':
        return like(part('left'), operand['pattern'])
      case 'contains':
        return compileContains(part('left'), part('right'))
      case 'containsAll':
        return compileContainsMany(part('left'), part('right'), true)
      case 'containsAny':
        return compileContainsMany(part('left'), part('right'), false)
      case 'isEmpty':
        return compileIsEmpty(part('arg'))
      case 'getTag':
        return compileGetTag(part('left'), part('right'))
      case 'hasTag':
        return compileHasTag(part('left'), part('right'))
      case 'if-then-else':
        return choice(part('if'), part('then'), part('else'))
      default:
        throw new CedarFormError(`there is no operator ${operator}`)
    }
  }

  #slot(name: unknown): Compiled {
    const uid =
      name === '?principal' ? this.#slots.principal : name === '?resource' ? this.#slots.resource : undefined
    if (uid === undefined) throw new CedarFormError('a slot of the template is not filled')
    return ofConstant(uid)
  }

  /** `a && b && …` in one go: as long as it may be, it costs no depth. */
  #chain(expression: Expression, operator: '&&' | '||', depth: number): Compiled {
    const parts = links(expression, operator).map((part) => this.compile(part, depth + 1))
    return operator === '&&' ? allOf(parts) : anyOf(parts)
  }

  #extension(name: string, operands: readonly unknown[], depth: number): Compiled {
    const known = EXTENSION_FUNCTIONS.get(name)
    if (known === undefined) throw new CedarFormError(`there is no function ${name}`)
    const [first, second, ...rest] = operands.map((operand) => this.compile(operand, depth + 1))
    // Cedar's parser lets it pass; the call then fails, whatever it is given.
    if (first === undefined || rest.length > 0 || (second === undefined ? 1 : 2) !== known.arity) {
      return ofRun(() => {
        throw WRONG_ARITY
      })
    }
    const { apply } = known
    const a = first.run
    if (second === undefined)
      return folded(
        ofRun((environment) => apply(a(environment), undefined)),
        first,
      )
    const b = second.run
    return folded(
      ofRun((environment) => apply(a(environment), b(environment))),
      first,
      second,
    )
  }
}

/** A literal that no value can be made of fails each time it is evaluated. */
function literal(json: unknown): Compiled {
  try {
    return ofConstant(valueOfJson(json))
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error
    return ofRun(() => {
      throw error
    })
  }
}

function variable(name: unknown): Compiled {
  switch (name) {
    case 'principal':
      return { ...ofRun(({ principal }) => principal), variable: name }
    case 'action':
      return { ...ofRun(({ action }) => action), variable: name }
    case 'resource':
      return { ...ofRun(({ resource }) => resource), variable: name }
    case 'context':
      return { ...ofRun(({ context }) => context), variable: name }
    default:
      throw new CedarFormError('there is no such variable')
  }
}

function text(operand: Expression, key: string): string {
  const value = operand[key]
  if (typeof value !== 'string') throw new CedarFormError(`${key} is no text`)
  return value
}

function names(attr: unknown): readonly string[] {
  const stated: readonly unknown[] = Array.isArray(attr) ? attr : [attr]
  if (stated.length === 0) throw new CedarFormError('has names no attribute')
  return stated.map((name) => {
    if (typeof name !== 'string') throw new CedarFormError('has names something other than an attribute')
    return name
  })
}

function not(operand: Compiled): Compiled {
  const { test } = operand
  return folded(
    ofTest((environment) => !test(environment)),
    operand,
  )
}

function like(operand: Compiled, pattern: unknown): Compiled {
  const matches = compileLike(pattern)
  const { run } = operand
  return folded(
    ofTest((environment) => {
      const value = run(environment)
      if (typeof value !== 'string') throw NOT_STRING
      return matches(value)
    }),
    operand,
  )
}

function choice(condition: Compiled, then: Compiled, otherwise: Compiled): Compiled {
  const { test } = condition
  const a = then.run
  const b = otherwise.run
  return ofRun((environment) => (test(environment) ? a(environment) : b(environment)))
}
