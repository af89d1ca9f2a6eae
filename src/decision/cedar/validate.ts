import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { actionScope, entityNames } from './est.ts'
import type { ParsedPolicy, PolicyFault, PolicyFile, PolicyWarning } from './fault.ts'
import { fault } from './fault.ts'
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
 */
export function validateFile(
  file: PolicyFile,
  policies: readonly ScopedPolicy[],
  apis: readonly ApiOperations[],
): FileValidation {
  const found: Found = { faults: new Map(), warnings: new Map() }
  const spans = policies.map(({ span }) => span)
  for (const api of apis) {
    const keys = new Set(api.operations.map(({ key }) => key))
    const wide: ScopedPolicy[] = []
    for (const policy of policies) {
      if (!policy.apis.includes(api.api)) continue
      const narrow = namedOperations(policy, keys)
      if (narrow === null) wide.push(policy)
      else {
        const text = file.text.slice(policy.span.start, policy.span.end)
        check({ file, api, policies: [policy], text, base: policy.span.start, only: narrow }, found)
      }
    }
    if (wide.length === 0) continue
    // The others are blanked, so that Cedar's places stay those of the file.
    const kept = wide.map(({ span }) => span)
    check({ file, api, policies: wide, text: keepOnly(file.text, spans, kept), base: 0 }, found)
  }
  return { faults: [...found.faults.values()], warnings: everywhere(policies, found.warnings) }
}

interface Found {
  readonly faults: Map<string, PolicyFault>
  readonly warnings: Map<string, { readonly warning: PolicyWarning; readonly apis: Set<string> }>
}

interface Check {
  readonly file: PolicyFile
  readonly api: ApiOperations
  /** In the order in which `text` holds them. */
  readonly policies: readonly ScopedPolicy[]
  readonly text: string
  /** Where in the file `text` begins. */
  readonly base: number
  readonly only?: ReadonlySet<string>
}

function check(batch: Check, found: Found): void {
  const { file, api, policies, text } = batch
  const answer = cedar.validate({
    schema: apiSchema(api, mentionedActions(policies), batch.only),
    policies: { staticPolicies: text },
  })
  if (answer.type === 'failure') {
    const why = answer.errors.map(({ message }) => message).join('; ')
    found.faults.set(api.api, fault(file, batch.base, `policies cannot be checked for ${api.api}: ${why}`))
    return
  }
  for (const error of answer.validationErrors) {
    const place = locate(batch, error)
    // Cedar repeats an error for every action it meets: one place, one error.
    const key = `${place.line}:${place.column}`
    if (!found.faults.has(key)) found.faults.set(key, place)
  }
  for (const warning of answer.validationWarnings) {
    const place = locate(batch, warning)
    const key = `${place.line}:${place.column}:${place.message}`
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
  policies: readonly ScopedPolicy[],
  warnings: ReadonlyMap<string, { readonly warning: PolicyFault; readonly apis: ReadonlySet<string> }>,
): readonly PolicyWarning[] {
  return [...warnings.values()].flatMap(({ warning, apis }) => {
    const policy = policies.find(({ id }) => id === warning.policy)
    return policy === undefined || policy.apis.every((api) => apis.has(api)) ? [warning] : []
  })
}

function locate({ file, policies, text, base }: Check, found: cedar.ValidationError): PolicyFault {
  const { message, help, sourceLocations } = found.error
  const policy = policies[Number(found.policyId.replace('policy', ''))]
  const [location] = sourceLocations ?? []
  const own = policy?.span.start ?? base
  const at = location === undefined ? own : base + offsetOfByte(base === 0 ? file.text : text, location.start)
  const plain = message
    .replaceAll(`for policy \`${found.policyId}\`, `, '')
    .replaceAll(`for policy \`${found.policyId}\`: `, '')
  return fault(file, at, help ? `${plain} (${help})` : plain, policy?.id)
}

/** Actions the policies name anywhere: those of other APIs are no error, they only never match here. */
function mentionedActions(policies: readonly ScopedPolicy[]): ReadonlySet<string> {
  const mentioned = new Set<string>()
  for (const { policy } of policies) {
    for (const name of entityNames(policy)) if (name.type === 'Action') mentioned.add(name.id)
  }
  return mentioned
}
