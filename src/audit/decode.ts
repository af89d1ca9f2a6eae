import type { Decision, FieldObligation, ItemDecisions, Obligation } from '../model/decision.ts'
import type { ExchangeId, Instant } from '../model/exchange.ts'
import type { Reason } from '../model/reason.ts'
import type {
  CandidateVerdict,
  CutEntry,
  ExchangeRecord,
  MessageShape,
  OutcomeEntry,
  PersonalPart,
  RecordedInput,
  SequenceShape,
} from '../model/record.ts'
import type { Subject } from '../model/subject.ts'
import { parseJson } from '../syntax/json-build.ts'

type Plain = Readonly<Record<string, unknown>>

/** An intent's line as it stands: clear members read, `x` still sealed. */
export interface IntentLine {
  readonly intent: Omit<ExchangeRecord['intent'], 'subject' | 'personal' | 'attributes' | 'sealed'>
  readonly subjectRef: number
  readonly sealed: string
}

export interface OutcomeLine {
  readonly outcome: OutcomeEntry
  readonly subjectRef: number
  /** Empty where the outcome has no attributes. */
  readonly sealed: string
  /** The attributes are those of the intent. */
  readonly same: boolean
}

/** @throws SyntaxError where the line is not JSON; an edited line may hold anything, so no member is taken on trust. */
export function parseLine(text: string): Plain {
  return asPlain(parseJson(text))
}

export function decodeIntent(line: Plain): IntentLine {
  const bundle = text(line, 'bundle')
  return {
    subjectRef: number(line, 's'),
    sealed: text(line, 'x'),
    intent: {
      id: text(line, 'id') as ExchangeId,
      at: instant(line['at']),
      entrance: text(line, 'entrance') as ExchangeRecord['intent']['entrance'],
      tenant: text(line, 'tenant'),
      environment: text(line, 'environment'),
      api: text(line, 'api'),
      operation: text(line, 'operation'),
      governed: line['governed'] === true,
      mode: mode(line),
      method: text(line, 'method'),
      template: text(line, 'template'),
      bundle,
      decisions: decisions(line['decisions'], bundle),
      request: shape(asPlain(line['request'])),
    },
  }
}

export function decodeOutcome(line: Plain): OutcomeLine {
  const bundle = text(line, 'bundle')
  const released = asPlain(line['released'])
  const [total, upstream, gate] = list(line['timings'])
  return {
    subjectRef: number(line, 's'),
    sealed: text(line, 'x'),
    same: line['same'] === true,
    outcome: {
      id: text(line, 'id') as ExchangeId,
      at: instant(line['at']),
      action: oneOf(line['action'], ['forwarded', 'refused', 'failed'], 'failed'),
      effect: effect(line),
      wouldDeny: line['wouldDeny'] === true,
      ...(line['candidate'] === undefined ? {} : { candidate: candidate(asPlain(line['candidate'])) }),
      status: number(line, 'status'),
      decisions: decisions(line['decisions'], bundle),
      attributes: null,
      upstreamStatus: number(line, 'upstreamStatus'),
      lookups: list(line['lookups']).map((one) => {
        const lookup = asPlain(one)
        return { operation: text(lookup, 'operation'), status: number(lookup, 'status') }
      }),
      released: { ...shape(released), dropped: texts(released['dropped']), ...hidden(released) },
      ...(line['sequence'] === undefined ? {} : { sequence: sequence(line['sequence']) }),
      notPlayed: texts(line['notPlayed']),
      timings: { total: finite(total), upstream: finite(upstream), gate: finite(gate) },
    },
  }
}

function sequence(value: unknown): SequenceShape {
  const [items, released, unfit] = list(value)
  return { items: finite(items), released: finite(released), unfit: finite(unfit) }
}

/** What was sealed of an outcome (entry-lines.ts). */
export function decodeOutcomeSecret(secret: string): Pick<OutcomeEntry, 'attributes' | 'original'> {
  const opened = parseJson(secret)
  if (!Array.isArray(opened)) return { attributes: opened as RecordedInput | null }
  const [attributes, original] = opened as readonly unknown[]
  return { attributes: (attributes ?? null) as RecordedInput | null, original: asText(original) }
}

export function decodeCut(line: Plain): CutEntry {
  return {
    id: text(line, 'id') as ExchangeId,
    at: instant(line['at']),
    bytes: number(line, 'bytes'),
    why: text(line, 'why'),
  }
}

/** What was sealed of an intent. GCM has vouched for the bytes: only the gate can have formed them. */
export function decodeIntentSecret(secret: string): {
  personal: PersonalPart
  attributes: RecordedInput | null
} {
  const [address, path, userAgent, host, attributes] = list(parseJson(secret))
  return {
    personal: {
      address: asText(address),
      path: asText(path),
      userAgent: asText(userAgent),
      host: asText(host),
    },
    attributes: (attributes ?? null) as RecordedInput | null,
  }
}

export function decodeSecret<T extends Subject>(secret: string): T {
  return parseJson(secret) as T
}

/** Of lists that lines share (repeated-decisions.ts): what the last of them came to. */
const decoded = new WeakMap<object, { readonly bundle: string; readonly decisions: readonly Decision[] }>()

