import type { Reason } from '../model/reason.ts'
import type { ExchangeRecord } from '../model/record.ts'
import { detect } from '../syntax/sensitive/detect.ts'

/** How live traffic differs from a contract. */
export type DriftKind =
  | 'request-field'
  | 'request-type'
  | 'request-media-type'
  | 'parameter'
  | 'parameter-field'
  | 'parameter-type'
  | 'answer-field'
  | 'answer-type'
  | 'answer-status'
  | 'answer-media-type'
  | 'answer-header'

/** What one call had that its contract does not; the fields are those of a row (drift.ts). */
export interface Difference {
  readonly kind: DriftKind
  readonly place: string
  readonly status: number
  readonly mediaType: string
  /** Texts of sights; empty where the record does not tell. */
  readonly types: readonly string[]
}

interface Side {
  readonly status: number
  readonly mediaType: string
}

/** Each difference once, with all that was seen of it; at most as many as the record has reasons and fields. */
export function differences(record: ExchangeRecord): readonly Difference[] {
  const { intent, outcome } = record
  const answered = outcome === null || outcome === 'unknown' ? null : outcome
  const request: Side = { status: 0, mediaType: intent.request.mediaType }
  const answer: Side = {
    status: answered?.upstreamStatus ?? 0,
    mediaType: answered?.released.mediaType ?? '',
  }
  const found = new Map<string, Difference>()
  for (const { reasons, observed = [] } of [...intent.decisions, ...(answered?.decisions ?? [])]) {
    const once = new Set<string>()
    for (const { code, evidence } of [...reasons, ...observed])
      for (const each of ofReason(code, evidence, request, answer)) {
        const key = `${each.kind} ${each.status} ${each.place}`
        // A name that stands there twice is a list: each time is a finding of the same checkpoint.
        const again = each.kind === 'parameter' && once.has(key)
        once.add(key)
        const types = again ? each.types.map((type) => `array<${type}>`) : each.types
        const known = found.get(key)
        found.set(key, known === undefined ? each : { ...known, types: [...known.types, ...types] })
      }
  }
  // Where enforcing would have refused the request, no decision tells of the answer: that it lost fields is told all the same.
  const { dropped = [], droppedTypes = [] } = answered?.released ?? {}
  for (const [index, field] of dropped.entries()) {
    const type = droppedTypes[index]
    const place = anyIndex(field)
    const key = `answer-field ${answer.status} ${place}`
    if (field !== '/' && !found.has(key))
      found.set(key, { kind: 'answer-field', place, ...answer, types: type === undefined ? [] : [type] })
  }
  return [...found.values()]
}

type Evidence = Reason['evidence']

function* ofReason(code: string, evidence: Evidence, request: Side, answer: Side): Generator<Difference> {
  const text = (name: string): string => (typeof evidence[name] === 'string' ? evidence[name] : '')
  const types = text('type') === '' ? [] : [text('type')]
  const whole = { types, mediaType: text('mediaType') }
  switch (code) {
    case 'field-undeclared':
      if (text('in') === '')
        yield { kind: 'request-field', place: anyIndex(text('pointer')), ...request, types }
      else
        yield {
          kind: 'parameter-field',
          place: `${named(evidence)}${anyIndex(text('pointer'))}`,
          ...NOWHERE,
          types,
        }
      return
    case 'request-field-dropped':
      for (const [field, type] of typed(evidence))
        if (text('in') === 'query')
          yield { kind: 'parameter', place: `query ${field}`, ...NOWHERE, types: type }
        else yield { kind: 'request-field', place: anyIndex(field), ...request, types: type }
      return
    case 'body-invalid':
      if (text('rule') === 'type')
        yield { kind: 'request-type', place: anyIndex(text('pointer')), ...request, types }
      return
    case 'media-type-unsupported':
    case 'body-unexpected': {
      const place = whole.mediaType || request.mediaType
      if (place !== '') yield { kind: 'request-media-type', place, status: 0, types, mediaType: place }
      return
    }
    case 'parameter-undeclared':
      yield { kind: 'parameter', place: named(evidence), ...NOWHERE, types }
      return
    case 'parameter-invalid':
      if (text('rule') === 'type') yield { kind: 'parameter-type', place: named(evidence), ...NOWHERE, types }
      return
    case 'response-field-dropped':
    case 'response-field-undeclared':
      for (const [field, type] of typed(evidence)) {
        // The whole content of a status that is declared without any.
        if (field !== '/') yield { kind: 'answer-field', place: anyIndex(field), ...answer, types: type }
        else if (whole.mediaType !== '')
          yield { kind: 'answer-media-type', place: whole.mediaType, ...answer, ...whole, types: type }
      }
      return
    case 'response-item-dropped':
    case 'response-error-replaced': {
      const { code: why, broken, rule, ...rest } = evidence
      const what = code === 'response-item-dropped' ? rule : broken
      if (typeof why === 'string' && why.startsWith('response-') && !why.endsWith('-replaced'))
        yield* ofReason(why, what === undefined ? rest : { ...rest, rule: what }, request, answer)
      return
    }
    case 'response-invalid':
      if (text('rule') !== 'type') return
      if (text('header') !== '') yield { kind: 'answer-header', place: text('header'), ...answer, types }
      else yield { kind: 'answer-type', place: anyIndex(text('pointer')), ...answer, types }
      return
    case 'response-undeclared':
      if (text('rule') === 'media type') {
        const place = whole.mediaType || answer.mediaType
        yield { kind: 'answer-media-type', place, ...answer, ...whole }
      } else if (text('rule') === '' && answer.status > 0)
        yield { kind: 'answer-status', place: String(answer.status), ...answer, ...whole }
      return
    default:
  }
}

const NOWHERE: Side = { status: 0, mediaType: '' }

const named = (evidence: Evidence): string => `${String(evidence['in'])} ${String(evidence['name'])}`

/** Fields with their types, as far as the record tells them: `fields` and `types` are in the same order. */
function typed(evidence: Evidence): readonly (readonly [field: string, types: readonly string[]])[] {
  const types = names(evidence['types'])
  return names(evidence['fields'])
    .map((field, index): readonly [string, readonly string[]] => {
      const type = types[index] ?? ''
      return [field, type === '' ? [] : [type]]
    })
    .filter(([field]) => field !== '')
}

const names = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []

/** One row for all items of an array, and for all names that are data themselves, such as addresses. */
function anyIndex(pointer: string): string {
  const steps = pointer.split('/')
  return steps
    .map((step) => (/^(?:0|[1-9][0-9]*)$/.test(step) || detect(step, '') !== null ? '*' : step))
    .join('/')
}
