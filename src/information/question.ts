import type { DecisionInput } from '../model/decision.ts'

/**
 * A call as an AuthZEN decision source is asked about it (Authorization API 1.0 §6.1), in the names that the gate's
 * own decision point reads too, so that one gate can ask another. Nothing of a body, a header or a credential is in it.
 */
export function questionAbout({ principal, action, resource, context }: DecisionInput): unknown {
  const { objectType, params, api, owner, tenant } = resource
  const id = objectType === '' ? action : (objectId(resource) ?? action)
  return {
    subject: {
      type: principal.type,
      id: principal.id,
      properties: {
        groups: unqualified(principal.groups),
        ...(principal.roles === undefined ? {} : { roles: unqualified(principal.roles) }),
        scopes: context.scopes,
        client: principal.client,
        tenant: principal.tenant,
        ...(context.acr === undefined ? {} : { acr: context.acr }),
        ...(context.amr === undefined ? {} : { amr: context.amr }),
      },
    },
    action: { name: action, properties: { method: context.method } },
    resource: {
      type: objectType === '' ? 'operation' : objectType,
      id,
      properties: {
        api,
        params,
        path: context.path,
        ...(owner === undefined ? {} : { owner }),
        ...(tenant === undefined ? {} : { tenant }),
      },
    },
    context: { ip: context.ip, ...(principal.zone === undefined ? {} : { zone: principal.zone }) },
  }
}

/** The last of the parameters that name the object. A list has none of it: its path names what the list stands below. */
function objectId({ params, named }: DecisionInput['resource']): string | undefined {
  if (named === undefined) return Object.values(params).at(-1)
  const last = named.at(-1)
  return last !== undefined && Object.hasOwn(params, last) ? params[last] : undefined
}

/** Entity ids begin with the issuer's name, which holds no `/`; the subject's id says whose they are. */
function unqualified(ids: readonly string[]): readonly string[] {
  return ids.map((id) => id.slice(id.indexOf('/') + 1))
}
