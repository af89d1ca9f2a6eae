import type { Expression, Policy, ScopeConstraint } from '../decision/cedar/est.ts'
import { isObject, operands, operation, pathOf } from '../decision/cedar/est.ts'
import type { Constant } from './constants.ts'
import { constantOf } from './constants.ts'
import type { Mention, MutableMention } from './mention.ts'

/**
 * What policies ask of each attribute, taken from their JSON form: the constants it is compared with and how, which
 * attributes are compared with one another, and what cannot be followed. From this the request space takes a
 * representative of every value that the policies could tell apart.
 *
 * Paths are joined by dots; `principal` is the caller's identity, `principal.groups` and `principal.roles` are sets of
 * entity ids, `principal.zone` one of them.
 */
export class Mentions {
  readonly #paths = new Map<string, MutableMention>()
  readonly #related: (readonly [string, string])[] = []
  readonly #hard = new Map<string, string>()

  at(path: string): Mention | undefined {
    return this.#paths.get(path)
  }

  get paths(): readonly string[] {
    return [...this.#paths.keys()].sort()
  }

  /** Pairs of attributes that are compared for equality. */
  get related(): readonly (readonly [string, string])[] {
    return this.#related
  }

  /** Why representatives would not cover what a policy asks, by the path or operator at fault. */
  get hard(): ReadonlyMap<string, string> {
    return this.#hard
  }

  /** Scope and conditions of a policy. */
  add(policy: Policy): void {
    this.#scope('principal', policy.principal)
    this.#scope('resource', policy.resource)
    for (const { body } of policy.conditions) this.#condition(body)
  }

  #mention(path: string): MutableMention {
    const found = this.#paths.get(path)
    if (found !== undefined) return found
    const made: MutableMention = {
      constants: [],
      tested: false,
      bool: false,
      set: false,
      whole: false,
      patterns: [],
    }
    this.#paths.set(path, made)
    return made
  }

