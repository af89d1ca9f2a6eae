import type { ApiSettings } from './api-schema.ts'
import type { Findings, Source } from './findings.ts'
import { schemaFindings } from './issues.ts'
import type { PlacedRule } from './object-rules.ts'
import { type ListSettings, operationExtension, pathExtension } from './object-schema.ts'
import type { Segments } from './place.ts'

/** An `x-sallyport` of a contract, unread. */
export interface Extension {
  readonly segments: Segments
  /** The file it stands in, where that is not the contract's own. */
  readonly part?: { readonly file: string; readonly text: string }
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
  const lists: {
    readonly of: string
    readonly list: ListSettings
    readonly segments: Segments
    readonly source: Source
  }[] = []
  for (const { segments, part, template, operation, value } of extensions) {
    const source = sourceOf(part, contract)
    if (operation === null) {
      const parsed = read(pathExtension, value, segments, source, findings)
      if (parsed === null) continue
      const { type, ...rule } = parsed.object
      all.push({
        type,
        rule: { path: template, ...rule },
        source: { ...source, base: [...segments, 'object'] },
      })
    } else {
      const parsed = read(operationExtension, value, segments, source, findings)
      if (parsed?.list === undefined) continue
      const { of, ...list } = parsed.list
      lists.push({ of, list: { operation, ...list }, segments, source })
    }
  }
  for (const { of, list, segments, source } of lists) {
    const index = all.findIndex(({ type }) => type === of)
    const placed = all[index]
    if (placed === undefined) {
      const known = all.map(({ type }) => type)
      const hint =
        known.length === 0 ? 'Add an object rule of that type.' : `Rules there are for: ${known.join(', ')}.`
      findings.problem(source, [...segments, 'list', 'of'], `there is no object rule for "${of}"`, hint)
      continue
    }
    const { rule } = placed
    all[index] = { ...placed, rule: { ...rule, list: [...[rule.list ?? []].flat(), list] } }
  }
  return all
}

/** What an operation may state for itself, in its contract or in configuration. */
const OWN_SETTINGS = ['mode', 'answers', 'unknownFields'] as const

/** The settings that operations of a contract state for themselves; what configuration states too is an error. */
export function extensionSettings(
  api: { readonly settings: ApiSettings; readonly source: Source },
  extensions: readonly Extension[],
  contract: Source,
  findings: Findings,
): ApiSettings['operations'] {
  const settings = { ...api.settings.operations }
  for (const { segments, part, operation, operationId, value } of extensions) {
    const parsed = operation === null ? null : operationExtension.safeParse(value)
    if (operation === null || !parsed?.success) continue
    const configured = [operation, operationId ?? operation].find((name) => Object.hasOwn(settings, name))
    let own: ApiSettings['operations'][string] = settings[configured ?? operation] ?? {}
    for (const name of OWN_SETTINGS) {
      const stated = parsed.data[name]
      if (stated === undefined) continue
      if (own[name] === undefined) {
        own = { ...own, [name]: stated }
        continue
      }
      const place = [...api.source.base, 'operations', configured ?? operation].join('.')
      const message = `the ${name} of ${configured ?? operation} is stated in ${api.source.file} (${place}) already`
      findings.problem(sourceOf(part, contract), [...segments, name], message, 'Keep one of the two.')
    }
    if (Object.keys(own).length > 0) settings[configured ?? operation] = own
  }
  return settings
}

const sourceOf = (part: Extension['part'], contract: Source): Source =>
  part === undefined ? contract : { ...part, base: [] }

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
