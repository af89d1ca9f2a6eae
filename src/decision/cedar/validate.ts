import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { EntityName } from './est.ts'
import { actionScope, entityNames } from './est.ts'
import type { ParsedPolicy, PolicyFault, PolicyFile, PolicyWarning } from './fault.ts'
import { fault } from './fault.ts'
import type { LinkedPolicy } from './links.ts'
import { linkFault } from './links.ts'
import type { ApiOperations } from './schema.ts'
import { apiSchema } from './schema.ts'
import { keepOnly, offsetOfByte } from './source.ts'

export interface FileValidation {
  readonly faults: readonly PolicyFault[]
  readonly warnings: readonly PolicyWarning[]
}

/** A policy with the APIs whose schema it must fit. */
export type ScopedPolicy = ParsedPolicy & { readonly apis: readonly string[] }

/**
 * Type-checks one file's policies, API by API: strict mode, each API against its own schema.
 *
 * Cedar tries every policy with every action, so a policy for each operation costs their square (5 s at 1,000):
 * policies that name their operations one by one are checked against those alone.
 *
 * Templates are checked as such, linked or not, and with them their links: whether what fills a slot can stand there.
 */
export function validateFile(
  file: PolicyFile,
  policies: readonly ScopedPolicy[],
  apis: readonly ApiOperations[],
  links: readonly LinkedPolicy[],
): FileValidation {
  const found: Found = { faults: new Map(), warnings: new Map() }
  const spans = policies.map(({ span }) => span)
  const ofTemplate = Map.groupBy(links, ({ template }) => template.id)
  for (const api of apis) {
    const keys = new Set(api.operations.map(({ key }) => key))
    const wide: ScopedPolicy[] = []
    const templates: ScopedPolicy[] = []
    for (const policy of policies) {
      if (!policy.apis.includes(api.api)) continue
      const narrow = namedOperations(policy, keys)
      if (narrow === null) (policy.template ? templates : wide).push(policy)
      else if (policy.template) {
        check(templateBatch(file, api, { templates: [policy], links: ofTemplate, only: narrow }), found)
      } else {
        const text = file.text.slice(policy.span.start, policy.span.end)
        const bases = [policy.span.start]
        const set = { staticPolicies: text }
        check({ file, api, policies: [policy], set, bases, links: [], only: narrow }, found)
      }
    }
    if (templates.length > 0) check(templateBatch(file, api, { templates, links: ofTemplate }), found)
    if (wide.length === 0) continue
    // The others are blanked, so that Cedar's places stay those of the file.
    const kept = wide.map(({ span }) => span)
    const set = { staticPolicies: keepOnly(file.text, spans, kept) }
    check({ file, api, policies: wide, set, bases: [], links: [] }, found)
  }
  const scopes = new Map(policies.map(({ id, apis: of }) => [id, of]))
  for (const { id, template } of links) scopes.set(id, scopes.get(template.id) ?? [])
  return { faults: [...found.faults.values()], warnings: everywhere(scopes, found.warnings) }
}

interface Found {
  readonly faults: Map<string, PolicyFault>
  readonly warnings: Map<string, { readonly warning: PolicyWarning; readonly apis: Set<string> }>
}

interface Check {
  readonly file: PolicyFile
  readonly api: ApiOperations
  /** In the order in which `set` holds them, which Cedar calls `policy0`, `policy1`… */
  readonly policies: readonly ScopedPolicy[]
  readonly set: cedar.PolicySet
  /** Where in the file the text of each begins; none: Cedar's places are the file's. */
  readonly bases: readonly number[]
  /** As `link0`, `link1`… in `set`. */
  readonly links: readonly LinkedPolicy[]
  readonly only?: ReadonlySet<string>
}

interface Templates {
  readonly templates: readonly ScopedPolicy[]
  /** By the template's id. */
  readonly links: ReadonlyMap<string, readonly LinkedPolicy[]>
  readonly only?: ReadonlySet<string>
}