function decisions(stated: unknown, bundle: string): readonly Decision[] {
  if (!Array.isArray(stated)) return []
  const known = decoded.get(stated)
  if (known?.bundle === bundle) return known.decisions
  const made = stated.map((one) => decision(asPlain(one), bundle))
  decoded.set(stated, { bundle, decisions: made })
  return made
}

function decision(line: Plain, bundle: string): Decision {
  const own = line['bundle']
  return {
    checkpoint: oneOf(line['checkpoint'], ['head', 'body', 'response', 'message'], 'head'),
    effect: effect(line),
    pending: line['pending'] === true,
    mode: mode(line),
    reasons: list(line['reasons']).map((one) => reason(asPlain(one))) as unknown as Decision['reasons'],
    obligations: obligations(line['obligations']),
    policies: texts(line['policies']),
    bundle: typeof own === 'string' ? own : bundle,
    ...(line['observed'] === undefined
      ? {}
      : { observed: list(line['observed']).map((one) => reason(asPlain(one))) }),
    ...(line['items'] === undefined ? {} : { items: itemDecisions(asPlain(line['items'])) }),
  }
}

/** Lines of earlier versions have kinds alone. */
function obligations(stated: unknown): Decision['obligations'] {
  return list(stated).flatMap((one): Obligation[] => {
    if (one === 'drop-undeclared') return [{ kind: one }]
    if (!Array.isArray(one)) return []
    const [kind, policy, fields] = one as unknown[]
    return [
      {
        kind: oneOf(kind, ['drop', 'redact', 'mask'], 'drop'),
        policy: asText(policy),
        fields: texts(fields),
      },
    ]
  })
}

function isOfFields(obligation: Obligation): obligation is FieldObligation {
  return obligation.kind !== 'drop-undeclared'
}

/** `kind pointer`, two words of which the first has no space. */
function halves(stated: unknown): readonly (readonly [string, string])[] {
  return texts(stated).flatMap((each) => {
    const at = each.indexOf(' ')
    return at < 0 ? [] : [[each.slice(0, at), each.slice(at + 1)] as const]
  })
}

function hidden(
  released: Plain,
): Pick<OutcomeEntry['released'], 'kept' | 'droppedTypes' | 'redacted' | 'detected'> {
  const redacted = halves(released['redacted']).map(([kind, pointer]) => ({
    kind: oneOf(kind, ['drop', 'redact', 'mask'], 'drop'),
    pointer,
  }))
  const detected = halves(released['detected']).map(([name, pointer]) => ({ class: name, pointer }))
  const droppedTypes = texts(released['droppedTypes'])
  return {
    ...(released['kept'] === true ? { kept: true } : {}),
    ...(droppedTypes.length === 0 ? {} : { droppedTypes }),
    ...(redacted.length === 0 ? {} : { redacted }),
    ...(detected.length === 0 ? {} : { detected }),
  }
}

function itemDecisions(line: Plain): ItemDecisions {
  return {
    judged: number(line, 'judged'),
    released: number(line, 'released'),
    rows: list(line['rows']).map((one) => {
      const [verdict, count, policies, asked] = list(one)
      return {
        effect: oneOf(verdict, ['allow', 'deny'], 'deny'),
        count: finite(count),
        policies: texts(policies),
        ...(asked === undefined ? {} : { obligations: obligations(asked).filter(isOfFields) }),
      }
    }),
  }
}

function candidate(line: Plain): CandidateVerdict {
  return {
    bundle: text(line, 'bundle'),
    effect: effect(line),
    changed: line['changed'] === true,
    ...(line['undecided'] === true ? { undecided: true } : {}),
    reasons: list(line['reasons']).map((one) => reason(asPlain(one))),
    policies: texts(line['policies']),
  }
}

function reason(line: Plain): Reason {
  const forCaller = line['forCaller']
  return {
    code: text(line, 'code') as Reason['code'],
    source: text(line, 'source') as Reason['source'],
    evidence: asPlain(line['evidence']) as Reason['evidence'],
    ...(typeof forCaller === 'string' ? { forCaller } : {}),
  }
}

function shape(line: Plain): MessageShape {
  return {
    bytes: number(line, 'bytes'),
    mediaType: text(line, 'mediaType'),
    digest: text(line, 'digest'),
    query: texts(line['query']),
    ...(line['fields'] === undefined ? {} : { fields: texts(line['fields']) }),
  }
}

function effect(line: Plain): Decision['effect'] {
  return oneOf(line['effect'], ['allow', 'deny', 'challenge'], 'deny')
}

function mode(line: Plain): Decision['mode'] {
  return oneOf(line['mode'], ['enforce', 'observe'], 'enforce')
}

function oneOf<T extends string>(value: unknown, known: readonly T[], otherwise: T): T {
  return known.find((one) => one === value) ?? otherwise
}

function asPlain(value: unknown): Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Plain) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function texts(value: unknown): readonly string[] {
  return list(value).map(asText)
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function text(line: Plain, name: string): string {
  return asText(line[name])
}

function finite(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function number(line: Plain, name: string): number {
  return finite(line[name])
}

function instant(value: unknown): Instant {
  const [wallMs, monoMs] = list(value)
  return { wallMs: finite(wallMs), monoMs: finite(monoMs) }
}
