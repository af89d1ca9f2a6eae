import type { Expression } from './est.ts'
import { conjuncts, disjuncts, isObject, operation } from './est.ts'

/** What a condition of a policy came to. */
export type Held = 'holds' | 'fails' | 'not-known' | 'error'

/** A condition as what it asks for, joined by `&&` and `||`, under any number of `!`. */
export type Formula = Leaf | Joined

export interface Leaf {
  readonly expression: Expression
  /** The fact it asks for, and whether it asks that it be false: `!(A)` and `A` turn on one fact. */
  readonly fact: string
  readonly negated: boolean
  readonly held: Held
}

export interface Joined {
  readonly expression: Expression
  readonly join: '&&' | '||'
  readonly negated: boolean
  /** In evaluation order. */
  readonly parts: readonly Formula[]
  readonly held: Held
}

/** A fact as it might have been. */
export interface Supposed {
  readonly fact: string
  readonly is: boolean
}

/** Joins within joins deeper than this stay one condition. */
const MAX_DEPTH = 8

/** @param heldOf What an expression comes to when it is evaluated alone. */
export function formulaOf(
  expression: Expression,
  heldOf: (expression: Expression) => Held,
  depth = MAX_DEPTH,
): Formula {
  const { inner, negated } = asked(expression)
  const held = heldOf(expression)
  const [operator] = operation(inner)
  if (depth > 0 && (operator === '&&' || operator === '||')) {
    const parts = (operator === '&&' ? conjuncts : disjuncts)(inner)
    if (parts.length > 1)
      return {
        expression,
        join: operator,
        negated,
        parts: parts.map((part) => formulaOf(part, heldOf, depth - 1)),
        held,
      }
  }
  return { expression, fact: JSON.stringify(inner), negated, held }
}

function asked(expression: Expression): { readonly inner: Expression; readonly negated: boolean } {
  const [operator, operand] = operation(expression)
  if (operator !== '!' || !isObject(operand) || !isObject(operand['arg']))
    return { inner: expression, negated: false }
  const { inner, negated } = asked(operand['arg'])
  return { inner, negated: !negated }
}

export function leavesOf(formula: Formula): readonly Leaf[] {
  return 'parts' in formula ? formula.parts.flatMap(leavesOf) : [formula]
}

/** What it would have come to. The evaluator waits for a condition as a whole while it reads what nobody has stated. */
export function heldIf(formula: Formula, supposed: Supposed): Held {
  const leaves = leavesOf(formula)
  if (leaves.every(({ fact }) => fact !== supposed.fact)) return formula.held
  if (leaves.some(({ fact, held }) => held === 'not-known' && fact !== supposed.fact)) return 'not-known'
  return supposedly(formula, supposed)
}

/** Left to right, as Cedar does: a part that settles it keeps those behind it from being asked, errors included. */
function supposedly(formula: Formula, supposed: Supposed): Held {
  if (!('parts' in formula)) {
    const { fact, negated, held } = formula
    return fact === supposed.fact ? truth(supposed.is !== negated) : held
  }
  const { join, negated, parts } = formula
  const settling = truth(join === '||')
  for (const part of parts) {
    const held = supposedly(part, supposed)
    if (held === 'error') return 'error'
    if (held === settling) return truth((settling === 'holds') !== negated)
  }
  return truth((settling === 'fails') !== negated)
}

function truth(is: boolean): Held {
  return is ? 'holds' : 'fails'
}
