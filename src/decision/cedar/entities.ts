import { EntityUid, type Value } from './values.ts'

/** One entity as the evaluator sees it. Every answer is the same each time within one evaluation. */
export interface Entity {
  readonly uid: EntityUid
  /** The attribute's value, or undefined where there is none. */
  attribute(name: string): Value | undefined
  /** The tag's value, or undefined where there is none. */
  tag(name: string): Value | undefined
  /** Whether `other` is an ancestor at any distance; an entity is no ancestor of itself. */
  isIn(other: EntityUid): boolean
  /** Every ancestor at any distance, each once, itself not among them. Asked for once per decision at most. */
  ancestors(): readonly EntityUid[]
}

/** The entities that exist in one evaluation. */
export interface Entities {
  get(uid: EntityUid): Entity | undefined
}

/** Values by entity: type first, then id, so that looking one up builds no text. */
export class ByEntity<T> {
  readonly #types = new Map<string, Map<string, T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(uid: EntityUid): T | undefined {
    return this.#types.get(uid.type)?.get(uid.id)
  }

  has(uid: EntityUid): boolean {
    return this.#types.get(uid.type)?.has(uid.id) ?? false
  }

  set(uid: EntityUid, value: T): void {
    let ids = this.#types.get(uid.type)
    if (ids === undefined) {
      ids = new Map()
      this.#types.set(uid.type, ids)
    }
    if (!ids.has(uid.id)) this.#size++
    ids.set(uid.id, value)
  }

  *entries(): Generator<readonly [EntityUid, T]> {
    for (const [type, ids] of this.#types)
      for (const [id, value] of ids) yield [new EntityUid(type, id), value]
  }
}
