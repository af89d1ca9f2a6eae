import { fieldObligations } from '../decision/obligations.ts'
import type { ExchangeRecord, MessageShape, OutcomeEntry, SequenceShape } from '../model/record.ts'
import { decisionRows } from './decision-rows.ts'
import { statedFacts } from './fact-evidence.ts'
import { type Hints, NO_HINTS } from './hints.ts'
import { changeOf, itemRows, policyStory } from './policy-story.ts'
import { columns, count, durationText, timeText } from './printable.ts'
import type { PolicyText, Rejudged } from './record-actions.ts'
import { attributesOf, decisionsOf, endingOf, outcomeOf } from './record-view.ts'

type Row = readonly string[]

/** One decision in full, for a terminal: plain text, no values of bodies, nothing unprintable. */
export function explanation(
  record: ExchangeRecord,
  rejudged: Rejudged,
  hints: Hints = NO_HINTS,
): readonly string[] {
  const { intent, place } = record
  const sections: (readonly [string, readonly Row[]])[] = [
    [
      `exchange ${intent.id}: ${headline(record)}`,
      [
        ['at', timeText(intent.at.wallMs)],
        [
          'record',
          `node ${place.node}, boot ${place.boot}, thread ${place.thread}, number ${place.sequence}`,
        ],
        ['bundle', intent.bundle === '' ? 'none was in force' : intent.bundle],
      ],
    ],
    ['caller', callerRows(record)],
    ['operation', operationRows(record)],
    ['facts the policies read', attributeRows(record)],
    ['checkpoints', decisionsOf(record).flatMap(decisionRows)],
    ['items of the list', itemRows(record)],
    ['policies that decided', policyRows(record, rejudged)],
    ['went upstream and came back', trafficRows(record)],
  ]
  const lines: string[] = []
  for (const [title, rows] of sections) {
    if (rows.length === 0) continue
    const [first = '', ...rest] = columns([[title], ...rows.map((row) => row.map(indented))])
    lines.push(first, ...rest, '')
  }
  lines.push(...policyStory(record, rejudged))
  const change = changeOf(record, rejudged, hints)
  if (change !== '') lines.push(`smallest change that would allow it: ${change}`)
  lines.push(...columns([[rejudgedText(record, rejudged)]]))
  return lines
}

function indented(cell: string, index: number): string {
  return index === 0 ? `  ${cell}` : cell
}

function headline(record: ExchangeRecord): string {
  const outcome = outcomeOf(record)
  switch (endingOf(record)) {
    case 'open':
      return 'not ended yet'
    case 'unknown':
      return 'how it ended is not known: the gate stopped before it could say'
    case 'would-deny':
      return `let through (${outcome?.status}), because what speaks against it is only observed; enforcing would refuse it`
    case 'failed':
      return `failed (${outcome?.status})`
    case 'allow':
      return outcome?.status === 0 ? 'allowed, carried by the proxy' : `allowed (${outcome?.status})`
    case 'deny':
      return `denied (${outcome?.status})`
    case 'challenge':
      return `challenged (${outcome?.status})`
  }
}

function callerRows({ intent: { subject, personal, at, entrance } }: ExchangeRecord): readonly Row[] {
  if (subject === null) return [['who', 'erased: the key of this subject’s records was destroyed']]
  const rows: Row[] = []
  if (subject.kind === 'anonymous') rows.push(['who', 'anonymous: no token was verified'])
  else {
    const age = Math.floor(at.wallMs / 1000 - subject.issuedAt)
    const left = Math.floor(subject.expiresAt - at.wallMs / 1000)
    rows.push(
      ['who', `${subject.kind} ${subject.id}`],
      ['issuer', subject.iss === '' ? subject.issuer : `${subject.issuer} (${subject.iss})`],
      ['client', subject.client || '-'],
      ['groups', subject.groups.join(', ') || '-'],
      ['scopes', subject.scopes.join(' ') || '-'],
      ['audience', subject.audience.join(', ') || '-'],
      entrance === 'authzen'
        ? ['token', 'none was seen: what is said of the caller is what the application stated']
        : [
            'token',
            `${age} s old, ${left} s left${subject.tokenId === undefined ? '' : `, jti ${subject.tokenId}`}${subject.acr === undefined ? '' : `, acr ${subject.acr}`}`,
          ],
    )
  }
  if (subject.tenant !== 'default') rows.push(['tenant', subject.tenant])
  if (personal !== null) {
    rows.push(['address', personal.address])
    if (personal.userAgent !== '') rows.push(['user agent', personal.userAgent])
  }
  return rows
}

function operationRows({ intent }: ExchangeRecord): readonly Row[] {
  const { api, operation, method, template, personal, governed, mode, entrance } = intent
  const rows: Row[] = [
    ['name', operation === '' ? 'none was found' : operation],
    ['api', `${api === '' ? 'none was found' : api}, ${mode}${governed ? '' : ', ungoverned'}`],
    ['call', `${method} ${template === '' ? '(no template)' : template}, by ${entrance}`],
  ]
  if (personal !== null) rows.push(['asked for', `${personal.host} ${personal.path}`])
  return rows
}

function attributeRows(record: ExchangeRecord): readonly Row[] {
  const attributes = attributesOf(record)
  if (attributes === null) return []
  const rows: Row[] = statedFacts(record).map(({ path, value, from }) => [
    path,
    typeof value === 'string' ? value : JSON.stringify(value),
    `by ${from}`,
  ])
  const { unknown } = attributes.resource
  if (unknown.length > 0) rows.push(['not stated', unknown.map((name) => `resource.${name}`).join(', ')])
  const present = new Set(rows.map(([label]) => label))
  for (const name of unknown) present.add(`resource.${name}`)
  const absent = (attributes.kept ?? []).filter((path) => path.split('.').length === 2 && !present.has(path))
  if (absent.length > 0) rows.push(['not of this call', absent.join(', ')])
  return rows
}

