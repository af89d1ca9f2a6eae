/** Cedar's JSON policy form (EST) as plain data, read without trusting its shape. */

/** One expression: an object with one key, the operator (docs.cedarpolicy.com, "JSON policy format"). */
export type Expression = Readonly<Record<string, unknown>>

export interface Condition {
  readonly kind: 'when' | 'unless'
  readonly body: Expression
}

export interface ScopeConstraint {
  readonly op: 'All' | '==' | 'in' | 'is'
  readonly entity?: unknown
  readonly entities?: readonly unknown[]
  readonly entity_type?: string
  /** Of a template, in place of `entity`: `?principal` or `?resource`. */
  readonly slot?: string
  readonly in?: unknown
}

export interface Policy {
  readonly effect: 'permit' | 'forbid'
  readonly principal: ScopeConstraint
  readonly action: ScopeConstraint
  readonly resource: ScopeConstraint
  readonly conditions: readonly Condition[]
  readonly annotations?: Readonly<Record<string, string | null>>
}

export interface EntityName {
  readonly type: string
  readonly id: string
}

/** JSON that is no policy, expression or value in Cedar's form: nothing that came through its parser. */
export class CedarFormError extends Error {
  override readonly name = 'CedarFormError'
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Operator and operand of an expression. */
export function operation(expression: Expression): readonly [string, unknown] {
  for (const key in expression) if (Object.hasOwn(expression, key)) return [key, expression[key]]
  return ['', null]
}

/** Expressions directly below. */
export function operands(expression: Expression): readonly Expression[] {
  const [operator, operand] = operation(expression)
  if (operator === 'Value' || operator === 'Var' || operator === 'Slot') return []
  if (Array.isArray(operand)) return operand.filter(isObject)
  if (!isObject(operand)) return []
  if (operator === 'Record') return Object.values(operand).filter(isObject)
  const below: Expression[] = []
  for (const key of ['left', 'right', 'arg', 'if', 'then', 'else', 'in']) {
    const part = operand[key]
    if (isObject(part)) below.push(part)
  }
  return below
}

/** The variable and attributes of `resource.params.orderId`, else null. */
export function pathOf(expression: Expression): readonly string[] | null {
  const [operator, operand] = operation(expression)
  if (operator === 'Var' && typeof operand === 'string') return [operand]
  if (operator !== '.' || !isObject(operand) || typeof operand['attr'] !== 'string') return null
  if (!isObject(operand['left'])) return null
  const base = pathOf(operand['left'])
  return base === null ? null : [...base, operand['attr']]
}

/** `A && B && C` as `[A, B, C]`, in evaluation order. */
export function conjuncts(expression: Expression): readonly Expression[] {
  return chain(expression, '&&')
}

export function disjuncts(expression: Expression): readonly Expression[] {
  return chain(expression, '||')
}

function chain(expression: Expression, wanted: '&&' | '||'): readonly Expression[] {
  const [operator, operand] = operation(expression)
  if (operator !== wanted || !isObject(operand)) return [expression]
  const { left, right } = operand
  return isObject(left) && isObject(right) ? [...chain(left, wanted), ...chain(right, wanted)] : [expression]
}

/** Every entity a policy names, in scope and conditions. */
export function entityNames(policy: Policy): readonly EntityName[] {
  return namesIn([policy.principal, policy.action, policy.resource, policy.conditions])
}

export function actionScope(policy: Policy): readonly EntityName[] {
  return namesIn(policy.action)
}

/** Every entity named anywhere in a part of a policy. */
export function namesIn(part: unknown): readonly EntityName[] {
  const found: EntityName[] = []
  collectEntities(part, found)
  return found
}

function collectEntities(value: unknown, found: EntityName[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collectEntities(item, found)
    return
  }
  if (!isObject(value)) return
  const name = entityName(value)
  if (name !== null) found.push(name)
  else for (const key of Object.keys(value)) collectEntities(value[key], found)
}

/** The entity a part of a policy states, `{type, id}` or `{__entity: {type, id}}`, else null. */
export function entityOf(value: unknown): EntityName | null {
  return isObject(value) ? entityName(value) : null
}

/** `{type, id}` or `{__entity: {type, id}}`. */
function entityName(value: Readonly<Record<string, unknown>>): EntityName | null {
  const inner = isObject(value['__entity']) ? value['__entity'] : value
  const { type, id } = inner
  return typeof type === 'string' && typeof id === 'string' && Object.keys(inner).length === 2
    ? { type, id }
    : null
}
