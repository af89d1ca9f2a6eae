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
  const { principal, resource } = input
  const { kept, copies } = recipeFor(reads, extra)
  const parts: Parts = {
    principal: { type: principal.type, id: principal.id },
    resource: { api: resource.api, objectType: resource.objectType, unknown: resource.unknown },
    context: {},
  }
  for (const copy of copies) copy(input, parts)
  return { checkpoint: input.checkpoint, action: input.action, ...parts, kept }
}

interface Parts {
  readonly principal: Mutable<RecordedInput['principal']>
  readonly resource: Mutable<RecordedInput['resource']>
  readonly context: Mutable<RecordedInput['context']>
}

/** Copies one attribute, where the call has it. */
type Copy = (input: DecisionInput, into: Parts) => void

interface Recipe {
  readonly extra: readonly string[]
  readonly kept: readonly string[]
  readonly copies: readonly Copy[]
}

/** Made once per bundle, whose set of read paths it is known by: every record of a bundle keeps the same paths. */
const recipes = new WeakMap<ReadonlySet<string>, Recipe>()

function recipeFor(reads: ReadonlySet<string>, extra: readonly string[]): Recipe {
  const known = recipes.get(reads)
  if (known !== undefined && known.extra === extra) return known
  const kept = [...new Set([...reads, ...extra])]
  const recipe = { extra, kept, copies: kept.flatMap((path) => copyOf(path) ?? []) }
  recipes.set(reads, recipe)
  return recipe
}

function copyOf(path: string): Copy | null {
  switch (path) {
    case 'principal.groups':
      return ({ principal }, into) => {
        into.principal.groups = principal.groups
      }
    case 'principal.roles':
      return ({ principal: { roles } }, into) => {
        if (roles !== undefined) into.principal.roles = roles
      }
    case 'principal.zone':
      return ({ principal: { zone } }, into) => {
        if (zone !== undefined) into.principal.zone = zone
      }
    case 'principal.client':
      return ({ principal }, into) => {
        into.principal.client = principal.client
      }
    case 'principal.tenant':
      return ({ principal }, into) => {
        into.principal.tenant = principal.tenant
      }
    case 'resource.owner':
      return ({ resource: { owner } }, into) => {
        if (owner !== undefined) into.resource.owner = owner
      }
    case 'resource.tenant':
      return ({ resource: { tenant } }, into) => {
        if (tenant !== undefined) into.resource.tenant = tenant
      }
    case 'resource.params':
      return ({ resource }, into) => {
        into.resource.params = resource.params
        if (resource.named !== undefined) into.resource.named = resource.named
      }
    case 'context':
      return ({ context }, into) => {
        Object.assign(into.context, context)
      }
    default:
      if (path.startsWith(PARAM)) return copyParam(path.slice(PARAM.length))
      return path.startsWith(CONTEXT) ? copyContext(path.slice(CONTEXT.length)) : null
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

function copyParam(name: string): Copy {
  return ({ resource: { params } }, { resource: kept }) => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined
    if (value === undefined || kept.params === params) return
    kept.params = Object.fromEntries([...Object.entries(kept.params ?? {}), [name, value]])
  }
}

function copyContext(name: string): Copy {
  return ({ context }, { context: kept }) => {
    if (!Object.hasOwn(context, name)) return
    const value = context[name as keyof typeof context]
    if (value !== undefined) (kept as Record<string, unknown>)[name] = value
  }
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
