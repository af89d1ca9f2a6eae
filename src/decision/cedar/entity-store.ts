import type { Entities, Entity } from './entities.ts'
import { ByEntity } from './entities.ts'
import { atOnce, PLACED_A_STEP, type Steps } from './steps.ts'
import type { EntityUid, Value } from './values.ts'

/** An entity as it is stated: with its direct parents. */
export interface EntityStatement {
  readonly uid: EntityUid
  readonly attributes?: ReadonlyMap<string, Value>
  readonly tags?: ReadonlyMap<string, Value>
  readonly parents?: readonly EntityUid[]
}

/** Ancestors over all entities of a store: beyond it, the closure of a hierarchy would fill the memory. */
export const MAX_ANCESTRY = 1_000_000

/** Why entities cannot be taken: a cycle, an entity stated twice, or a hierarchy beyond `MAX_ANCESTRY`. */
export class EntityStoreError extends Error {
  override readonly name = 'EntityStoreError'
}

const NONE: ReadonlyMap<string, Value> = new Map()

/** The ancestors of one entity: as a list, and by name. */
class Ancestry {
  readonly list: EntityUid[] = []
  readonly #names = new ByEntity<true>()

  has(uid: EntityUid): boolean {
    return this.#names.has(uid)
  }

  add(uid: EntityUid): void {
    if (this.#names.has(uid)) return
    this.#names.set(uid, true)
    this.list.push(uid)
  }
}

const NO_PARENTS: readonly EntityUid[] = []
/** Shared by all that have none: most entities of most stores. */
const ROOT = new Ancestry()

class StoredEntity implements Entity {
  readonly uid: EntityUid
  readonly #attributes: ReadonlyMap<string, Value>
  readonly #tags: ReadonlyMap<string, Value>
  readonly #ancestry: Ancestry

  constructor(statement: EntityStatement, ancestry: Ancestry) {
    this.uid = statement.uid
    this.#attributes = statement.attributes ?? NONE
    this.#tags = statement.tags ?? NONE
    this.#ancestry = ancestry
  }

  attribute(name: string): Value | undefined {
    return this.#attributes.get(name)
  }

  tag(name: string): Value | undefined {
    return this.#tags.get(name)
  }

  isIn(other: EntityUid): boolean {
    return this.#ancestry.has(other)
  }

  ancestors(): readonly EntityUid[] {
    return this.#ancestry.list
  }
}

/** Entities stated one by one, with the closure of their hierarchy worked out once. */
export class EntityStore implements Entities {
  readonly #entities: ByEntity<Entity>

  /**
   * @param stored What `inSteps` made of the statements.
   * @throws {EntityStoreError}
   */
  constructor(statements: Iterable<EntityStatement>, stored: ByEntity<Entity> = atOnce(store(statements))) {
    this.#entities = stored
  }

  /** The same in steps. */
  static *inSteps(statements: Iterable<EntityStatement>): Steps<EntityStore> {
    return new EntityStore([], yield* store(statements))
  }

  get(uid: EntityUid): Entity | undefined {
    return this.#entities.get(uid)
  }
}

function* store(statements: Iterable<EntityStatement>): Steps<ByEntity<Entity>> {
  const stated = new ByEntity<EntityStatement>()
  for (const statement of statements) {
    if (stated.has(statement.uid)) throw new EntityStoreError(`${named(statement.uid)} is stated twice`)
    stated.set(statement.uid, statement)
    if (stated.size % PLACED_A_STEP === 0) yield
  }
  const ancestries = yield* closure(stated)
  const entities = new ByEntity<Entity>()
  for (const [uid, ancestry] of ancestries.entries()) {
    const statement = stated.get(uid)
    if (statement !== undefined) entities.set(uid, new StoredEntity(statement, ancestry))
    if (entities.size % PLACED_A_STEP === 0) yield
  }
  return entities
}

interface Visit {
  readonly uid: EntityUid
  readonly parents: readonly EntityUid[]
  readonly ancestry: Ancestry
  next: number
}

/** Depth first with a stack of its own, so that a long chain of parents costs no call stack. */
function* closure(stated: ByEntity<EntityStatement>): Steps<ByEntity<Ancestry>> {
  const done = new ByEntity<Ancestry>()
  const open = new ByEntity<true>()
  let held = 0
  let looked = 0
  for (const [root] of stated.entries()) {
    if (++looked % PLACED_A_STEP === 0) yield
    if (done.has(root)) continue
    if ((stated.get(root)?.parents ?? NO_PARENTS).length === 0) {
      done.set(root, ROOT)
      continue
    }
    const stack: Visit[] = [visit(root, stated, open)]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const parent = top.parents[top.next]
      if (++looked % PLACED_A_STEP === 0) yield
      if (parent === undefined) {
        done.set(top.uid, top.ancestry)
        stack.pop()
        continue
      }
      const known = done.get(parent)
      if (known === undefined && stated.has(parent)) {
        if (open.has(parent)) throw new EntityStoreError(`${named(parent)} is among its own ancestors`)
        stack.push(visit(parent, stated, open))
        continue
      }
      held -= top.ancestry.list.length
      top.ancestry.add(parent)
      for (const uid of known?.list ?? NO_PARENTS) {
        top.ancestry.add(uid)
        if (++looked % PLACED_A_STEP === 0) yield
      }
      held += top.ancestry.list.length
      if (held > MAX_ANCESTRY) throw new EntityStoreError('the entity hierarchy is too large')
      top.next++
    }
  }
  return done
}

function visit(uid: EntityUid, stated: ByEntity<EntityStatement>, open: ByEntity<true>): Visit {
  open.set(uid, true)
  return { uid, parents: stated.get(uid)?.parents ?? [], ancestry: new Ancestry(), next: 0 }
}

function named(uid: EntityUid): string {
  return `${uid.type}::${JSON.stringify(uid.id)}`
}
