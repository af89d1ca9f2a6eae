import type { DomainPlan } from '../../model/bundle.ts'
import type { PolicyVerdict } from '../../model/decision.ts'
import { SallyportError } from '../../model/errors.ts'
import type { Reason } from '../../model/reason.ts'
import { reason } from '../../model/reason.ts'
import type { Question, Search, StatedAction } from '../../syntax/authzen.ts'
import type { Entities, Entity } from '../cedar/entities.ts'
import { type EntityStatement, EntityStore } from '../cedar/entity-store.ts'
import { PolicySet } from '../cedar/policy-set.ts'
import { atOnce, PLACED_A_STEP, type Steps } from '../cedar/steps.ts'
import { valueOfJson } from '../cedar/value-json.ts'
import { EntityUid, MapRecord, type Value } from '../cedar/values.ts'
import { policyReasons } from '../decide.ts'
import {
  type ActionPlan,
  type DomainDetail,
  type EntityPlan,
  type Name,
  type RecordShape,
  readDomainPlan,
} from './plan.ts'
import { StatedValueError, statedAttributes } from './stated-values.ts'

/** What a domain's policies say of one question. True only where a policy permits and none forbids or fails to. */
export interface Answer {
  readonly decision: boolean
  readonly reasons: readonly [Reason, ...Reason[]]
  readonly policies: readonly string[]
}

export type Found =
  | { readonly kind: 'entity'; readonly type: string; readonly id: string }
  | { readonly kind: 'action'; readonly name: string }

export interface Findings {
  readonly found: readonly Found[]
  readonly judged: number
  /** Where to go on; null where nothing is left. */
  readonly next: number | null
}

interface KnownAction {
  readonly plan: ActionPlan
  readonly uid: EntityUid
}

interface DomainParts {
  readonly detail: DomainDetail
  readonly policies: PolicySet
  readonly store: EntityStore
  readonly actions: ReadonlyMap<string, KnownAction>
  readonly ids: ReadonlyMap<string, readonly string[]>
}

/**
 * Another application's policies, schema and entities: a general Cedar decision point. Entities of the file are
 * joined by what a question states of subject and resource; where both name an attribute, the question's counts,
 * because it is the one that knows it now. Pure, deny by default; a forbid that fails denies.
 */
export class Domain {
  readonly name: string
  readonly #policies: PolicySet
  readonly #store: EntityStore
  readonly #types: ReadonlyMap<string, string>
  readonly #shapes: ReadonlyMap<string, RecordShape>
  readonly #actions: ReadonlyMap<string, KnownAction>
  /** Ids by entity type, in the file's order: what searches go through. */
  readonly #ids: ReadonlyMap<string, readonly string[]>

  /**
   * @param parts What `inSteps` made of the others.
   * @throws {SallyportError} `bundle-corrupt`
   */
  constructor(
    plan: DomainPlan,
    entities: readonly EntityStatement[],
    parts: DomainParts = atOnce(partsOf(plan, entities)),
  ) {
    this.name = plan.name
    this.#policies = parts.policies
    this.#store = parts.store
    this.#types = new Map(Object.entries(parts.detail.types))
    this.#shapes = new Map(Object.entries(parts.detail.shapes))
    this.#actions = parts.actions
    this.#ids = parts.ids
  }

  /** The same in steps, for a thread that answers calls meanwhile. Throws as the constructor does. */
  static *inSteps(plan: DomainPlan, entities: readonly EntityStatement[]): Steps<Domain> {
    return new Domain(plan, entities, yield* partsOf(plan, entities))
  }

