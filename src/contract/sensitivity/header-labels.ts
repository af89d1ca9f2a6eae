import type { RawFields } from '../../model/exchange.ts'
import { type EditKind, type FieldChange, type FieldEdits, stronger } from './edit-fields.ts'
import type { HeaderLabel, LabelDetail } from './label-node.ts'
import { maskText, REDACTED } from './masking.ts'

/** Labelled header fields of an operation's answers, by name in lower case. */
export type HeaderLabels = ReadonlyMap<string, HeaderLabel>

/** Header fields as their reader may have them. */
export interface EditedHeaders {
  /** Those given where nothing was changed. */
  readonly fields: RawFields
  /** `pointer`: `header X-Email`, by the contract's spelling. */
  readonly changes: readonly FieldChange[]
}

const NONE: readonly FieldChange[] = Object.freeze([])

/** Null where no header is labelled. */
export function headerLabels(detail: LabelDetail | undefined): HeaderLabels | null {
  return detail?.headers === undefined ? null : new Map(Object.entries(detail.headers))
}

/**
 * Drops, redacts or masks labelled header fields, each line of a name. A label holds under every status: a 304 has the
 * fields of a 200 (RFC 9110 §15.4.5).
 * @param edits `drop`: nothing labelled goes out, where it is not known yet what will be asked for.
 */
export function editHeaders(
  fields: RawFields,
  labels: HeaderLabels | null,
  edits: FieldEdits | 'drop' | null,
): EditedHeaders {
  if (labels === null || edits === null) return { fields, changes: NONE }
  const kept: string[] = []
  const changes = new Map<string, FieldChange>()
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] ?? ''
    const value = fields[at + 1] ?? ''
    const label = labels.get(name.toLowerCase())
    const kind = label === undefined ? undefined : edits === 'drop' ? 'drop' : kindOf(label, edits)
    if (label === undefined || kind === undefined) {
      kept.push(name, value)
      continue
    }
    const pointer = `header ${label.name}`
    changes.set(`${kind} ${pointer}`, { kind, pointer })
    // A cookie of this value would take the place of the caller's own.
    if (kind === 'drop' || name.toLowerCase() === 'set-cookie') continue
    // In what has parts, the last letters may be all of one of them.
    kept.push(name, kind === 'mask' && label.parts !== 1 ? maskText(value) : REDACTED)
  }
  return changes.size === 0 ? { fields, changes: NONE } : { fields: kept, changes: [...changes.values()] }
}

function kindOf({ c = [], f = [] }: HeaderLabel, { classes, places }: FieldEdits): EditKind | undefined {
  let kind: EditKind | undefined
  for (const name of c) {
    const asked = classes.get(name)
    if (asked !== undefined) kind = stronger(kind, asked)
  }
  for (const place of f) {
    const asked = places.get(place)
    if (asked !== undefined) kind = stronger(kind, asked)
  }
  return kind
}
