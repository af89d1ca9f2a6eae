import {
  editHeaders,
  editItem,
  type FieldChange,
  type FieldEdits,
  type Operation,
} from '../contract/instantiate.ts'
import { fieldObligations } from '../decision/obligations.ts'
import type { ApiPlan } from '../model/bundle.ts'
import type { Decision, FieldObligation } from '../model/decision.ts'
import type { RawFields } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import { listFields } from './list-fields.ts'
import type { JudgedItems } from './list-items.ts'
import type { ReadAnswer } from './read-answer.ts'

/** The answer as this caller may have it, with what was hidden; or a finding, where hiding cannot be done. */
export type Shown = { readonly read: ReadAnswer; readonly hidden: readonly FieldChange[] } | Finding

const NOTHING: readonly FieldChange[] = Object.freeze([])

/**
 * Takes out the items the caller may not have and hides the fields that the decision asks to hide: of the answer as a
 * whole by the call's obligations, of an item by those of the permit that allowed it too. Observing changes no byte.
 */
export function shownTo(
  { mode, observeStages }: ApiPlan,
  operation: Operation | null,
  read: ReadAnswer,
  items: JudgedItems | null,
  decision: Decision,
): Shown {
  const observed = mode === 'observe' || observeStages?.includes('policy') === true
  if (operation === null || observed) return { read, hidden: NOTHING }
  const edits = editsOf(operation, items, decision)
  const head = editHeaders(read.fields, operation.headerLabels ?? null, edits?.whole ?? null)
  if (head.changes.length === 0) return bodyShown(operation, read, items, edits)
  const shown = bodyShown(operation, { ...read, fields: head.fields }, items, edits)
  return 'kind' in shown ? shown : { ...shown, hidden: [...head.changes, ...shown.hidden] }
}

function bodyShown(
  operation: Operation,
  read: ReadAnswer,
  items: JudgedItems | null,
  edits: Edits | null,
): Shown {
  // A body of the gate's own holds nothing of the upstream's.
  if (edits === null && items === null) return { read, hidden: NOTHING }
  if (read.changed && read.check?.dropped.includes('/') !== false) return { read, hidden: NOTHING }
  const edit = isFit(read) ? read.check?.edit : undefined
  if (edit === undefined) {
    if (edits === null) return { read, hidden: NOTHING }
    if (!holdsNothing(read)) return unapplied(edits)
    return { read: { ...read, fields: withoutValidators(read.fields) }, hidden: NOTHING }
  }
  const { removed = null } = items ?? {}
  const { body, changes } = edit(edits === null ? null : { edits: edits.whole, ...edits.items }, removed)
  const fields =
    items === null
      ? read.fields
      : listFields(
          read.fields,
          operation.plan.object?.items?.countFields ?? [],
          items.decisions.released,
          items.removed.size > 0,
        )
  if (body === read.check?.body) return { read: { ...read, fields }, hidden: NOTHING }
  return { read: { ...read, body, fields, changed: true }, hidden: changes }
}

interface Edits {
  readonly whole: FieldEdits | null
  readonly items: {
    readonly items?: { readonly at: readonly string[]; of(index: number): FieldEdits | null }
  }
  readonly asked: readonly FieldObligation[]
}

/** What concerns this operation's answers; null for nothing. */
function editsOf(operation: Operation, items: JudgedItems | null, { obligations }: Decision): Edits | null {
  const rows = items?.decisions.rows ?? []
  if (obligations.length === 0 && !rows.some((row) => row.obligations !== undefined)) return null
  const ofCall = fieldObligations(obligations)
  const asked = [...ofCall, ...rows.flatMap((row) => row.obligations ?? [])]
  // What stands around the items goes out by the permits of all of them.
  const whole = operation.fieldEdits(rows.length === 0 ? ofCall : asked)
  const at = operation.plan.object?.items?.at
  if (items === null || at === undefined) return whole === null ? null : { whole, items: {}, asked }
  const ofRow = rows.map((row) => operation.fieldEdits([...ofCall, ...(row.obligations ?? [])]))
  if (whole === null && ofRow.every((each) => each === null)) return null
  const of = (index: number): FieldEdits | null => {
    const row = items.kinds[index]
    return row === undefined ? whole : (ofRow[row] ?? null)
  }
  return { whole, items: { items: { at, of } }, asked }
}