  #constant(path: string, constant: Constant): void {
    this.#mention(path).constants.push(constant)
  }

  #scope(variable: 'principal' | 'resource', scope: ScopeConstraint): void {
    if (scope.op === 'All') return
    this.#mention(variable)
    if (scope.op === 'is') {
      if (isObject(scope.in)) this.#members(variable, entityConstant(scope.in['entity'] ?? scope.in))
      return
    }
    const entity = entityConstant(scope.entity)
    if (scope.op === '==') this.#same(variable, entity)
    else this.#members(variable, entity)
  }

  /** An expression of type Boolean: connectives are followed, whatever else is an atom. */
  #condition(expression: Expression): void {
    const [operator, operand] = operation(expression)
    const parts = operands(expression)
    const [left, right] = parts
    switch (operator) {
      case '&&':
      case '||':
      case '!':
      case 'if-then-else':
        for (const part of parts) this.#condition(part)
        return
      case 'Value':
        return
      case '.': {
        const path = this.#touch(expression)
        if (path !== null) this.#mention(path).bool = true
        return
      }
      case 'has':
        this.#has(operand)
        return
      case 'is':
        if (left !== undefined) this.#touch(left)
        if (isObject(operand) && isObject(operand['in']) && left !== undefined)
          this.#membership(left, operand['in'])
        return
      case '==':
      case '!=':
        if (left !== undefined && right !== undefined) this.#equality(left, right)
        return
      case '<':
      case '<=':
      case '>':
      case '>=':
        if (left !== undefined && right !== undefined) this.#order(operator, left, right)
        return
      case 'in':
        if (left !== undefined && right !== undefined) this.#membership(left, right)
        return
      case 'contains':
      case 'containsAll':
      case 'containsAny':
      case 'isEmpty':
        this.#sets(operator, left, right)
        return
      case 'like':
        this.#like(operand)
        return
      case 'isInRange':
      case 'isIpv4':
      case 'isIpv6':
      case 'isLoopback':
      case 'isMulticast':
        this.#address(operator, left, right)
        return
      default:
        this.#unfollowed(operator, expression)
    }
  }

  /** Reads an attribute whose values a Boolean or a presence test tells apart by themselves. */
  #touch(expression: Expression): string | null {
    const path = pathOf(expression)
    if (path === null) {
      this.#unfollowed(operation(expression)[0], expression)
      return null
    }
    const name = path.join('.')
    this.#mention(name)
    return name
  }

  #has(operand: unknown): void {
    if (!isObject(operand) || !isObject(operand['left'])) return
    const base = pathOf(operand['left'])
    if (base === null) {
      if (constantOf(operand['left']) === null) this.#unfollowed('has', operand['left'])
      else this.#ofNamed('has', operand['left'])
      return
    }
    const attr = operand['attr']
    const attrs = Array.isArray(attr) ? attr.map(String) : [String(attr)]
    for (let length = 1; length <= attrs.length; length++) {
      this.#mention([...base, ...attrs.slice(0, length)].join('.')).tested = true
    }
  }

  #equality(left: Expression, right: Expression): void {
    const [one, other] = [constantOf(left), constantOf(right)]
    if (one !== null && other !== null) return
    const [path, opposite] = [pathOf(left)?.join('.'), pathOf(right)?.join('.')]
    if (path !== undefined && other !== null) this.#same(path, other)
    else if (opposite !== undefined && one !== null) this.#same(opposite, one)
    else if (path !== undefined && opposite !== undefined) this.#relate(path, opposite)
    else if (isBoolean(left) && isBoolean(right)) {
      this.#condition(left)
      this.#condition(right)
    } else {
      this.#unfollowed('==', left)
      this.#unfollowed('==', right)
    }
  }

  #same(path: string, constant: Constant): void {
    if (path === 'action') return
    if (constant.sort === 'set') {
      this.#set(path, true)
      for (const element of constant.value) this.#constant(path, element)
    } else this.#constant(path, constant)
  }

  #relate(path: string, other: string): void {
    this.#mention(path)
    this.#mention(other)
    if (path !== other) this.#related.push([path, other])
  }

  #order(operator: string, left: Expression, right: Expression): void {
    const [one, other] = [constantOf(left), constantOf(right)]
    const path = pathOf(other === null ? right : left)?.join('.')
    const constant = other ?? one
    if (path !== undefined && (constant?.sort === 'long' || constant?.sort === 'datetime'))
      this.#constant(path, constant)
    else if (one === null || other === null) {
      this.#unfollowed(operator, left)
      this.#unfollowed(operator, right)
    }
  }

  #membership(left: Expression, right: Expression): void {
    const path = pathOf(left)
    const constant = constantOf(right)
    const name = path?.length === 1 ? path[0] : undefined
    if (name !== undefined && constant !== null) this.#members(name, constant)
    else if (constant !== null && constantOf(left) !== null) this.#ofNamed('in', left, constant)
    else {
      this.#unfollowed('in', left)
      this.#unfollowed('in', right)
    }
  }

  /** What an entity that a policy names has is known where it is the caller: nothing chosen says so. */
  #ofNamed(operator: string, named: Expression, group?: Constant): void {
    this.#hard.set(operator, `${operator} is asked of an entity that is named`)
    const entity = constantOf(named)
    if (entity?.sort === 'entity' && CALLERS.has(entity.value.type)) this.#constant('principal', entity)
    if (group !== undefined) this.#members('principal', group)
  }

  #members(variable: string, constant: Constant): void {
    if (variable === 'action' || variable === 'context') return
    if (constant.sort === 'set') {
      for (const element of constant.value) this.#members(variable, element)
      return
    }
    const type = constant.sort === 'entity' ? constant.value.type : ''
    const path = variable === 'principal' ? MEMBERSHIPS[type] : undefined
    this.#constant(path ?? variable, constant)
  }

  #sets(operator: string, left: Expression | undefined, right: Expression | undefined): void {
    if (left === undefined) return
    const path = pathOf(left)?.join('.')
    if (operator === 'isEmpty') {
      if (path === undefined) this.#unfollowed(operator, left)
      else this.#set(path, true)
      return
    }
    if (right === undefined) return
    const [set, element] = [constantOf(left), constantOf(right)]
    if (set !== null && element !== null) return
    if (path !== undefined && element !== null) {
      this.#set(path, false)
      for (const each of element.sort === 'set' ? element.value : [element]) this.#constant(path, each)
      return
    }
    // `["a", "b"].contains(context.acr)`, `[principal].contains(resource.owner)`: equality with each.
    if (operator === 'contains' && operation(left)[0] === 'Set') {
      for (const each of operands(left)) this.#equality(each, right)
      return
    }
    if (operator === 'contains' && set?.sort === 'set') {
      const name = this.#touch(right)
      if (name !== null) for (const each of set.value) this.#constant(name, each)
      return
    }
    const other = pathOf(right)?.join('.')
    if (other !== undefined && set?.sort === 'set') {
      this.#set(other, operator === 'containsAll')
      for (const each of set.value) this.#constant(other, each)
      return
    }
    this.#unfollowed(operator, left)
    this.#unfollowed(operator, right)
  }

  #set(path: string, whole: boolean): void {
    const mention = this.#mention(path)
    mention.set = true
    if (whole) mention.whole = true
  }

  #like(operand: unknown): void {
    if (!isObject(operand) || !isObject(operand['left'])) return
    const path = this.#touch(operand['left'])
    const pattern = operand['pattern']
    if (path === null || !Array.isArray(pattern)) return
    const parts = pattern.map((part) => (isObject(part) ? String(part['Literal'] ?? '') : null))
    this.#mention(path).patterns.push(parts)
  }

  #address(operator: string, left: Expression | undefined, right: Expression | undefined): void {
    if (left === undefined) return
    const path = pathOf(left)?.join('.')
    if (path === undefined) {
      this.#unfollowed(operator, left)
      if (right !== undefined) this.#unfollowed(operator, right)
      return
    }
    const ranges = right === undefined ? (ADDRESS_KINDS[operator] ?? []).map(ipConstant) : [constantOf(right)]
    for (const range of ranges) {
      if (range?.sort === 'ip') this.#constant(path, range)
      else this.#unfollowed(operator, left)
    }
    this.#mention(path)
  }

  /** Every attribute below is read in a way that representatives are not known to cover. */
  #unfollowed(operator: string, expression: Expression): void {
    if (constantOf(expression) !== null) return
    const path = pathOf(expression)?.join('.')
    if (path !== undefined) {
      this.#mention(path)
      this.#hard.set(path, `${path} is used with ${operator}`)
      return
    }
    this.#hard.set(operator, `${operator} is not a comparison with a constant`)
    for (const part of operands(expression)) {
      if (isBoolean(part)) this.#condition(part)
      else this.#unfollowed(operator, part)
    }
  }
}

