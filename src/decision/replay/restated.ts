import type { ContextInput } from '../../model/decision.ts'
import type { ExchangeRecord, RecordedInput } from '../../model/record.ts'
import type { Subject } from '../../model/subject.ts'
import { HIDDEN } from '../../syntax/sensitive/hidden-text.ts'

/** Longer paths are cut in a record. */
const WHOLE_PATH = 2_048

/**
 * The recorded attributes with those that the rest of the record states too (its caller, its address), which are in
 * every record whatever policies read then. `subject`: whose attributes they are.
 */
export function restated(
  recorded: RecordedInput,
  { intent }: ExchangeRecord,
  subject: Subject,
): RecordedInput {
  if (recorded.kept === undefined) return recorded
  const { issuer, groups, roles, client, tenant } = subject
  const qualified = (names: readonly string[]): readonly string[] => names.map((name) => `${issuer}/${name}`)
  const principal = {
    ...recorded.principal,
    groups: qualified(groups),
    client,
    tenant,
    ...(roles === undefined ? {} : { roles: qualified(roles) }),
  }
  const stated = contextOf(subject, intent)
  const context = { ...stated, ...recorded.context }
  const names = new Set([...Object.keys(stated), ...OPTIONAL])
  const kept = [...recorded.kept, ...PRINCIPAL, ...[...names].map((name) => `context.${name}`)]
  return { ...recorded, principal, context, kept }
}

const PRINCIPAL = ['principal.groups', 'principal.roles', 'principal.client', 'principal.tenant'] as const
/** Told by their absence too. */
const OPTIONAL = ['acr'] as const

/** Nothing of it was cut or hidden. */
function isWhole(path: string): boolean {
  return path.length < WHOLE_PATH && !path.includes(HIDDEN)
}

function contextOf(
  { scopes, iss, audience, acr, amr = [] }: Subject,
  { method, personal }: ExchangeRecord['intent'],
): Partial<ContextInput> {
  return {
    scopes,
    issuer: iss,
    audience,
    amr,
    method,
    ...(acr === undefined ? {} : { acr }),
    ...(personal === null ? {} : { ip: personal.address }),
    ...(personal === null || !isWhole(personal.path) ? {} : { path: personal.path }),
  }
}
