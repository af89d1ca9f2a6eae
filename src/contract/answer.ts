import { type Finding, finding } from '../model/fact.ts'
import type { ObjectPlan } from '../model/operation.ts'
import { reason } from '../model/reason.ts'
import { type JsonLimits, scanJson } from '../syntax/json.ts'
import { readPointer } from '../syntax/json-pointer.ts'
import { type AnswerItems, readItems, withoutItems } from './answer-items.ts'
import { checkMediaAnswer } from './answer-media.ts'
import { chooseContent, type LinkedContent } from './content.ts'
import { errorLeak } from './error-leak.ts'
import { checkFindings, contractFinding, MAX_FINDINGS, NO_FINDINGS } from './findings.ts'
import { Rewrite } from './rewrite.ts'
import { editFields, type FieldChange, type FieldEdits, type ItemEdits } from './sensitivity/edit-fields.ts'
import type { AnswerLabels } from './sensitivity/linked-labels.ts'
import { type Detected, sampleValues } from './sensitivity/sample-values.ts'
import { sightOfContent } from './value-sight.ts'

export interface AnswerCheck {
  readonly findings: readonly Finding[]
  /** What may go to the caller: the bytes given where nothing was dropped. */
  readonly body: Uint8Array
  /** What it says of the object, declared in the contract or not: read before anything was dropped. */
  readonly stated: StatedObject
  /** The items of a list whose object rule names them; null elsewhere, and where the answer was not read. */
  readonly items: AnswerItems | null
  /** JSON pointers, array indexes as `*`, without duplicates, at most 100. */
  readonly dropped: readonly string[]
  /** What stood at each of them, as sights (value-sight.ts) in the same order; left out where nothing was dropped. */
  readonly types?: readonly string[]
  /** The answer was held against a schema. */
  readonly checked: boolean
  /** Writes the answer anew for its reader; left out where it was not read. To be called once, in place of `items.without`. */
  readonly edit?: AnswerEdit
  /** Classes that the first values of the answer tell, where the contract gives them none (a signal, for people). */
  readonly sample?: (maxValues: number) => readonly Detected[]
  /** Of an error: what its texts tell of the upstream's inside, by the name of the rule (error-leak.ts). */
  readonly leak?: string
  /** The part that told it, where callers get the rest of the answer: for the record alone. */
  readonly told?: Uint8Array
}

/** The values at the object rule's pointers, unchecked; undefined where there is none. */
export interface StatedObject {
  readonly owner: unknown
  readonly tenant: unknown
}

/**
 * The checked answer with fields hidden and without the items at these indexes (of the list as it came); values that
 * stay as they came, numbers by their digits.
 */
export type AnswerEdit = (
  fields: { readonly edits: FieldEdits | null; readonly items?: ItemEdits } | null,
  removed: ReadonlySet<number> | null,
) => { readonly body: Uint8Array; readonly changes: readonly FieldChange[] }

export const NOTHING_STATED: StatedObject = Object.freeze({ owner: undefined, tenant: undefined })

export interface AnswerSet {
  readonly method: string
  readonly object: ObjectPlan | undefined
  readonly byStatus: ReadonlyMap<string, readonly LinkedContent[]>
  readonly limits: JsonLimits
  readonly labels: AnswerLabels
  /** Whether undeclared fields are taken out, or speak against the answer. */
  readonly undeclared: 'strip' | 'block'
}

/**
 * What the contract promises by status and media type alone: `checked` content is held against a schema, `items` one
 * by one as they come, `passed` is declared and not read; `none`: no such status, media type, or content at all.
 */
export type AnswerPromise = 'checked' | 'items' | 'passed' | 'none'

const NOTHING_DROPPED: readonly string[] = Object.freeze([])

