import type { DecisionInput } from '../model/decision.ts'
import type { RecordedInput } from '../model/record.ts'

/**
 * The decision's input as records keep it: exactly the attributes policies read, plus those config lists for
 * future ones (design.md, "The record"). `kept` names them, so that an attribute the call did not have is told
 * from one that was not recorded, and a replay never calls two unlike decisions the same.
 */
export function recordInput(
  input: DecisionInput,
  reads: ReadonlySet<string>,
  extra: readonly string[],
): RecordedInput {
  const { principal, resource, context } = input
  const kept = extra.length === 0 ? [...reads] : [...new Set([...reads, ...extra])]
  const keptPrincipal: Mutable<RecordedInput['principal']> = { type: principal.type, id: principal.id }
  const keptResource: Mutable<RecordedInput['resource']> = {
    api: resource.api,
    objectType: resource.objectType,
    unknown: resource.unknown,
  }
  const keptContext: Mutable<RecordedInput['context']> = {}
  for (const path of kept) {
    switch (path) {
      case 'principal.groups':
        keptPrincipal.groups = principal.groups
        break
      case 'principal.client':
        keptPrincipal.client = principal.client
        break
      case 'principal.tenant':
        keptPrincipal.tenant = principal.tenant
        break
      case 'resource.owner':
        if (resource.owner !== undefined) keptResource.owner = resource.owner
        break
      case 'resource.tenant':
        if (resource.tenant !== undefined) keptResource.tenant = resource.tenant
        break
      case 'resource.params':
        keptResource.params = resource.params
        break
      case 'context':
        Object.assign(keptContext, context)
        break
      default:
        if (path.startsWith(PARAM)) keepParam(keptResource, resource.params, path.slice(PARAM.length))
        else if (path.startsWith(CONTEXT)) keepContext(keptContext, context, path.slice(CONTEXT.length))
    }
  }
  return {
    checkpoint: input.checkpoint,
    action: input.action,
    principal: keptPrincipal,
    resource: keptResource,
    context: keptContext,
    kept,
  }
}

/**
 * The input again, for these read paths; where the record lacks one, its name. Attributes nobody reads are filled
 * with empty values.
 */
export function replayInput(
  recorded: RecordedInput,
  reads: ReadonlySet<string>,
): { readonly ok: true; readonly input: DecisionInput } | { readonly ok: false; readonly missing: string[] } {
  const kept = new Set(recorded.kept ?? presentPaths(recorded))
  const missing = [...reads].filter((path) => !isKept(path, kept)).sort()
  if (missing.length > 0) return { ok: false, missing }
  const { principal, resource, context } = recorded
  const input: DecisionInput = {
    checkpoint: recorded.checkpoint,
    action: recorded.action,
    principal: { groups: [], client: '', tenant: '', ...principal },
    resource: { params: {}, ...resource },
    context: { ...NOTHING, ...context },
  }
  return { ok: true, input }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const PARAM = 'resource.params.'
const CONTEXT = 'context.'

/** Recorded always, because nothing can be explained without them. */
const ALWAYS: ReadonlySet<string> = new Set(['context.checkpoint', 'resource.type'])

/** A well-formed context that says nothing; policies that read any of it were asked for above. */
const NOTHING: DecisionInput['context'] = {
  scopes: [],
  scopesMet: false,
  issuer: '',
  audience: [],
  tokenAgeSeconds: 0,
  method: '',
  path: '',
  ip: '0.0.0.0',
}

function keepParam(
  kept: Mutable<RecordedInput['resource']>,
  params: Readonly<Record<string, string>>,
  name: string,
): void {
  const value = Object.hasOwn(params, name) ? params[name] : undefined
  if (value === undefined || kept.params === params) return
  kept.params = Object.fromEntries([...Object.entries(kept.params ?? {}), [name, value]])
}

function keepContext(
  kept: Mutable<RecordedInput['context']>,
  context: DecisionInput['context'],
  name: string,
): void {
  if (!Object.hasOwn(context, name)) return
  Object.assign(kept, { [name]: context[name as keyof typeof context] })
}

function isKept(path: string, kept: ReadonlySet<string>): boolean {
  if (kept.has(path) || ALWAYS.has(path)) return true
  if (path.startsWith(PARAM)) return kept.has('resource.params')
  return path.startsWith(CONTEXT) && kept.has('context')
}

/** Of a record without `kept`: what stands in it, and no more. */
function presentPaths(recorded: RecordedInput): readonly string[] {
  const paths: string[] = []
  for (const name of Object.keys(recorded.principal)) paths.push(`principal.${name}`)
  for (const name of Object.keys(recorded.resource)) if (name !== 'params') paths.push(`resource.${name}`)
  for (const name of Object.keys(recorded.resource.params ?? {})) paths.push(`${PARAM}${name}`)
  for (const name of Object.keys(recorded.context)) paths.push(`${CONTEXT}${name}`)
  return paths
}
