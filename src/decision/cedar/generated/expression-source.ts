import { isArithmetic, isOrder } from '../arithmetic.ts'
import { absentAttribute } from '../attribute-access.ts'
import { links } from '../chain.ts'
import type { Compiled } from '../compiled.ts'
import { type Expression, isObject, operation, pathOf } from '../est.ts'
import { compileExpression } from '../expression.ts'
import { EXTENSION_FUNCTIONS } from '../extensions/functions.ts'
import { compileLike } from '../like.ts'
import type { Slots } from '../scope.ts'
import { CedarSet, EntityUid, type Value } from '../values.ts'
import type { Names } from './names.ts'

/** Beyond it an expression is left to its closures. */
const MAX_DEPTH = 48
/** Variable and attributes; the code for a path triples with each. */
const MAX_PATH = 4

const ORDER: Readonly<Record<string, readonly [string, boolean]>> = {
  '<': ['', false],
  '<=': ['', true],
  '>': ['!', true],
  '>=': ['!', false],
}
const ARITHMETIC: Readonly<Record<string, string>> = { '+': 'sum', '-': 'difference', '*': 'product' }

/**
 * Expressions of one policy as JavaScript. What it makes is built of fixed fragments, names it numbers itself and safe
 * integers: texts of a policy stand in constants (`Names`), never in the code. What it has no fragment for calls the
 * expression's closure, so that both mean the same.
 */
export class ExpressionSource {
  readonly #names: Names
  readonly #slots: Slots
  readonly #literals = new Map<Expression, Compiled>()

  constructor(names: Names, slots: Slots) {
    this.#names = names
    this.#slots = slots
  }

  /** Code of a boolean; throws where the value is none. */
  test(node: unknown, depth = 0): string {
    if (!isObject(node)) return this.#closure({}, 'test')
    const constant = this.#constant(node)
    if (typeof constant === 'boolean') return String(constant)
    if (constant !== undefined || depth > MAX_DEPTH) return this.#closure(node, 'test')
    const [operator, operand] = operation(node)
    if (operator === '&&' || operator === '||') {
      return `(${links(node, operator)
        .map((part) => this.test(part, depth + 1))
        .join(operator)})`
    }
    if (!isObject(operand)) return `bool(${this.value(node, depth)})`
    const found = this.#test(node, operator, operand, depth + 1)
    return found ?? `bool(${this.value(node, depth)})`
  }

  /** Code of a value. */
  value(node: unknown, depth = 0): string {
    if (!isObject(node)) return this.#closure({}, 'run')
    const constant = this.#constant(node)
    if (constant !== undefined) return this.#names.constant(constant)
    if (depth > MAX_DEPTH) return this.#closure(node, 'run')
    const [operator, operand] = operation(node)
    if (operator === 'Var') return VARIABLES.has(operand) ? String(operand) : this.#closure(node, 'run')
    if (operator === '&&' || operator === '||') return this.test(node, depth)
    if (Array.isArray(operand)) return this.#extension(node, operator, operand, depth + 1)
    if (!isObject(operand)) return this.#closure(node, 'run')
    const path = this.#path(node)
    if (path !== null) return this.#present(path)
    if (operator === 'if-then-else') {
      const { if: condition, then, else: otherwise } = operand
      return `(${this.test(condition, depth + 1)}?${this.value(then, depth + 1)}:${this.value(otherwise, depth + 1)})`
    }
    if (isArithmetic(operator)) {
      return `${ARITHMETIC[operator]}(${this.value(operand['left'], depth + 1)},${this.value(operand['right'], depth + 1)})`
    }
    return this.#test(node, operator, operand, depth + 1) ?? this.#closure(node, 'run')
  }

