import type { Compiled, Run, Test } from './compiled.ts'
import { folded, NOT_ENTITIES, NOT_ENTITY, NOT_SET, ofConstant, ofRun, ofTest } from './compiled.ts'
import { ByEntity } from './entities.ts'
import type { Environment } from './environment.ts'
import { CedarSet, EntityUid, includesAll, includesAny, type Value } from './values.ts'

/** Sets, and what is in what: `in`, `is`, `contains…`. */

/** `left in right`: right is an entity, or a set of nothing but entities. */
export function compileIn(left: Compiled, right: Compiled): Compiled {
  const a = left.run
  const literal = right.constant
  if (literal instanceof EntityUid) {
    return ofTest((environment) => environment.isIn(entity(a(environment)), literal))
  }
  if (literal instanceof CedarSet && literal.elements.every((each) => each instanceof EntityUid)) {
    return ofTest(inLiterals(a, literal.elements))
  }
  const b = right.run
  return ofTest((environment) => isWithin(environment, entity(a(environment)), b(environment)))
}

function entity(value: Value): EntityUid {
  if (value instanceof EntityUid) return value
  throw NOT_ENTITY
}

export function isWithin(environment: Environment, uid: EntityUid, container: Value): boolean {
  if (container instanceof EntityUid) return environment.isIn(uid, container)
  if (!(container instanceof CedarSet)) throw NOT_ENTITIES
  // Each must be an entity, also where an earlier one settles it.
  const { elements } = container
  for (const element of elements) if (!(element instanceof EntityUid)) throw NOT_ENTITIES
  for (const element of elements)
    if (element instanceof EntityUid && environment.isIn(uid, element)) return true
  return false
}

/** Up to here each is asked for; beyond it the shorter of the list and the entity's ancestors is gone through. */
const FEW = 8

function inLiterals(run: Run, uids: readonly EntityUid[]): Test {
  const set = new ByEntity<true>()
  for (const uid of uids) set.set(uid, true)
  return (environment) => {
    const uid = entity(run(environment))
    if (set.has(uid)) return true
    const found = environment.find(uid)
    if (found === undefined) return false
    const ancestors = uids.length > FEW ? found.ancestors() : null
    if (ancestors !== null && ancestors.length < uids.length) {
      for (let i = 0; i < ancestors.length; i++) {
        const ancestor = ancestors[i]
        if (ancestor !== undefined && set.has(ancestor)) return true
      }
      return false
    }
    for (let i = 0; i < uids.length; i++) {
      const each = uids[i]
      if (each !== undefined && found.isIn(each)) return true
    }
    return false
  }
}

/** `left is Type` and, with a container, `left is Type in container`. */
export function compileIs(left: Compiled, type: string, container: Compiled | null): Compiled {
  const { run } = left
  if (container === null) return ofTest((environment) => entity(run(environment)).type === type)
  const within = compileIn(left, container).test
  return ofTest((environment) => entity(run(environment)).type === type && within(environment))
}

export function compileSet(elements: readonly Compiled[]): Compiled {
  const constants = elements.flatMap(({ constant }) => (constant === undefined ? [] : [constant]))
  if (constants.length === elements.length) return ofConstant(new CedarSet(constants))
  const runs = elements.map(({ run }) => run)
  return ofRun((environment) => {
    const values: Value[] = []
    for (let i = 0; i < runs.length; i++) {
      const run = runs[i]
      if (run !== undefined) values.push(run(environment))
    }
    return new CedarSet(values)
  })
}

function set(value: Value): CedarSet {
  if (value instanceof CedarSet) return value
  throw NOT_SET
}

export function compileContains(left: Compiled, right: Compiled): Compiled {
  const a = left.run
  const b = right.run
  return folded(
    ofTest((environment) => set(a(environment)).has(b(environment))),
    left,
    right,
  )
}

export function compileContainsMany(left: Compiled, right: Compiled, all: boolean): Compiled {
  const a = left.run
  const b = right.run
  const compare = all ? includesAll : includesAny
  return folded(
    ofTest((environment) => compare(set(a(environment)), set(b(environment)))),
    left,
    right,
  )
}

export function compileIsEmpty(operand: Compiled): Compiled {
  const { run } = operand
  return folded(
    ofTest((environment) => set(run(environment)).elements.length === 0),
    operand,
  )
}
