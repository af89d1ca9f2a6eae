import { NOTHING_STATED, type Operation, type StatedObject } from '../contract/instantiate.ts'
import type { ObjectPlan, RequestPlace } from '../model/operation.ts'
import { principalId, type Subject } from '../model/subject.ts'
import type { ObjectFacts } from './decision-input.ts'
import type { Sight } from './sight.ts'

/** Longer owner ids are no ids: they are not taken for one. */
const MAX_ID = 512

/** What one place says: an id, nothing (undefined), or something that is no single id (null). */
type Said = string | undefined | null

/** What the request itself says of whose object it is about. */
export interface RequestStated {
  readonly owner: Said
  readonly tenant: Said
}

const NOTHING: RequestStated = Object.freeze({ owner: undefined, tenant: undefined })

/** Only strings and integers are ids; what is there and is none says null, which no other statement makes good. */
export function idOf(found: unknown): Said {
  if (found === undefined) return undefined
  if (typeof found === 'string') return found.length > 0 && found.length <= MAX_ID ? found : null
  return Number.isSafeInteger(found) ? String(found) : null
}

/** Owner and tenant as path and query state them. */
export function statedByHead(
  object: ObjectPlan | undefined,
  params: Readonly<Record<string, string>>,
  query: readonly (readonly [string, string])[],
): RequestStated {
  if (object?.requestOwner === undefined && object?.requestTenant === undefined) return NOTHING
  const at = (place: RequestPlace | undefined): Said => {
    if (place === undefined || place.in === 'body') return undefined
    if (place.in === 'query') return queryValue(query, place.name)
    return idOf(Object.hasOwn(params, place.name) ? params[place.name] : undefined)
  }
  return { owner: at(object.requestOwner), tenant: at(object.requestTenant) }
}

/** The same with what the body states: `inIt`, read of the value that was checked and goes on. */
export function withBody(
  head: RequestStated,
  object: ObjectPlan,
  operation: Pick<Operation, 'body'>,
  inIt: StatedObject,
  sight: Pick<Sight, 'body'>,
): RequestStated {
  const inBody = (place: RequestPlace | undefined): boolean => place?.in === 'body'
  const [owner, tenant] = [inBody(object.requestOwner), inBody(object.requestTenant)]
  if (!owner && !tenant) return head
  let said = inIt
  // A body that was not seen whole may say anything.
  if (sight.body !== 'whole') said = operation.body === 'none' ? NOTHING_STATED : ANYTHING
  return {
    owner: owner ? idOf(said.owner) : head.owner,
    tenant: tenant ? idOf(said.tenant) : head.tenant,
  }
}

const ANYTHING: StatedObject = Object.freeze({ owner: null, tenant: null })

/**
 * A parameter counts only where it stands once. One that stands again, or in a spelling that some server takes for the
 * same (`customerId[]`, `CUSTOMERID`), says two things, and which of them the upstream hears is not known.
 */
function queryValue(query: readonly (readonly [string, string])[], name: string): Said {
  const folded = name.toLowerCase()
  let value: Said
  for (const [given, text] of query) {
    const bracket = given.indexOf('[')
    const bare = bracket < 0 ? given : given.slice(0, bracket)
    if (given !== name && bare.toLowerCase().trim() !== folded) continue
    if (value !== undefined || given !== name) return null
    value = idOf(text)
  }
  return value
}

/**
 * What is known of an object by now. Where the rule names a field of its representation, that has to speak (null: it
 * has not yet), and a request that says otherwise leaves it unknown; else the request is believed, since it is held to
 * whom it names.
 */
export function objectFacts(
  object: ObjectPlan,
  subject: Subject,
  request: RequestStated,
  representation: StatedObject | null,
): ObjectFacts {
  const owner = agreed(object.owner !== undefined, request.owner, representation?.owner)
  const tenant = agreed(object.tenant !== undefined, request.tenant, representation?.tenant)
  return {
    ...(owner === undefined ? {} : { owner: ownerId(object, subject, owner) }),
    ...(tenant === undefined || isOfAnother(object, subject) ? {} : { tenant }),
  }
}

/**
 * Tenants are plain names, so the same name is another tenant with another issuer: for its callers the object's stays
 * unknown, and neither a permit nor a forbid that reads it can be got round. Who is anonymous has none to compare.
 */
function isOfAnother({ issuer }: ObjectPlan, { kind, issuer: own }: Subject): boolean {
  return issuer !== undefined && kind !== 'anonymous' && own !== issuer
}

function agreed(represented: boolean, request: Said, found: unknown): string | undefined {
  if (!represented) return request ?? undefined
  const said = idOf(found)
  if (typeof said !== 'string' || request === null) return undefined
  return request === undefined || request === said ? said : undefined
}

/**
 * The principal an owner's id stands for. Of ids in another claim only the caller's own is known: any other becomes a
 * name that no principal can have, since names of issuers hold no `~`.
 */
function ownerId({ issuer = '', ownerClaim }: ObjectPlan, subject: Subject, id: string): string {
  if (ownerClaim === undefined) return `${issuer}/${id}`
  const claims = subject.claims ?? {}
  const own = Object.hasOwn(claims, ownerClaim) ? claims[ownerClaim] : undefined
  const isCaller = subject.kind === 'user' && subject.issuer === issuer && own === id
  return isCaller ? principalId(subject) : `${issuer}~${ownerClaim}/${id}`
}
