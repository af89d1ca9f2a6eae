import type { Compiled, Test } from './compiled.ts'
import { folded, NOT_LONG, NOT_ORDERED, ofRun, ofTest } from './compiled.ts'
import { equal, isExtension, isLong, type Long, longOf, type Value } from './values.ts'

/** Longs: 64 bits, where anything beyond is an error; and what has an order (long, datetime, duration). */

type Operator = '+' | '-' | '*'

export function isArithmetic(operator: string): operator is Operator {
  return operator === '+' || operator === '-' || operator === '*'
}

export function compileArithmetic(operator: Operator, left: Compiled, right: Compiled): Compiled {
  const a = left.run
  const b = right.run
  const apply = operator === '+' ? sum : operator === '-' ? difference : product
  return folded(
    ofRun((environment) => apply(a(environment), b(environment))),
    left,
    right,
  )
}

export function sum(left: Value, right: Value): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const fast = left + right
    if (Number.isSafeInteger(fast)) return fast
  }
  return longOf(exact(left) + exact(right))
}

export function difference(left: Value, right: Value): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const fast = left - right
    if (Number.isSafeInteger(fast)) return fast
  }
  return longOf(exact(left) - exact(right))
}

export function product(left: Value, right: Value): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const fast = left * right
    // A product that a number holds exactly may still be -0, which is no other long than 0.
    if (Number.isSafeInteger(fast)) return fast + 0
  }
  return longOf(exact(left) * exact(right))
}

function exact(value: Value): bigint {
  if (!isLong(value)) throw NOT_LONG
  return BigInt(value)
}

export function compileNegation(operand: Compiled): Compiled {
  const { run } = operand
  return folded(
    ofRun((environment) => difference(0, run(environment))),
    operand,
  )
}

type Order = '<' | '<=' | '>' | '>='

export function isOrder(operator: string): operator is Order {
  return operator === '<' || operator === '<=' || operator === '>' || operator === '>='
}

export function compileOrder(operator: Order, left: Compiled, right: Compiled): Compiled {
  return folded(ofTest(orderTest(operator, left, right)), left, right)
}

function orderTest(operator: Order, left: Compiled, right: Compiled): Test {
  const a = left.run
  const b = right.run
  switch (operator) {
    case '<':
      return (environment) => isLess(a(environment), b(environment), false)
    case '<=':
      return (environment) => isLess(a(environment), b(environment), true)
    case '>':
      return (environment) => !isLess(a(environment), b(environment), true)
    case '>=':
      return (environment) => !isLess(a(environment), b(environment), false)
  }
}

export function isLess(left: Value, right: Value, orEqual: boolean): boolean {
  if (typeof left === 'number' && typeof right === 'number') return orEqual ? left <= right : left < right
  if (isLong(left) && isLong(right)) return orEqual ? left <= right : left < right
  if (!isExtension(left) || !isExtension(right) || left.ext !== right.ext) throw NOT_ORDERED
  if (left.ms === undefined || right.ms === undefined) throw NOT_ORDERED
  return orEqual ? left.ms <= right.ms : left.ms < right.ms
}

/** `==` or, negated, `!=`: of any two values. */
export function compileEquality(left: Compiled, right: Compiled, negated: boolean): Compiled {
  return folded(ofTest(equalityTest(left, right, negated)), left, right)
}

function equalityTest(left: Compiled, right: Compiled, negated: boolean): Test {
  const a = left.run
  const b = right.run
  const literal = right.constant ?? left.constant
  if (literal !== undefined && typeof literal !== 'object') {
    const other = right.constant === undefined ? b : a
    return negated
      ? (environment) => other(environment) !== literal
      : (environment) => other(environment) === literal
  }
  return negated
    ? (environment) => !equal(a(environment), b(environment))
    : (environment) => equal(a(environment), b(environment))
}