  /** Never throws for anything a question holds. */
  decide(question: Question): Answer {
    const { subject, action, resource, context } = question
    const asked = this.#actions.get(action.name)
    if (asked === undefined) return unknown('action')
    const principalType = this.#types.get(subject.type)
    if (principalType === undefined) return unknown('subject')
    const resourceType = this.#types.get(resource.type)
    if (resourceType === undefined) return unknown('resource')
    const { plan, uid } = asked
    if (!plan.principals.includes(principalType) || !plan.resources.includes(resourceType))
      return unknown('combination')
    try {
      const principal = new EntityUid(principalType, subject.id)
      const object = new EntityUid(resourceType, resource.id)
      const entities = new Stated(
        this.#store,
        principal,
        statedAttributes(subject.properties, this.#shapes.get(principalType) ?? {}, 'subject'),
        object,
        statedAttributes(resource.properties, this.#shapes.get(resourceType) ?? {}, 'resource'),
      )
      // Cedar's actions have no attributes: what a question states of one is `context.action`.
      const stated = Object.hasOwn(plan.context, 'action') ? withAction(context, action) : context
      const request = {
        principal,
        action: uid,
        resource: object,
        context: new MapRecord(statedAttributes(stated, plan.context, 'context')),
      }
      const { decision, policies, errors } = this.#policies.authorize(request, entities)
      return answer({ verdict: decision, policies, errors })
    } catch (error) {
      if (!(error instanceof StatedValueError)) throw error
      return denied(reason('question-mistyped', 'policy', { attribute: error.message }, error.message))
    }
  }

  /** How many of what is searched for there are to be tried. */
  size(search: Search): number {
    if (search.target === 'action') return this.#actions.size
    return this.#ids.get(this.#types.get(search[search.target].type) ?? '')?.length ?? 0
  }

  /**
   * Tries the entities of the file, or the schema's actions, one by one, from place `from` on: until `limit` are
   * found, `most` tried, or none is left. What is not in the file is not found.
   */
  search(search: Search, from: number, limit: number, most: number): Findings {
    const size = this.size(search)
    const found: Found[] = []
    let at = from
    for (; at < size && found.length < limit && at - from < most; at++) {
      const tried = this.#candidate(search, at)
      if (tried !== null && this.decide(tried.question).decision) found.push(tried.found)
    }
    return { found, judged: at - from, next: at < size ? at : null }
  }

  #candidate(search: Search, at: number): { readonly question: Question; readonly found: Found } | null {
    const { target, subject, resource, context } = search
    if (target === 'action') {
      const name = [...this.#actions.keys()][at]
      if (name === undefined) return null
      const question = { subject, action: { name, properties: {} }, resource, context }
      return { question, found: { kind: 'action', name } }
    }
    const { type } = search[target]
    const id = this.#ids.get(this.#types.get(type) ?? '')?.[at]
    if (id === undefined || search.action === null) return null
    const candidate = { type, id, properties: {} }
    const question = { subject, resource, action: search.action, context, [target]: candidate }
    return { question, found: { kind: 'entity', type, id } }
  }
}

function* partsOf(plan: DomainPlan, entities: readonly EntityStatement[]): Steps<DomainParts> {
  const detail = readDomainPlan(plan)
  const known = detail.actions.map((action) => ({
    plan: action,
    uid: uidOf(action.uid),
    ancestors: action.ancestors.map(uidOf),
  }))
  const ids = new Map<string, string[]>()
  let at = 0
  for (const { uid } of entities) {
    const same = ids.get(uid.type)
    if (same === undefined) ids.set(uid.type, [uid.id])
    else same.push(uid.id)
    if (++at % PLACED_A_STEP === 0) yield
  }
  try {
    const statements = known.map(({ uid, ancestors }) => ({ uid, parents: ancestors }))
    return {
      detail,
      policies: yield* PolicySet.inSteps(detail.policies, known),
      store: yield* EntityStore.inSteps([...entities, ...statements]),
      actions: new Map(known.map((action) => [action.plan.name, action])),
      ids,
    }
  } catch (error) {
    throw new SallyportError('bundle-corrupt', 'a domain cannot be prepared', { domain: plan.name }, error)
  }
}

function withAction(context: Question['context'], { properties }: StatedAction): Question['context'] {
  return Object.keys(properties).length === 0 ? context : { ...context, action: properties }
}

function answer(verdict: PolicyVerdict): Answer {
  const [first, ...rest] = policyReasons(verdict, true)
  if (verdict.verdict === 'allow' && first === undefined) {
    const permits = reason('policy-permits', 'policy', { policies: verdict.policies.slice(0, MAX_NAMED) })
    return { decision: true, reasons: [permits], policies: verdict.policies }
  }
  const why = first ?? reason('stage-failed', 'stage', { stage: 'policy' })
  return { decision: false, reasons: [why, ...rest], policies: verdict.policies }
}

/** Policies that evidence names at most. */
const MAX_NAMED = 20

function unknown(what: string): Answer {
  return denied(reason('question-unknown', 'policy', { what }, what))
}

function denied(why: Reason): Answer {
  return { decision: false, reasons: [why], policies: [] }
}

function uidOf({ type, id }: Name): EntityUid {
  return new EntityUid(type, id)
}

/** Entities of a bundle's part, made apart from the rest so that many of them can be made in slices. */
export function entityStatements(entities: readonly unknown[]): readonly EntityStatement[] {
  return (entities as readonly EntityPlan[]).map(({ uid, attrs, tags, parents }) => ({
    uid: uidOf(uid),
    attributes: values(attrs),
    tags: values(tags),
    parents: parents.map(uidOf),
  }))
}

function values(json: Readonly<Record<string, unknown>>): ReadonlyMap<string, Value> {
  return new Map(Object.keys(json).map((name) => [name, valueOfJson(json[name])]))
}

/** The file's entities, with what the question states of two of them. */
class Stated implements Entities {
  readonly #store: EntityStore
  readonly #principal: Entity
  readonly #resource: Entity

  constructor(
    store: EntityStore,
    principal: EntityUid,
    ofPrincipal: ReadonlyMap<string, Value>,
    resource: EntityUid,
    ofResource: ReadonlyMap<string, Value>,
  ) {
    this.#store = store
    const same = principal.type === resource.type && principal.id === resource.id
    const own = same ? new Map([...ofPrincipal, ...ofResource]) : ofPrincipal
    this.#principal = new Joined(principal, own, store.get(principal))
    this.#resource = same ? this.#principal : new Joined(resource, ofResource, store.get(resource))
  }

  get(uid: EntityUid): Entity | undefined {
    if (uid.id === this.#principal.uid.id && uid.type === this.#principal.uid.type) return this.#principal
    if (uid.id === this.#resource.uid.id && uid.type === this.#resource.uid.type) return this.#resource
    return this.#store.get(uid)
  }
}

class Joined implements Entity {
  readonly uid: EntityUid
  readonly #own: ReadonlyMap<string, Value>
  readonly #stored: Entity | undefined

  constructor(uid: EntityUid, own: ReadonlyMap<string, Value>, stored: Entity | undefined) {
    this.uid = uid
    this.#own = own
    this.#stored = stored
  }

  attribute(name: string): Value | undefined {
    return this.#own.get(name) ?? this.#stored?.attribute(name)
  }

  tag(name: string): Value | undefined {
    return this.#stored?.tag(name)
  }

  isIn(other: EntityUid): boolean {
    return this.#stored?.isIn(other) ?? false
  }

  ancestors(): readonly EntityUid[] {
    return this.#stored?.ancestors() ?? []
  }
}
