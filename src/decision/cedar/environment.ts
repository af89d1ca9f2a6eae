import type { Entities, Entity } from './entities.ts'
import type { CedarRecord, EntityUid } from './values.ts'

/** What is asked: may this principal do this to that resource, in this context. */
export interface AuthorizationRequest {
  readonly principal: EntityUid
  readonly action: EntityUid
  readonly resource: EntityUid
  readonly context: CedarRecord
}

/** What an expression is evaluated over: the request's four variables and the entities there are. */
export class Environment {
  readonly principal: EntityUid
  readonly action: EntityUid
  readonly resource: EntityUid
  readonly context: CedarRecord
  /** The principal as an entity; undefined where it is not among the entities. */
  readonly principalEntity: Entity | undefined
  readonly resourceEntity: Entity | undefined
  /** Which evaluation of its policy set this is (shared-tests.ts); -1 outside of one. */
  readonly evaluation: number
  readonly #entities: Entities

  constructor(request: AuthorizationRequest, entities: Entities, evaluation = -1) {
    this.evaluation = evaluation
    this.principal = request.principal
    this.action = request.action
    this.resource = request.resource
    this.context = request.context
    this.principalEntity = entities.get(request.principal)
    this.resourceEntity = entities.get(request.resource)
    this.#entities = entities
  }

  find(uid: EntityUid): Entity | undefined {
    if (uid === this.principal) return this.principalEntity
    if (uid === this.resource) return this.resourceEntity
    return this.#entities.get(uid)
  }

  /** Cedar's `in` between two entities: reflexive, and true of every ancestor. */
  isIn(uid: EntityUid, other: EntityUid): boolean {
    if (uid.id === other.id && uid.type === other.type) return true
    const entity = this.find(uid)
    return entity?.isIn(other) ?? false
  }
}
