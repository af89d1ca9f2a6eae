import { difference, isLess, product, sum } from '../arithmetic.ts'
import { NOT_BOOLEAN, NOT_ENTITY, NOT_RECORD, NOT_SET, NOT_STRING } from '../compiled.ts'
import type { Entity } from '../entities.ts'
import type { Environment } from '../environment.ts'
import { CedarRecord, CedarSet, EntityUid, equal, includesAll, includesAny, type Value } from '../values.ts'

/** What generated code (source.ts) calls by name. Each throws an `EvaluationError` where Cedar's evaluation fails. */
export const RUNTIME = {
  /** Stands for a value that was not asked for yet; no value is this. */
  unread: Symbol('unread'),
  equal,
  includesAll,
  includesAny,
  isLess,
  sum,
  difference,
  product,

  bool(value: Value): boolean {
    if (typeof value !== 'boolean') throw NOT_BOOLEAN
    return value
  },

  entity(value: Value): EntityUid {
    if (value instanceof EntityUid) return value
    throw NOT_ENTITY
  },

  set(value: Value): CedarSet {
    if (value instanceof CedarSet) return value
    throw NOT_SET
  },

  notString(): never {
    throw NOT_STRING
  },

  /** Whether a value is this entity. */
  same(value: Value, uid: EntityUid): boolean {
    return value === uid || (value instanceof EntityUid && value.id === uid.id && value.type === uid.type)
  },

  /** Cedar's `in`, with the entity that the first names. */
  inside(uid: EntityUid, entity: Entity | undefined, other: EntityUid): boolean {
    if (uid.id === other.id && uid.type === other.type) return true
    return entity?.isIn(other) ?? false
  },

  /** Whether a set has this boolean, long or text. */
  holds(value: Value, plain: Value): boolean {
    if (!(value instanceof CedarSet)) throw NOT_SET
    const { elements } = value
    if (elements.length > COMPARED_ONE_BY_ONE) return value.has(plain)
    for (let i = 0; i < elements.length; i++) if (elements[i] === plain) return true
    return false
  },

  /** An attribute of any record or entity; undefined where it is absent. */
  attribute(environment: Environment, holder: Value, name: string): Value | undefined {
    if (holder instanceof CedarRecord) return holder.get(name)
    if (holder instanceof EntityUid) return environment.find(holder)?.attribute(name)
    throw NOT_RECORD
  },

  /** What holds the attributes: undefined where it is an entity that does not exist. */
  holder(environment: Environment, value: Value): unknown {
    return value instanceof EntityUid ? environment.find(value) : value
  },
} as const

const COMPARED_ONE_BY_ONE = 8
