import type { ApiSettings } from './api-schema.ts'
import type { Findings, Source } from './findings.ts'
import { schemaFindings } from './issues.ts'
import type { PlacedRule } from './object-rules.ts'
import { type ListSettings, operationExtension, pathExtension } from './object-schema.ts'
import type { Segments } from './place.ts'

/** An `x-sallyport` of a contract, unread. */
export interface Extension {
  readonly segments: Segments
  readonly template: string
  /** Of an operation; null for a path. */
  readonly operation: string | null
  readonly operationId: string | null
  readonly value: unknown
}

/**
 * The rules given, with those that a contract's own extensions add: rules at its paths, and lists at its operations,
 * whose rules may stand anywhere.
 */
export function withExtensions(
  rules: readonly PlacedRule[],
  extensions: readonly Extension[],
  contract: Source,
  findings: Findings,
): readonly PlacedRule[] {
  const all = [...rules]
  const lists: { readonly of: string; readonly list: ListSettings; readonly segments: Segments }[] = []
  for (const { segments, template, operation, value } of extensions) {
    if (operation === null) {
      const parsed = read(pathExtension, value, segments, contract, findings)
      if (parsed === null) continue
      const { type, ...rule } = parsed.object
      all.push({
        type,
        rule: { path: template, ...rule },
        source: { ...contract, base: [...segments, 'object'] },
      })
    } else {
      const parsed = read(operationExtension, value, segments, contract, findings)
      if (parsed?.list === undefined) continue
      const { of, ...list } = parsed.list
      lists.push({ of, list: { operation, ...list }, segments })
    }
  }
  for (const { of, list, segments } of lists) {
    const index = all.findIndex(({ type }) => type === of)
    const placed = all[index]
    if (placed === undefined) {
      const known = all.map(({ type }) => type)
      const hint =
        known.length === 0 ? 'Add an object rule of that type.' : `Rules there are for: ${known.join(', ')}.`
      findings.problem(contract, [...segments, 'list', 'of'], `there is no object rule for "${of}"`, hint)
      continue
    }
    const { rule } = placed
    all[index] = { ...placed, rule: { ...rule, list: [...[rule.list ?? []].flat(), list] } }
  }
  return all
}

/** The modes that operations of a contract state for themselves; one that configuration states too is an error. */
export function extensionModes(
  api: { readonly settings: ApiSettings; readonly source: Source },
  extensions: readonly Extension[],
  contract: Source,
  findings: Findings,
): ApiSettings['operations'] {
  const modes = { ...api.settings.operations }
  for (const { segments, operation, operationId, value } of extensions) {
    const parsed = operation === null ? null : operationExtension.safeParse(value)
    if (operation === null || parsed?.data?.mode === undefined) continue
    const stated = [operation, operationId ?? operation].find((name) => Object.hasOwn(modes, name))
    if (stated === undefined) {
      modes[operation] = { mode: parsed.data.mode }
      continue
    }
    const message = `the mode of ${stated} is stated in ${api.source.file} (${[...api.source.base, 'operations', stated].join('.')}) already`
    findings.problem(contract, [...segments, 'mode'], message, 'Keep one of the two.')
  }
  return modes
}

function read<T extends typeof pathExtension | typeof operationExtension>(
  schema: T,
  value: unknown,
  segments: Segments,
  contract: Source,
  findings: Findings,
): ReturnType<T['parse']> | null {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data as ReturnType<T['parse']>
  for (const found of schemaFindings(parsed.error, schema, value))
    findings.problem(contract, [...segments, ...found.segments], found.message, found.hint, found.at)
  return null
}
