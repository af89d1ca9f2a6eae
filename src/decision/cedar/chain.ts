import type { Compiled, Test } from './compiled.ts'
import { ofConstant, ofTest } from './compiled.ts'
import { type Expression, isObject, operation } from './est.ts'

/** `a && b && …` and `a || b || …` in one go: as long as they may be, they cost no depth. */

/** The parts of a chain, in evaluation order, however it is bracketed: `&&` and `||` are associative, errors too. */
export function links(expression: Expression, operator: '&&' | '||'): readonly unknown[] {
  const found: unknown[] = []
  const open: unknown[] = [expression]
  while (open.length > 0) {
    const part = open.pop()
    const [own, operand] = isObject(part) ? operation(part) : ['', null]
    if (own === operator && isObject(operand)) open.push(operand['right'], operand['left'])
    else found.push(part)
  }
  return found
}

/** The conjunction; parts that are always true are left out, and what follows one that is always false. */
export function allOf(parts: readonly Compiled[]): Compiled {
  const kept = parts.filter(({ constant }) => constant !== true)
  const [first, second, third] = kept
  if (first === undefined) return ofConstant(true)
  if (first.constant === false) return ofConstant(false)
  return ofTest(second === undefined ? first.test : all(kept, first, second, third))
}

export function anyOf(parts: readonly Compiled[]): Compiled {
  const kept = parts.filter(({ constant }) => constant !== false)
  const [first, second, third] = kept
  if (first === undefined) return ofConstant(false)
  if (first.constant === true) return ofConstant(true)
  return ofTest(second === undefined ? first.test : any(kept, first, second, third))
}

function all(parts: readonly Compiled[], a: Compiled, b: Compiled, c: Compiled | undefined): Test {
  const first = a.test
  const second = b.test
  if (c === undefined) return (environment) => first(environment) && second(environment)
  const third = c.test
  if (parts.length === 3) {
    return (environment) => first(environment) && second(environment) && third(environment)
  }
  const tests = parts.map(({ test }) => test)
  return (environment) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]?.(environment) !== true) return false
    return true
  }
}

function any(parts: readonly Compiled[], a: Compiled, b: Compiled, c: Compiled | undefined): Test {
  const first = a.test
  const second = b.test
  if (c === undefined) return (environment) => first(environment) || second(environment)
  const tests = parts.map(({ test }) => test)
  return (environment) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]?.(environment) === true) return true
    return false
  }
}
