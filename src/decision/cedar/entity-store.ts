import type { Entities, Entity } from './entities.ts'
import { ByEntity } from './entities.ts'
import type { EntityUid, Value } from './values.ts'

/** An entity as it is stated: with its direct parents. */
export interface EntityStatement {
  readonly uid: EntityUid
  readonly attributes?: ReadonlyMap<string, Value>
  readonly tags?: ReadonlyMap<string, Value>
  readonly parents?: readonly EntityUid[]
}

/** Ancestors over all entities of a store: beyond it, the closure of a hierarchy would fill the memory. */
export const MAX_ANCESTRY = 4_000_000

/** Why entities cannot be taken: a cycle, an entity stated twice, or a hierarchy beyond `MAX_ANCESTRY`. */
export class EntityStoreError extends Error {
  override readonly name = 'EntityStoreError'
}

const NONE: ReadonlyMap<string, Value> = new Map()

class StoredEntity implements Entity {
  readonly uid: EntityUid
  readonly #attributes: ReadonlyMap<string, Value>
  readonly #tags: ReadonlyMap<string, Value>
  readonly #ancestors: readonly EntityUid[]
  readonly #within: ByEntity<true>

  constructor(statement: EntityStatement, ancestors: ByEntity<EntityUid>) {
    this.uid = statement.uid
    this.#attributes = statement.attributes ?? NONE
    this.#tags = statement.tags ?? NONE
    this.#within = new ByEntity()
    const list: EntityUid[] = []
    for (const [uid] of ancestors.entries()) {
      list.push(uid)
      this.#within.set(uid, true)
    }
    this.#ancestors = list
  }

  attribute(name: string): Value | undefined {
    return this.#attributes.get(name)
  }

  tag(name: string): Value | undefined {
    return this.#tags.get(name)
  }

  isIn(other: EntityUid): boolean {
    return this.#within.has(other)
  }

  ancestors(): readonly EntityUid[] {
    return this.#ancestors
  }
}

/** Entities stated one by one, with the closure of their hierarchy worked out once. */
export class EntityStore implements Entities {
  readonly #entities = new ByEntity<Entity>()

  /** @throws {EntityStoreError} */
  constructor(statements: Iterable<EntityStatement>) {
    const stated = new ByEntity<EntityStatement>()
    for (const statement of statements) {
      if (stated.has(statement.uid)) throw new EntityStoreError(`${named(statement.uid)} is stated twice`)
      stated.set(statement.uid, statement)
    }
    for (const [uid, ancestors] of closure(stated)) {
      const statement = stated.get(uid)
      if (statement !== undefined) this.#entities.set(uid, new StoredEntity(statement, ancestors))
    }
  }

  get(uid: EntityUid): Entity | undefined {
    return this.#entities.get(uid)
  }
}

interface Visit {
  readonly uid: EntityUid
  readonly parents: readonly EntityUid[]
  readonly ancestors: ByEntity<EntityUid>
  next: number
}

/** Depth first with a stack of its own, so that a long chain of parents costs no call stack. */
function closure(
  stated: ByEntity<EntityStatement>,
): ReadonlyArray<readonly [EntityUid, ByEntity<EntityUid>]> {
  const done = new ByEntity<ByEntity<EntityUid>>()
  const open = new ByEntity<true>()
  const found: (readonly [EntityUid, ByEntity<EntityUid>])[] = []
  let held = 0
  for (const [root] of stated.entries()) {
    if (done.has(root)) continue
    const stack: Visit[] = [visit(root, stated, open)]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const parent = top.parents[top.next]
      if (parent === undefined) {
        held += top.ancestors.size
        if (held > MAX_ANCESTRY) throw new EntityStoreError('the entity hierarchy is too large')
        done.set(top.uid, top.ancestors)
        found.push([top.uid, top.ancestors])
        stack.pop()
        continue
      }
      const known = done.get(parent)
      if (known === undefined && stated.has(parent)) {
        if (open.has(parent)) throw new EntityStoreError(`${named(parent)} is among its own ancestors`)
        stack.push(visit(parent, stated, open))
        continue
      }
      top.ancestors.set(parent, parent)
      if (known !== undefined) for (const [uid] of known.entries()) top.ancestors.set(uid, uid)
      top.next++
    }
  }
  return found
}

function visit(uid: EntityUid, stated: ByEntity<EntityStatement>, open: ByEntity<true>): Visit {
  open.set(uid, true)
  return { uid, parents: stated.get(uid)?.parents ?? [], ancestors: new ByEntity(), next: 0 }
}

function named(uid: EntityUid): string {
  return `${uid.type}::${JSON.stringify(uid.id)}`
}