/** The fields of an answer that goes out item by item: each is written anew without what is hidden of it. */
export class StreamedFields {
  readonly #operation: Operation
  readonly #status: number
  readonly #asked: readonly FieldObligation[]
  readonly #changes = new Map<string, FieldChange>()

  /** @param asked Of the call as a whole; a permit that allows one item may ask for more. */
  constructor(operation: Operation, status: number, asked: readonly FieldObligation[]) {
    this.#operation = operation
    this.#status = status
    this.#asked = asked
  }

  get hidden(): readonly FieldChange[] {
    return [...this.#changes.values()]
  }

  /**
   * The header fields of the answer, which go out before its first item.
   * @param filters Permits of items may ask for more than is known by then: nothing labelled goes out.
   */
  head(fields: RawFields, filters: boolean): RawFields {
    const labels = this.#operation.headerLabels ?? null
    if (labels === null) return fields
    const head = editHeaders(fields, labels, filters ? 'drop' : this.#operation.fieldEdits(this.#asked))
    for (const change of head.changes) this.#changes.set(`${change.kind} ${change.pointer}`, change)
    return head.fields
  }

  /** Null where nothing of the item is hidden. */
  edit(own: readonly FieldObligation[] = []): ((item: unknown) => unknown) | null {
    const edits = this.#operation.fieldEdits(own.length === 0 ? this.#asked : [...this.#asked, ...own])
    if (edits === null) return null
    return (item) => {
      const { value, changes } = editItem(item, this.#operation.itemLabels(this.#status), edits)
      for (const change of changes) {
        if (this.#changes.size < MAX_CHANGES) this.#changes.set(`${change.kind} ${change.pointer}`, change)
      }
      return value
    }
  }
}

const MAX_CHANGES = 100

/** Null where no field is hidden: nothing is asked for, or it is only observed. */
export function streamedFields(
  { mode, observeStages }: ApiPlan,
  operation: Operation | null,
  status: number,
  { obligations }: Decision,
  filters: boolean,
): StreamedFields | null {
  const observed = mode === 'observe' || observeStages?.includes('policy') === true
  if (operation === null || observed || (obligations.length === 0 && !filters)) return null
  return new StreamedFields(operation, status, fieldObligations(obligations))
}

/** What does not fit its schema, and is only noted, may hold at other places what is to be hidden. */
function isFit({ check }: ReadAnswer): boolean {
  return check?.findings.some(({ reason: { code } }) => code === 'response-invalid') !== true
}

function holdsNothing({ body }: ReadAnswer): boolean {
  return body === null || (body instanceof Uint8Array && body.byteLength === 0)
}

/** What tells of the upstream's own bytes, which this caller would not get (RFC 9110 §8.6, §8.8; RFC 9530). */
const OF_BYTES = new Set('content-length etag content-md5 content-digest repr-digest digest'.split(' '))

/** The fields of an answer to HEAD, or a 304, as those of a body from which something is hidden. */
export function withoutValidators(fields: RawFields): RawFields {
  const kept: string[] = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [name = '', value = ''] = fields.slice(at, at + 2)
    if (!OF_BYTES.has(name.toLowerCase())) kept.push(name, value)
  }
  return kept
}

function unapplied({ asked }: Edits): Finding {
  const policies = [...new Set(asked.map(({ policy }) => policy).filter((policy) => policy !== ''))].slice(
    0,
    20,
  )
  return finding(reason('field-rule-unapplied', 'policy', { policies }))
}