  /** Operators that give a boolean; null for the others. */
  #test(node: Expression, operator: string, operand: Expression, depth: number): string | null {
    const { left, right, arg } = operand
    if (isOrder(operator)) return this.#order(operator, left, right, depth)
    switch (operator) {
      case '!':
        return `!${this.test(arg, depth)}`
      case '==':
        return this.#equality(left, right, depth)
      case '!=':
        return `!${this.#equality(left, right, depth)}`
      case 'in':
        return this.#in(left, right, depth) ?? this.#closure(node, 'test')
      case 'is':
        return this.#is(operand, depth) ?? this.#closure(node, 'test')
      case 'has':
        return this.#has(left, operand['attr']) ?? this.#closure(node, 'test')
      case 'like':
        return `(typeof(t=${this.value(left, depth)})==='string'?${this.#names.constant(compileLike(operand['pattern']))}(t):notString())`
      case 'contains':
        return this.#contains(left, right, depth)
      case 'containsAll':
        return `includesAll(set(${this.value(left, depth)}),set(${this.value(right, depth)}))`
      case 'containsAny':
        return `includesAny(set(${this.value(left, depth)}),set(${this.value(right, depth)}))`
      case 'isEmpty':
        return `(set(${this.value(arg, depth)}).elements.length===0)`
      case 'if-then-else':
        return `(${this.test(operand['if'], depth)}?${this.test(operand['then'], depth)}:${this.test(operand['else'], depth)})`
      default:
        return null
    }
  }

  #order(operator: string, left: unknown, right: unknown, depth: number): string {
    const [not = '', orEqual = false] = ORDER[operator] ?? []
    const limit = isObject(right) ? this.#constant(right) : undefined
    const a = this.value(left, depth)
    if (typeof limit !== 'number') return `${not}isLess(${a},${this.value(right, depth)},${orEqual})`
    const number = this.#names.constant(limit)
    return `(typeof(t=${a})==='number'?t${operator}${number}:${not}isLess(t,${number},${orEqual}))`
  }

  #equality(left: unknown, right: unknown, depth: number): string {
    const a = this.value(left, depth)
    const b = this.value(right, depth)
    for (const side of [right, left]) {
      const constant = isObject(side) ? this.#constant(side) : undefined
      if (constant !== undefined && typeof constant !== 'object') return `(${a}===${b})`
      if (constant instanceof EntityUid || this.#isEntity(side))
        return `same(${side === right ? `${a},${b}` : `${b},${a}`})`
    }
    return `equal(${a},${b})`
  }

  #in(left: unknown, right: unknown, depth: number): string | null {
    const container = isObject(right) ? this.#constant(right) : undefined
    if (!(container instanceof EntityUid)) return null
    const uid = this.value(left, depth)
    const other = this.#names.constant(container)
    const known = ENTITIES.get(uid)
    if (known !== undefined) return `inside(${uid},${known},${other})`
    return `environment.isIn(entity(${uid}),${other})`
  }

  #is(operand: Expression, depth: number): string | null {
    const { left, entity_type: type, in: container } = operand
    if (typeof type !== 'string' || container !== undefined) return null
    const uid = this.value(left, depth)
    return `(${this.#isEntity(left) ? uid : `entity(${uid})`}.type===${this.#names.constant(type)})`
  }

  /** `a has b.c`: that `a has b` and `a.b has c`. */
  #has(left: unknown, attr: unknown): string | null {
    const names: readonly unknown[] = Array.isArray(attr) ? attr : [attr]
    const path = this.#path(left)
    if (path === null || names.length === 0 || path.length + names.length > MAX_PATH) return null
    const tests: string[] = []
    const known = [...path]
    for (const name of names) {
      if (typeof name !== 'string') return null
      known.push(name)
      tests.push(`${this.#read(known)}!==undefined`)
    }
    return `(${tests.join('&&')})`
  }

  #contains(left: unknown, right: unknown, depth: number): string {
    const whole = isObject(left) ? this.#constant(left) : undefined
    const b = this.value(right, depth)
    if (whole instanceof CedarSet && whole.elements.every((each) => typeof each !== 'object')) {
      return `${this.#names.constant(new Set(whole.elements))}.has(${b})`
    }
    const element = isObject(right) ? this.#constant(right) : undefined
    const a = this.value(left, depth)
    if (element !== undefined && typeof element !== 'object') return `holds(${a},${b})`
    return `set(${a}).has(${b})`
  }

  #extension(node: Expression, name: string, operands: readonly unknown[], depth: number): string {
    const known = EXTENSION_FUNCTIONS.get(name)
    if (known === undefined || known.arity !== operands.length) return this.#closure(node, 'run')
    const { apply } = known
    return `${this.#names.constant(apply)}(${operands.map((each) => this.value(each, depth)).join(',')})`
  }

  /** `principal`, `resource` or `context` with the attributes read off it, one off the other. */
  #path(node: unknown): readonly string[] | null {
    const path = isObject(node) && shallow(node) ? pathOf(node) : null
    return path !== null && READ.has(path[0]) ? path : null
  }

  /** An attribute, or undefined: read once for all policies that ask for it. */
  #read(path: readonly string[]): string {
    const name = this.#names.constant(path.at(-1) ?? '')
    const base = path.slice(0, -1)
    const [variable = ''] = base
    const local = this.#names.local(path)
    if (base.length > 1)
      return `(${local}===unread?${local}=attribute(environment,${this.#present(base)},${name}):${local})`
    const read =
      variable === 'context' ? `context.get(${name})` : `${ENTITIES.get(variable)}?.attribute(${name})`
    return `(${local}===unread?${local}=${read}:${local})`
  }

  #present(path: readonly string[]): string {
    const [variable = '', ...attributes] = path
    if (attributes.length === 0) return variable
    const absent = this.#names.absent(path.at(-1) ?? '', absentAttribute)
    const base = path.slice(0, -1)
    const holder =
      base.length > 1 ? `holder(environment,${this.#present(base)})` : (ENTITIES.get(variable) ?? variable)
    return `(${this.#read(path)}??${absent}(${holder}))`
  }

  #isEntity(node: unknown): boolean {
    return isObject(node) && ENTITIES.has(node['Var'])
  }

  #constant(node: Expression): Value | undefined {
    if (!isLiteral(node, 0)) return undefined
    let made = this.#literals.get(node)
    if (made === undefined) {
      made = compileExpression(node, this.#slots)
      this.#literals.set(node, made)
    }
    return made.constant
  }

  #closure(node: Expression, form: 'run' | 'test'): string {
    const compiled: Compiled = compileExpression(node, this.#slots)
    return `${this.#names.constant(compiled[form])}(environment)`
  }
}

const VARIABLES: ReadonlySet<unknown> = new Set(['principal', 'action', 'resource', 'context'])
const READ: ReadonlySet<unknown> = new Set(['principal', 'resource', 'context'])
/** What generated code calls the entities that variables name. */
const ENTITIES: ReadonlyMap<unknown, string> = new Map([
  ['principal', 'principalEntity'],
  ['resource', 'resourceEntity'],
])

/** Nothing but values, sets of them and functions of them: the same for every call. */
function isLiteral(node: unknown, depth: number): boolean {
  if (!isObject(node) || depth > 4) return false
  const [operator, operand] = operation(node)
  if (operator === 'Value' || operator === 'Slot') return true
  return Array.isArray(operand) && operand.every((each) => isLiteral(each, depth + 1))
}

function shallow(node: Expression): boolean {
  let at: unknown = node
  for (let depth = 0; depth <= MAX_PATH; depth++) {
    if (!isObject(at)) return false
    if ('Var' in at) return true
    const base = at['.']
    at = isObject(base) ? base['left'] : undefined
  }
  return false
}
