import { type AskedCall, NOTHING_STATED, type Operation, type StatedObject } from '../contract/instantiate.ts'
import type { ParameterSource } from '../contract/parameters/check.ts'
import type { SealedQuery } from '../contract/unknown-fields.ts'
import type { ApiPlan } from '../model/bundle.ts'
import type { Exchange } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import { CODINGS, decodeContent } from '../syntax/content-coding.ts'
import type { Gate } from './gate.ts'
import type { CleanHead } from './hygiene.ts'
import type { Journal } from './journal.ts'
import { jsonShape } from './shape.ts'
import { type Sight, unseenBody } from './sight.ts'

/** What the contract says of parameters and body, and which bytes it said it of. */
export interface CheckedContent {
  readonly findings: Finding[]
  /** Without undeclared query parameters, where these are taken out. */
  readonly head: CleanHead
  /** Decoded where it came coded. */
  readonly judged: Uint8Array | null
  /** What the body that goes on says of whose object it is. */
  readonly stated: StatedObject
  /** Of a GraphQL call: what it asks for. */
  readonly asked?: AskedCall
  /** What goes upstream: the judged bytes, unless the contract is only observed, which changes no byte. */
  readonly forwarded: Uint8Array | null
  /** The body was let through unread: its contract says nothing of such content that could be held. */
  readonly unchecked?: boolean
}

/** Parameters and body held against the contract. Without an operation only the shape is noted, to learn from. */
export function checkContent(
  exchange: Exchange,
  head: CleanHead,
  api: ApiPlan,
  operation: Operation | null,
  params: Readonly<Record<string, string>>,
  body: Uint8Array | null,
  journal: Pick<Journal, 'requestShape'>,
  gate: Gate,
  sight: Sight,
): CheckedContent {
  const asItCame = (findings: Finding[]): CheckedContent => ({
    findings,
    head,
    judged: body,
    stated: NOTHING_STATED,
    forwarded: body,
  })
  if (operation === null) {
    if (body !== null) journal.requestShape(jsonShape(head.contentType, body))
    return asItCame([])
  }
  try {
    const held = isContractHeld(api)
    const unknown = operation.unknownFields
    // What cannot be taken out at this entrance is refused.
    const ofQuery = unknown === 'strip' && held && !sight.retargets ? 'reject' : unknown
    const sealed = operation.sealQuery(head.query, ofQuery)
    const declared = sealed === null ? head : withoutUndeclared(head, sealed)
    const findings = [
      ...operation.checkParameters({ ...parametersOf(declared), params }),
      ...(sealed === null ? [] : sealed.findings),
    ]
    const own = unknown === 'strip' && held ? declared : head
    if (sight.body !== 'whole') {
      findings.push(...unseenBody(operation, sight, head.contentType, body))
      return { ...asItCame(findings), head: own }
    }
    const decoded = decodeBody(head.contentEncoding, body, api, sight)
    if ('reason' in decoded) return asItCame([...findings, decoded])
    const judged = decoded.bytes
    if (operation.ask !== undefined) {
      const { query, contentType } = head
      const asked = operation.ask({ method: exchange.head.method, contentType, query, body: judged })
      findings.push(...asked.reading.findings)
      // A registered document whose text cannot be put in its place would be whatever the upstream has by that id.
      if ((asked.body !== null && !sight.rewrites) || (asked.rawQuery !== null && !sight.retargets)) {
        const said = 'send the document itself'
        findings.push(finding(reason('graphql-malformed', 'contract', { rule: 'documentId' }, said)))
      }
      return {
        findings,
        ...forwardedOf(asked, head, judged, body, held, sight),
        judged,
        stated: NOTHING_STATED,
        asked,
      }
    }
    const ofBody = unknown === 'strip' && held && !sight.rewrites ? 'reject' : unknown
    const checked = operation.checkBody(head.contentType, judged, ofBody, held)
    findings.push(...checked.findings)
    return {
      findings,
      head: own,
      judged,
      stated: checked.stated,
      forwarded: held ? checked.bytes : body,
      unchecked: checked.unchecked === true,
    }
  } catch (error) {
    gate.fault('contract', exchange.id, error)
    return asItCame([finding(reason('stage-failed', 'stage', { stage: 'contract' }))])
  }
}

/** What of a GraphQL call goes upstream: registered documents by their text, where that is asked for. */
function forwardedOf(
  asked: AskedCall,
  head: CleanHead,
  judged: Uint8Array | null,
  came: Uint8Array | null,
  held: boolean,
  sight: Sight,
): Pick<CheckedContent, 'head' | 'forwarded'> {
  if (!held) return { head, forwarded: came }
  const { rawQuery, body } = asked
  const forwarded = body !== null && sight.rewrites ? body : judged
  return { head: rawQuery !== null && sight.retargets ? { ...head, rawQuery } : head, forwarded }
}

const parametersOf = ({ segments, query, rawQuery, fields }: CleanHead): Omit<ParameterSource, 'params'> => ({
  segments,
  query,
  rawQuery,
  fields,
})

/** The target as it goes on: what was taken out stands in neither form of the query. */
function withoutUndeclared(head: CleanHead, { query, declared }: SealedQuery): CleanHead {
  const pairs = head.rawQuery.split('&').filter((pair) => pair !== '')
  const rawQuery = pairs.filter((_, index) => declared[index] === true).join('&')
  return { ...head, query, rawQuery }
}

/** What the contract says has its effect: bytes may be changed for it. */
export function isContractHeld({ mode, observeStages }: ApiPlan): boolean {
  return mode === 'enforce' && observeStages?.includes('contract') !== true
}

/** The body without its content codings, or why it has none that can be checked. */
function decodeBody(
  field: string | undefined,
  body: Uint8Array | null,
  api: ApiPlan,
  sight: Sight,
): { readonly bytes: Uint8Array | null } | Finding {
  if (field === undefined || body === null || body.byteLength === 0) return { bytes: body }
  // Where the body goes on as it came, whoever reads it undoes the coding by rules of its own.
  const accepted = sight.rewrites ? (api.requestCodings ?? CODINGS) : []
  const limit = api.maxRequestBytes
  const decoded = decodeContent(body, field, accepted, limit)
  if (decoded.ok) return decoded
  const encoding = codingName(field)
  if (decoded.why === 'unsupported') {
    const evidence = { encoding, accepted: [...accepted] }
    const said = accepted.length === 0 ? 'none is taken' : `taken are ${accepted.join(', ')}`
    return finding(reason('content-encoding-unsupported', 'contract', evidence, said))
  }
  if (decoded.why === 'malformed')
    return finding(
      reason('body-malformed', 'contract', { rule: 'content-encoding', encoding }, 'content-encoding'),
    )
  const said = `more than ${limit} bytes, or too many for one byte sent, once decoded`
  return finding(reason('body-too-large', 'contract', { limit, encoding }, said))
}

/** A caller may write anything there, also what must not be recorded in clear. */
function codingName(text: string): string {
  return /^(?:x-)?(?:gzip|br|deflate|compress|zstd|dcb|dcz|exi|aes128gcm)$/i.test(text)
    ? text.toLowerCase()
    : 'other'
}