function templateBatch(file: PolicyFile, api: ApiOperations, { templates, links, only }: Templates): Check {
  const texts = templates.map(({ span }, index) => [`policy${index}`, file.text.slice(span.start, span.end)])
  const own = templates.map(({ id }) => links.get(id) ?? [])
  const templateLinks = own
    .flatMap((all, index) => all.map((link) => ({ link, templateId: `policy${index}` })))
    .map(({ link, templateId }, index) => ({
      templateId,
      newId: `link${index}`,
      values: { ...link.entities } as Record<string, EntityName>,
    }))
  return {
    file,
    api,
    policies: templates,
    set: { templates: Object.fromEntries(texts) as Record<string, string>, templateLinks },
    bases: templates.map(({ span }) => span.start),
    links: own.flat(),
    ...(only === undefined ? {} : { only }),
  }
}

function check(batch: Check, found: Found): void {
  const { file, api, policies, set } = batch
  const answer = cedar.validate({
    schema: apiSchema(api, mentionedActions(policies), batch.only),
    policies: set,
  })
  if (answer.type === 'failure') {
    const why = answer.errors.map(({ message }) => message).join('; ')
    const start = policies[0]?.span.start ?? 0
    found.faults.set(api.api, fault(file, start, `policies cannot be checked for ${api.api}: ${why}`))
    return
  }
  for (const error of answer.validationErrors) {
    const place = locate(batch, error)
    // Cedar repeats an error for every action it meets: one place, one error.
    const key = `${place.file}:${place.line}:${place.column}`
    if (!found.faults.has(key)) found.faults.set(key, place)
  }
  for (const warning of answer.validationWarnings) {
    const place = locate(batch, warning)
    const key = `${place.file}:${place.line}:${place.column}:${place.message}`
    const entry = found.warnings.get(key) ?? { warning: place, apis: new Set() }
    entry.apis.add(api.api)
    found.warnings.set(key, entry)
  }
}

/** Operations of this API the action scope names, where it names nothing wider. */
function namedOperations({ policy }: ScopedPolicy, keys: ReadonlySet<string>): ReadonlySet<string> | null {
  if (policy.action.op === 'All') return null
  const named = actionScope(policy).map(({ id }) => id)
  return named.some((id) => id.includes('/') && !keys.has(id))
    ? null
    : new Set(named.filter((id) => keys.has(id)))
}

/** "Can never apply" is worth saying only where it is so for every API of the policy. */
function everywhere(
  scopes: ReadonlyMap<string, readonly string[]>,
  warnings: Found['warnings'],
): readonly PolicyWarning[] {
  return [...warnings.values()].flatMap(({ warning, apis }) =>
    (scopes.get(warning.policy ?? '') ?? []).every((api) => apis.has(api)) ? [warning] : [],
  )
}

function locate({ file, policies, bases, links }: Check, found: cedar.ValidationError): PolicyFault {
  const { message, help, sourceLocations } = found.error
  const plain = message
    .replaceAll(`for policy \`${found.policyId}\`, `, '')
    .replaceAll(`for policy \`${found.policyId}\`: `, '')
  const words = help ? `${plain} (${help})` : plain
  const link = links[Number(found.policyId.replace('link', ''))]
  if (link !== undefined) return linkFault(link.link, 'link', words)
  const index = Number(found.policyId.replace('policy', ''))
  const policy = policies[index]
  const [location] = sourceLocations ?? []
  const base = bases[index] ?? 0
  const own = policy?.span.start ?? base
  const at = location === undefined ? own : base + offsetOfByte(file.text.slice(base), location.start)
  return fault(file, at, words, policy?.id)
}

/** Actions the policies name anywhere: those of other APIs are no error, they only never match here. */
function mentionedActions(policies: readonly ScopedPolicy[]): ReadonlySet<string> {
  const mentioned = new Set<string>()
  for (const { policy } of policies) {
    for (const name of entityNames(policy)) if (name.type === 'Action') mentioned.add(name.id)
  }
  return mentioned
}