function policyRows(record: ExchangeRecord, { policies }: Rejudged): readonly Row[] {
  const ids = [...new Set(decisionsOf(record).flatMap((decision) => decision.policies))]
  return ids.flatMap((id) => {
    const known = policies.find((policy) => policy.id === id)
    if (known === undefined) return [[id, 'its bundle is not in the store']]
    return [
      [`${id} (${known.effect}${linkText(known)})`],
      ...known.text.split('\n').map((line) => [`    ${line}`]),
    ]
  })
}

function linkText({ link }: PolicyText): string {
  if (link === undefined) return ''
  const args = Object.entries(link.args).map(([slot, entity]) => `${slot} ${entity}`)
  return `, template ${link.template} with ${args.join(' and ')}`
}

function trafficRows(record: ExchangeRecord): readonly Row[] {
  const { request } = record.intent
  const outcome = outcomeOf(record)
  const rows: Row[] = [['request', shapeText(request)]]
  if (request.query.length > 0) rows.push(['query', `names only: ${request.query.join(', ')}`])
  if (request.fields !== undefined) rows.push(['body’s form', request.fields.join(', ')])
  if (outcome === null) return rows
  const { lookups, upstreamStatus, released, notPlayed, timings, action } = outcome
  for (const { operation, status: seen } of lookups)
    rows.push(['look-up', `${operation} under the gate’s identity: ${seen === 0 ? 'no answer' : seen}`])
  rows.push(['upstream', upstreamText(upstreamStatus, action)])
  rows.push(['released', releasedText(record, outcome)])
  if (released.fields !== undefined) rows.push(['answer’s form', released.fields.join(', ')])
  const went = record.intent.mode === 'observe' || released.kept === true
  if (released.dropped.length > 0)
    rows.push([went ? 'not dropped, only observed' : 'dropped fields', released.dropped.join(', ')])
  rows.push(...hiddenRows(record, outcome))
  if (outcome.sequence !== undefined) rows.push(['items', sequenceText(outcome.sequence)])
  if (outcome.original !== undefined)
    rows.push(['upstream said', outcome.original.replaceAll(/\r?\n/g, ' ⏎ ')])
  if (notPlayed.length > 0) rows.push(['not played', notPlayed.join(', ')])
  if (record.cut !== null)
    rows.push(['cut', `after ${count(record.cut.bytes, 'byte')} of the answer: ${record.cut.why}`])
  const { total, gate, upstream } = timings
  const waited = total - gate - upstream
  const rest = waited > 0 ? `, waiting for the caller’s bytes ${durationText(waited)}` : ''
  const spent = `gate ${durationText(gate)}, upstream ${durationText(upstream)}${rest}`
  rows.push(['time', `${durationText(total)}: ${spent}`])
  return rows
}

const DONE = { drop: 'left out', redact: 'redacted', mask: 'masked' } as const

/** Who asked for which fields to be hidden, what was, and what sampling found in values. */
function hiddenRows(record: ExchangeRecord, { released, action }: OutcomeEntry): readonly Row[] {
  const rows: Row[] = []
  const last = decisionsOf(record).findLast(({ effect }) => effect === 'allow')
  const asked = [
    ...fieldObligations(last?.obligations ?? []),
    ...(last?.items?.rows ?? []).flatMap((row) => row.obligations ?? []),
  ]
  const told = new Set<string>()
  for (const { kind, fields, policy } of action === 'forwarded' ? asked : []) {
    const by = policy === '' ? 'a field rule of the contract' : `the policy ${policy}`
    told.add(`${fields.join(', ')} to be ${DONE[kind]}, by ${by}`)
  }
  for (const text of told) rows.push(['hides fields', text])
  const { redacted = [], detected = [] } = released
  if (redacted.length > 0)
    rows.push(['hidden fields', redacted.map(({ kind, pointer }) => `${pointer} ${DONE[kind]}`).join(', ')])
  if (detected.length > 0)
    rows.push(['found in values', detected.map((each) => `${each.pointer} ${each.class}`).join(', ')])
  return rows
}

function releasedText(
  { intent: { entrance } }: ExchangeRecord,
  { action, status, released }: OutcomeEntry,
): string {
  if (entrance === 'authzen') return `${status}, the answer to the question`
  if (action !== 'forwarded') return `${status}, a problem document of the gate’s own`
  return status === 0
    ? 'the proxy carries the call: its answer is not seen'
    : `${status}, ${shapeText(released)}`
}

function sequenceText({ items, released, unfit }: SequenceShape): string {
  return `${count(items, 'item')} streamed, ${released} released, ${unfit} left out as unfit`
}

function upstreamText(status: number, action: string): string {
  if (status !== 0) return `answered ${status}`
  return action === 'failed' ? 'gave no answer' : 'was not asked'
}

function shapeText({ bytes, mediaType, digest }: MessageShape): string {
  if (bytes === 0) return 'no body'
  return `${count(bytes, 'byte')}${mediaType === '' ? '' : ` of ${mediaType}`}${digest === '' ? '' : `, digest ${digest}`}`
}

function rejudgedText({ intent }: ExchangeRecord, { result, missing, why }: Rejudged): string {
  const bundle = intent.bundle === '' ? '' : ` by bundle ${intent.bundle.slice(0, 12)}`
  if (result === 'same') return `judged again${bundle}: same`
  if (result === 'changed')
    return `judged again${bundle}: CHANGED, the record does not follow from its bundle`
  return `judged again${bundle}: undecidable, ${missing.length > 0 ? `not recorded: ${missing.join(', ')}` : why}`
}
