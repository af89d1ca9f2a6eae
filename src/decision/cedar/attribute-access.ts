import type { Compiled, Run, Test } from './compiled.ts'
import { NOT_ENTITY, NOT_RECORD, NOT_STRING, ofRun, ofTest } from './compiled.ts'
import type { Entity } from './entities.ts'
import { CedarRecord, EntityUid, EvaluationError, MapRecord, type Value } from './values.ts'

/** Attributes of records and entities, and entities' tags. */

export function compileAttribute(left: Compiled, name: string): Compiled {
  return ofRun(attributeRun(left, name))
}

function attributeRun({ run, variable }: Compiled, name: string): Run {
  const absent = onDemand(`attribute ${JSON.stringify(name)} not found`)
  const of = (entity: Entity | undefined): Value => {
    if (entity === undefined) throw NO_ENTITY
    const value = entity.attribute(name)
    if (value === undefined) throw absent()
    return value
  }
  switch (variable) {
    case 'context':
      return (environment) => {
        const value = environment.context.get(name)
        if (value === undefined) throw absent()
        return value
      }
    case 'principal':
      return (environment) => of(environment.principalEntity)
    case 'resource':
      return (environment) => of(environment.resourceEntity)
    default:
      return (environment) => {
        const base = run(environment)
        if (base instanceof EntityUid) return of(environment.find(base))
        if (!(base instanceof CedarRecord)) throw NOT_RECORD
        const value = base.get(name)
        if (value === undefined) throw absent()
        return value
      }
  }
}

/** What fails for an attribute that `holder` does not have; undefined stands for an entity that does not exist. */
export function absentAttribute(name: string): (holder: unknown) => never {
  const absent = onDemand(`attribute ${JSON.stringify(name)} not found`)
  return (holder) => {
    throw holder === undefined ? NO_ENTITY : absent()
  }
}

const NO_ENTITY = new EvaluationError('the entity does not exist')

/** Made when it is first thrown: most never are, and making one takes the stack down. */
function onDemand(message: string): () => EvaluationError {
  let error: EvaluationError | undefined
  return () => {
    error ??= new EvaluationError(message)
    return error
  }
}

/** `left has a.b.c`: that `left has a`, and then that `left.a has b`, and so on. */
export function compileHas(left: Compiled, names: readonly string[]): Compiled {
  const [name, ...rest] = names
  if (name === undefined) return left
  const first = ofTest(hasTest(left, name))
  if (rest.length === 0) return first
  const below = compileHas(compileAttribute(left, name), rest).test
  const here = first.test
  return ofTest((environment) => here(environment) && below(environment))
}

function hasTest({ run, variable }: Compiled, name: string): Test {
  switch (variable) {
    case 'context':
      return (environment) => environment.context.get(name) !== undefined
    case 'principal':
      return (environment) => environment.principalEntity?.attribute(name) !== undefined
    case 'resource':
      return (environment) => environment.resourceEntity?.attribute(name) !== undefined
    default:
      return (environment) => {
        const base = run(environment)
        if (base instanceof EntityUid) return environment.find(base)?.attribute(name) !== undefined
        if (base instanceof CedarRecord) return base.get(name) !== undefined
        throw NOT_RECORD
      }
  }
}

const NO_TAG = new EvaluationError('the entity has no such tag')

export function compileGetTag(left: Compiled, right: Compiled): Compiled {
  const a = left.run
  const b = right.run
  return ofRun((environment) => {
    const uid = a(environment)
    const name = b(environment)
    if (!(uid instanceof EntityUid)) throw NOT_ENTITY
    if (typeof name !== 'string') throw NOT_STRING
    const entity = environment.find(uid)
    if (entity === undefined) throw NO_ENTITY
    const value = entity.tag(name)
    if (value === undefined) throw NO_TAG
    return value
  })
}

export function compileHasTag(left: Compiled, right: Compiled): Compiled {
  const a = left.run
  const b = right.run
  return ofTest((environment) => {
    const uid = a(environment)
    const name = b(environment)
    if (!(uid instanceof EntityUid)) throw NOT_ENTITY
    if (typeof name !== 'string') throw NOT_STRING
    return environment.find(uid)?.tag(name) !== undefined
  })
}

export function compileRecord(attributes: readonly (readonly [string, Compiled])[]): Compiled {
  const parts = attributes.map(([name, { run }]) => ({ name, run }))
  return ofRun((environment) => {
    const values = new Map<string, Value>()
    for (const { name, run } of parts) values.set(name, run(environment))
    return new MapRecord(values)
  })
}
