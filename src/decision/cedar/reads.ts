import type { Expression, Policy, ScopeConstraint } from './est.ts'
import { entityNames, isObject, namesIn, operands, operation, pathOf } from './est.ts'

/**
 * Which attributes a policy reads, as paths (`resource.owner`, `resource.params.orderId`, `principal.groups`):
 * what records must keep, and what makes a policy undecidable while a path is unknown. Testing with `has` is
 * reading. Whatever cannot be followed exactly counts as reading more, never less.
 */

/** Read paths of a whole policy, sorted. */
export function policyReads(policy: Policy): readonly string[] {
  const into = new Set<string>()
  scopeReads(policy.principal, 'principal', into)
  scopeReads(policy.resource, 'resource', into)
  for (const condition of policy.conditions) collect(condition.body, into)
  return [...into].sort()
}

export function expressionReads(expression: Expression): ReadonlySet<string> {
  const into = new Set<string>()
  collect(expression, into)
  return into
}

/** An Object's id is made of its path parameters, so comparing with one reads them. */
const RESOURCE_ID = 'resource.params'

function scopeReads(scope: ScopeConstraint, variable: 'principal' | 'resource', into: Set<string>): void {
  const within = scope.op === 'in' || (scope.op === 'is' && scope.in !== undefined)
  if (variable === 'principal') {
    if (within) memberships(entityTypes(scope), into)
  } else if ((scope.op === '==' || within) && JSON.stringify(scope).includes('"Object"')) {
    into.add(RESOURCE_ID)
  }
}

const MEMBERSHIPS: Readonly<Record<string, string>> = {
  Group: 'principal.groups',
  Role: 'principal.roles',
  Zone: 'principal.zone',
}

/** What `principal in …` reads, by the types of what stands there; null: they are not known beforehand. */
function memberships(types: ReadonlySet<string> | null, into: Set<string>): void {
  for (const [type, path] of Object.entries(MEMBERSHIPS)) if (types?.has(type) ?? true) into.add(path)
}

/** Types of the entities of a literal, or of a set of literals. */
function literalTypes(expression: Expression): ReadonlySet<string> | null {
  const [operator, operand] = operation(expression)
  if (operator === 'Value') return entityTypes(operand)
  if (operator !== 'Set') return null
  const parts = operands(expression)
  return parts.every((part) => operation(part)[0] === 'Value') ? entityTypes(parts) : null
}

function entityTypes(value: unknown): ReadonlySet<string> {
  return new Set(namesIn(value).map(({ type }) => type))
}

function collect(expression: Expression, into: Set<string>): void {
  const [operator, operand] = operation(expression)
  switch (operator) {
    case 'Var':
      bare(operand, into)
      break
    case '.':
    case 'has':
      attribute(operator, operand, into)
      break
    case 'is':
      typeTest(operand, into)
      break
    case '==':
    case '!=':
    case 'in':
      comparison(operator, expression, into)
      break
    default:
      for (const part of operands(expression)) collect(part, into)
  }
}

/** A variable used whole: all that it could be compared by. */
function bare(variable: unknown, into: Set<string>): void {
  if (variable === 'resource') into.add(RESOURCE_ID)
  else if (variable === 'context') into.add('context')
}

function attribute(operator: '.' | 'has', operand: unknown, into: Set<string>): void {
  if (!isObject(operand) || !isObject(operand['left'])) return
  const left = operand['left']
  const attr = operand['attr']
  const attrs = Array.isArray(attr) ? attr.map(String) : [String(attr)]
  const base = pathOf(left)
  if (base !== null) {
    // `has a.b` tests a, then b below it.
    for (let length = operator === 'has' ? 1 : attrs.length; length <= attrs.length; length++) {
      add([...base, ...attrs.slice(0, length)], into)
    }
    return
  }
  // `(if x then resource else y).owner`: the attribute of whichever variable stands in there.
  for (const variable of variablesIn(left)) add([variable, ...attrs], into)
  if (namesIn(left).some(({ type }) => type === 'Object')) into.add(RESOURCE_ID)
  collect(left, into)
}

function typeTest(operand: unknown, into: Set<string>): void {
  if (!isObject(operand) || !isObject(operand['left'])) return
  const path = pathOf(operand['left'])
  if (path === null || path.length > 1) collect(operand['left'], into)
  if (!isObject(operand['in'])) return
  if (variablesIn(operand['left']).has('principal')) memberships(literalTypes(operand['in']), into)
  if (path?.[0] === 'resource' && namesObject(operand['in'])) into.add(RESOURCE_ID)
  collect(operand['in'], into)
}

function comparison(operator: string, expression: Expression, into: Set<string>): void {
  const [left, right] = operands(expression)
  if (left === undefined || right === undefined) return
  if (operator === 'in' && variablesIn(left).has('principal')) memberships(literalTypes(right), into)
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    // `resource in Api::"shop"` and `resource == Operation::"…"` hold for every object alike.
    const whole = operation(side)[0] === 'Var' && operation(side)[1] === 'resource'
    if (whole && operation(other)[0] === 'Value' && !namesObject(other)) continue
    collect(side, into)
  }
}

function namesObject(expression: Expression): boolean {
  const policy = { principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' } } as const
  const conditions = [{ kind: 'when', body: expression }] as const
  const names = entityNames({ effect: 'permit', ...policy, conditions })
  return names.length === 0 || names.some(({ type }) => type === 'Object')
}

const STANDS_FOR: Readonly<Record<string, string>> = {
  User: 'principal',
  Client: 'principal',
  Workload: 'principal',
  Anonymous: 'principal',
  Operation: 'resource',
  Object: 'resource',
}

function variablesIn(expression: Expression): ReadonlySet<string> {
  const found = new Set<string>()
  const visit = (part: Expression): void => {
    const [operator, operand] = operation(part)
    if (operator === 'Var' && typeof operand === 'string') found.add(operand)
    // `User::"corp/ana"` is the principal where she calls; no other entity of its type has attributes or groups.
    if (operator === 'Value') for (const { type } of namesIn(operand)) found.add(STANDS_FOR[type] ?? type)
    for (const below of operands(part)) visit(below)
  }
  visit(expression)
  return found
}

/** Paths end where attributes do: `resource.owner.x` reads `resource.owner`; actions have no attributes. */
function add(path: readonly string[], into: Set<string>): void {
  const [variable, first, second] = path
  if (variable === undefined || variable === 'action' || first === undefined) return
  if (variable === 'Device') {
    into.add('context.device')
    return
  }
  const deep = variable === 'resource' && first === 'params' && second !== undefined
  into.add(deep ? `resource.params.${second}` : `${variable}.${first}`)
}