const CALLERS: ReadonlySet<string> = new Set(['User', 'Client', 'Workload'])

const MEMBERSHIPS: Readonly<Record<string, string>> = {
  Group: 'principal.groups',
  Role: 'principal.roles',
  Zone: 'principal.zone',
}

/** Cedar's predicates are these ranges; which family an address has is told apart anyway. */
const ADDRESS_KINDS: Readonly<Record<string, readonly string[]>> = {
  isLoopback: ['127.0.0.0/8', '::1/128'],
  isMulticast: ['224.0.0.0/4', 'ff00::/8'],
  isIpv4: ['0.0.0.0/0'],
  isIpv6: ['::/0'],
}

const BOOLEAN: ReadonlySet<string> = new Set([
  '&&',
  '||',
  '!',
  'has',
  'is',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  'contains',
  'containsAll',
  'containsAny',
  'isEmpty',
  'like',
  'isInRange',
  'isIpv4',
  'isIpv6',
  'isLoopback',
  'isMulticast',
])

function isBoolean(expression: Expression): boolean {
  const [operator, operand] = operation(expression)
  return BOOLEAN.has(operator) || (operator === 'Value' && typeof operand === 'boolean')
}

function ipConstant(value: string): Constant {
  return { sort: 'ip', value }
}

function entityConstant(value: unknown): Constant {
  if (Array.isArray(value)) return { sort: 'set', value: value.map(entityConstant) }
  const inner = isObject(value) && isObject(value['__entity']) ? value['__entity'] : value
  const { type, id } = isObject(inner) ? inner : { type: '', id: '' }
  return { sort: 'entity', value: { type: String(type), id: String(id) } }
}