/** Holds an answer against what the contract declares for its status, and takes out what it does not declare. */
export function checkAnswer(
  set: AnswerSet,
  status: number,
  contentType: string | undefined,
  bytes: Uint8Array,
): AnswerCheck {
  const unread = (findings: readonly Finding[]): AnswerCheck => ({
    findings,
    body: bytes,
    stated: NOTHING_STATED,
    items: null,
    dropped: NOTHING_DROPPED,
    checked: false,
  })
  const declared = declaredContents(set, status)
  if (declared === undefined) {
    // RFC 9110 §6.4.1: these have no content, whatever came.
    const empty = set.method === 'HEAD' || status === 204 || status === 304
    const seen = empty ? {} : sightOfContent(contentType, bytes, set.limits)
    return unread([contractFinding('response-undeclared', { status, ...seen })])
  }
  // RFC 9110 §6.4.1: these have no content, whatever is declared.
  if (
    declared.length === 0 ||
    bytes.length === 0 ||
    set.method === 'HEAD' ||
    status === 204 ||
    status === 304
  ) {
    return unread(NO_FINDINGS)
  }
  const chosen = chooseContent(declared, contentType)
  if (chosen === null) {
    const seen = sightOfContent(contentType, bytes, set.limits)
    return unread([contractFinding('response-undeclared', { status, rule: 'media type', ...seen })])
  }
  if (!chosen.json) {
    const leak = status < 400 ? null : errorLeak(textOf(bytes))
    const leaks = leak === null ? {} : { leak }
    const read = checkMediaAnswer(chosen, status, bytes, set.limits, set.undeclared)
    if (read === null) return { ...unread(NO_FINDINGS), ...leaks }
    const { findings, body, dropped, types } = read
    return { ...unread(findings), body, dropped, types, checked: true, ...leaks }
  }
  const scan = scanJson(bytes, set.limits)
  if (!scan.ok) {
    const { rule, pointer, offset } = scan.fault
    return unread([contractFinding('response-malformed', { status, rule, pointer, offset })])
  }
  const { check, shape } = chosen.content
  const stated = statedObject(scan.value, set.object)
  const listed = statedItems(scan.value, set.object)
  const rewrite = new Rewrite(bytes, scan.value, scan.exact, shape)
  const { value, dropped, types } = rewrite
  const faults = check === null ? null : check.faults(value, bytes.length, rewrite.digits)
  const unfit = faults === null ? NO_FINDINGS : checkFindings('response-invalid', faults, MAX_FINDINGS, value)
  const findings =
    set.undeclared === 'block' && dropped.length > 0 ? [undeclaredFields(dropped, types), ...unfit] : unfit
  const leak = status < 400 ? null : errorLeak(value)
  const plan = set.object?.items
  const body = rewrite.bytes()
  const items: AnswerItems | null =
    plan === undefined
      ? null
      : {
          stated: listed,
          without: (removed) => {
            if (removed.size === 0 && plan.counts === undefined) return body
            rewrite.edit((at) => withoutItems(at, plan, removed))
            return rewrite.bytes()
          },
        }
  const edit: AnswerEdit = (fields, removed) => {
    const changes: FieldChange[] = []
    const filtered = plan !== undefined && removed !== null && (removed.size > 0 || plan.counts !== undefined)
    // First: hiding may take items out too, and those to be removed would then stand at other indexes.
    if (filtered) rewrite.edit((at) => withoutItems(at, plan, removed))
    if (fields !== null) {
      const items = removed === null ? fields.items : itemsLeft(fields.items, listed?.length ?? 0, removed)
      rewrite.edit((at) => {
        const edited = editFields(at, set.labels.of(status), fields.edits, items)
        changes.push(...edited.changes)
        return edited.value
      })
    }
    const written = fields === null && !filtered ? body : rewrite.bytes()
    return { body: filtered || changes.length > 0 ? written : body, changes }
  }
  const sample = (maxValues: number): readonly Detected[] =>
    sampleValues(value, set.labels.of(status), maxValues)
  return {
    findings,
    body,
    stated,
    items,
    edit,
    sample,
    dropped,
    types,
    checked: true,
    ...(leak === null ? {} : { leak }),
  }
}

export function promiseOf(set: AnswerSet, status: number, contentType: string | undefined): AnswerPromise {
  const declared = declaredContents(set, status)
  const chosen = declared === undefined ? null : chooseContent(declared, contentType)
  if (chosen === null) return 'none'
  if (chosen.content.items !== undefined) return 'items'
  return chosen.json || chosen.content.media !== undefined ? 'checked' : 'passed'
}

/** The edits of the items that are left, by the indexes they then have. */
function itemsLeft(
  items: ItemEdits | undefined,
  count: number,
  removed: ReadonlySet<number>,
): ItemEdits | undefined {
  if (items === undefined || removed.size === 0) return items
  const left: number[] = []
  for (let index = 0; index < count; index++) if (!removed.has(index)) left.push(index)
  return { at: items.at, of: (index) => items.of(left[index] ?? -1) }
}

/** Of a mode that takes out nothing: what is not declared speaks against the answer. */
export function undeclaredFields(fields: readonly string[], types: readonly string[] = []): Finding {
  return finding(reason('response-field-undeclared', 'contract', { fields, types }))
}

/** Of a media type that is not JSON, as far as it is text. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function statedItems(value: unknown, object: ObjectPlan | undefined): AnswerItems['stated'] {
  return object?.items === undefined ? null : readItems(value, object, object.items)
}

function statedObject(value: unknown, object: ObjectPlan | undefined): StatedObject {
  if (object === undefined || object.items !== undefined) return NOTHING_STATED
  if (object.owner === undefined && object.tenant === undefined) return NOTHING_STATED
  const { owner, tenant } = object
  return {
    owner: owner === undefined ? undefined : readPointer(value, owner),
    tenant: tenant === undefined ? undefined : readPointer(value, tenant),
  }
}

/** What the contract declares for a status (OpenAPI 3.1 §4.8.16): its own response, its class's, else `default`. */
export function declaredContents(set: AnswerSet, status: number): readonly LinkedContent[] | undefined {
  return (
    set.byStatus.get(String(status)) ??
    set.byStatus.get(`${Math.trunc(status / 100)}XX`) ??
    set.byStatus.get('default')
  )
}
