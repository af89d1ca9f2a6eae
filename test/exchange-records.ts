import type { Decision } from '../src/model/decision.ts'
import type { ExchangeId } from '../src/model/exchange.ts'
import type { ReasonCode } from '../src/model/reason.ts'
import { opposes, reason } from '../src/model/reason.ts'
import type { ExchangeRecord, IntentEntry, OutcomeEntry } from '../src/model/record.ts'
import { ANONYMOUS, type Subject } from '../src/model/subject.ts'

// Records as the audit room gives them, for tests of what is made of them.

export const ANA: Subject = {
  ...ANONYMOUS,
  kind: 'user',
  issuer: 'corp',
  iss: 'https://idp.example',
  id: 'ana',
  client: 'web',
  scopes: ['orders:read'],
  issuedAt: 1_000,
  expiresAt: 2_000,
}

export interface SampleRecord {
  readonly id?: string
  readonly wallMs?: number
  readonly mode?: 'enforce' | 'observe'
  readonly api?: string
  readonly operation?: string
  readonly subject?: Subject | null
  readonly address?: string
  /** Of the head's decision, which denies where one of them speaks against the call. */
  readonly codes?: readonly [ReasonCode, ...ReasonCode[]]
  readonly intent?: Partial<IntentEntry>
  readonly outcome?: Partial<OutcomeEntry> | 'unknown' | null
}

export function sampleDecision(
  codes: readonly [ReasonCode, ...ReasonCode[]],
  more: Partial<Decision> = {},
): Decision {
  const [first, ...rest] = codes
  return {
    checkpoint: 'head',
    effect: codes.some(opposes) ? 'deny' : 'allow',
    pending: false,
    mode: 'enforce',
    reasons: [reason(first, 'policy'), ...rest.map((code) => reason(code, 'policy'))],
    obligations: [],
    policies: [],
    bundle: 'b'.repeat(64),
    ...more,
  }
}

export function sampleRecord(sample: SampleRecord = {}): ExchangeRecord {
  const { mode = 'enforce', codes = ['policy-permits'], subject = ANA } = sample
  const denied = codes.some(opposes)
  const id = (sample.id ?? '019381b0-5f0e-7c3a-9d62-0b4c1f6f6a11') as ExchangeId
  const at = { wallMs: sample.wallMs ?? 1_500_000, monoMs: 0 }
  const erased = subject === null
  return {
    v: 1,
    place: { node: 'a'.repeat(16), boot: 'boot', thread: 0, sequence: 1 },
    intent: {
      id,
      at,
      entrance: 'http',
      tenant: 'default',
      environment: 'default',
      api: sample.api ?? 'shop',
      operation: sample.operation ?? 'shop.getOrder',
      governed: true,
      mode,
      method: 'GET',
      template: '/v1/orders/{orderId}',
      bundle: 'b'.repeat(64),
      decisions: [sampleDecision(codes, { mode })],
      request: { bytes: 0, mediaType: '', digest: '', query: [] },
      attributes: null,
      ...sample.intent,
      subject,
      personal: erased
        ? null
        : {
            address: sample.address ?? '192.0.2.1',
            path: '/v1/orders/1',
            userAgent: '',
            host: 'api.example',
          },
      sealed: erased ? 'erased' : 'open',
    },
    outcome:
      sample.outcome === null || sample.outcome === 'unknown'
        ? sample.outcome
        : {
            id,
            at,
            action: denied && mode === 'enforce' ? 'refused' : 'forwarded',
            effect: denied && mode === 'enforce' ? 'deny' : 'allow',
            wouldDeny: denied && mode === 'observe',
            status: denied && mode === 'enforce' ? 403 : 200,
            decisions: [],
            attributes: null,
            upstreamStatus: denied && mode === 'enforce' ? 0 : 200,
            lookups: [],
            released: { bytes: 0, mediaType: '', digest: '', query: [], dropped: [] },
            notPlayed: [],
            timings: { total: 900, upstream: 500, gate: 400 },
            ...sample.outcome,
          },
    cut: null,
  }
}
