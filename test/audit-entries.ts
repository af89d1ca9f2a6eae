import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DIRECT_SYNC } from '../src/audit/direct-sync.ts'
import { readRecords } from '../src/audit/read.ts'
import type { RecordFilter } from '../src/audit/record-filter.ts'
import { SegmentWriter, type SegmentWriterOptions } from '../src/audit/writer.ts'
import type { Decision } from '../src/model/decision.ts'
import type { ExchangeId } from '../src/model/exchange.ts'
import type { Clock, Random } from '../src/model/ports.ts'
import type { ExchangeRecord, IntentEntry, OutcomeEntry, RecordedInput } from '../src/model/record.ts'
import type { Subject } from '../src/model/subject.ts'

/** Entries as the pipeline states them, and a folder to write them to: for the tests of the record. */
export const STORE_KEY = new Uint8Array(32).fill(7)
export const NODE = '0123456789abcdef'
export const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

export function testClock(): Clock & { advance(ms: number): void } {
  let ms = 1_790_000_000_000
  return {
    now: () => ({ wallMs: ms, monoMs: ms - 1_789_999_999_000 }),
    advance(by) {
      ms += by
    },
  }
}

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-audit-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export function writerIn(directory: string, options: Partial<SegmentWriterOptions> = {}): SegmentWriter {
  return new SegmentWriter({
    directory,
    node: NODE,
    boot: 'b1',
    thread: 0,
    storeKey: STORE_KEY,
    durability: 'os',
    clock: testClock(),
    random,
    syncer: DIRECT_SYNC,
    ...options,
  })
}

export function subjectOf(id: string, more: Partial<Subject> = {}): Subject {
  return {
    kind: 'user',
    issuer: 'corp',
    iss: 'https://idp.example',
    id,
    client: 'web',
    groups: ['customers'],
    scopes: ['orders:read'],
    audience: ['shop'],
    issuedAt: 1_790_000_000,
    expiresAt: 1_790_000_600,
    tokenDigest: 'd'.repeat(43),
    tenant: 'default',
    environment: 'default',
    ...more,
  }
}

export function decisionOf(effect: Decision['effect'] = 'allow', more: Partial<Decision> = {}): Decision {
  return {
    checkpoint: 'head',
    effect,
    pending: false,
    mode: 'enforce',
    reasons: [
      effect === 'allow'
        ? { code: 'policy-permits', source: 'policy', evidence: {} }
        : { code: 'route-unknown', source: 'route', evidence: { api: 'shop' }, forCaller: '/orders' },
    ],
    obligations: [],
    policies: ['read-own'],
    bundle: 'b'.repeat(64),
    ...more,
  }
}

export function attributesOf(more: Partial<RecordedInput> = {}): RecordedInput {
  return {
    checkpoint: 'head',
    action: 'shop.getOrder',
    principal: { type: 'User', id: 'corp/ana' },
    resource: { api: 'shop', objectType: 'order', params: { orderId: '7' }, unknown: ['owner'] },
    context: { scopesMet: true, ip: '203.0.113.7', path: '/v1/orders/7' },
    ...more,
  }
}

export function exchangeId(number: number): ExchangeId {
  return `0190a1b2-c3d4-7e5f-8a9b-${String(number).padStart(12, '0')}` as ExchangeId
}

export function intentOf(number: number, more: Partial<IntentEntry> = {}): IntentEntry {
  return {
    id: exchangeId(number),
    at: { wallMs: 1_790_000_000_000 + number, monoMs: number + 0.25 },
    entrance: 'http',
    tenant: 'default',
    environment: 'default',
    api: 'shop',
    operation: 'shop.getOrder',
    governed: true,
    mode: 'enforce',
    method: 'GET',
    template: '/v1/orders/{orderId}',
    subject: subjectOf('ana'),
    bundle: 'b'.repeat(64),
    decisions: [decisionOf()],
    request: { bytes: 0, mediaType: '', digest: '', query: ['page'] },
    personal: {
      address: '203.0.113.7',
      path: `/v1/orders/${number}`,
      userAgent: 'curl/8',
      host: 'api.shop.example',
    },
    attributes: attributesOf(),
    ...more,
  }
}

export function outcomeOf(number: number, more: Partial<OutcomeEntry> = {}): OutcomeEntry {
  return {
    id: exchangeId(number),
    at: { wallMs: 1_790_000_000_500 + number, monoMs: number + 0.5 },
    action: 'forwarded',
    effect: 'allow',
    wouldDeny: false,
    status: 200,
    decisions: [decisionOf('allow', { checkpoint: 'response' })],
    attributes: attributesOf({ checkpoint: 'response' }),
    upstreamStatus: 200,
    lookups: [],
    released: {
      bytes: 512,
      mediaType: 'application/json',
      digest: 'x'.repeat(22),
      query: [],
      dropped: ['/internal'],
    },
    notPlayed: [],
    timings: { total: 900, upstream: 700, gate: 200 },
    ...more,
  }
}

export async function recordsIn(
  directory: string,
  filter: RecordFilter = {},
  storeKey: Uint8Array | null = STORE_KEY,
): Promise<ExchangeRecord[]> {
  const found: ExchangeRecord[] = []
  for await (const record of readRecords(directory, { storeKey, filter })) found.push(record)
  return found
}
