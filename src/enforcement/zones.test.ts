import { describe, expect, it } from 'vitest'
import type { ApiPlan } from '../model/bundle.ts'
import type { OperationPlan } from '../model/operation.ts'
import { ANONYMOUS, type Subject } from '../model/subject.ts'
import { parseIp } from '../syntax/ip.ts'
import { type ZoneInput, ZoneTable } from './zones.ts'

const NETWORKS = { office: ['10.1.0.0/16', '2001:db8:1::/48'], cellar: ['10.1.9.0/24'] }

function operation(key: string, kind: OperationPlan['kind'], tags: readonly string[] = []): OperationPlan {
  const [api = ''] = key.split('.', 1)
  const security = { need: 'anonymous', alternatives: [] } as const
  return { key, api, method: 'GET', template: '/', tags, kind, deprecated: false, security }
}

function api(name: string, zone?: string): ApiPlan {
  return {
    name,
    owner: '',
    governed: true,
    mode: 'enforce',
    hosts: [],
    basePath: '',
    upstream: { origin: 'http://127.0.0.1:1', basePath: '' },
    accept: ['corp'],
    audience: [],
    credential: 'replace',
    onAuditFailure: 'deny',
    timeouts: { connectMs: 1, headMs: 1, bodyMs: 1, requestMs: 1 },
    stripHeaders: [],
    maxRequestBytes: 1,
    maxAnswerBytes: 1,
    tenant: 'default',
    environment: 'default',
    ...(zone === undefined ? {} : { zone }),
  }
}

const READ = operation('pay.read', 'read', ['public'])
const WRITE = operation('pay.write', 'write')
const PAY = api('pay', 'payments')

const zone = (
  name: string,
  members: Partial<ZoneInput['zones'][number]> = {},
): ZoneInput['zones'][number] => ({
  name,
  networks: [],
  clients: [],
  workloads: [],
  ...members,
})

function table(over: Partial<ZoneInput> = {}): ZoneTable {
  return new ZoneTable({
    zones: [
      zone('edge', { networks: ['0.0.0.0/0', '::/0'] }),
      zone('office', { networks: ['office'] }),
      zone('cellar', { networks: ['cellar'] }),
      zone('backoffice', { networks: ['office'], clients: ['corp/batch'] }),
      zone('partners', { clients: ['partner/app'] }),
      zone('billing', { workloads: ['corp/spiffe://example/ns/billing/*', 'corp/clock'] }),
      zone('ledger', { workloads: ['corp/spiffe://example/ns/billing/ledger/*'] }),
      zone('payments'),
    ],
    flows: [],
    networks: NETWORKS,
    apis: [{ plan: PAY, operations: [READ, WRITE] }],
    ...over,
  })
}

const address = (text: string): Uint8Array => parseIp(text)?.bytes ?? new Uint8Array(16)
const user = (over: Partial<Subject>): Subject => ({
  ...ANONYMOUS,
  kind: 'user',
  issuer: 'corp',
  id: 'ana',
  ...over,
})
const workload = (id: string, over: Partial<Subject> = {}): Subject => user({ kind: 'workload', id, ...over })

describe('which zone a caller is in', () => {
  it.each<readonly [string, Subject, string, string, string]>([
    ['a network', ANONYMOUS, '192.0.2.1', 'edge', 'network'],
    ['an IPv6 network', ANONYMOUS, '2001:db8:9::1', 'edge', 'network'],
    ['the longer network', ANONYMOUS, '10.1.2.3', 'office', 'network'],
    ['the longer network of IPv6', ANONYMOUS, '2001:db8:1::9', 'office', 'network'],
    ['the longest network', ANONYMOUS, '10.1.9.3', 'cellar', 'network'],
    [
      'a client before the network',
      user({ client: 'app', issuer: 'partner' }),
      '10.1.9.3',
      'partners',
      'client',
    ],
    ['a client where it belongs', user({ client: 'batch' }), '10.1.2.3', 'backoffice', 'client'],
    ['a client from elsewhere', user({ client: 'batch' }), '192.0.2.1', '', 'elsewhere'],
    [
      'another issuer’s client of that name',
      user({ client: 'batch', issuer: 'partner' }),
      '10.1.2.3',
      'office',
      'network',
    ],
    ['a workload', workload('spiffe://example/ns/billing/a'), '192.0.2.1', 'billing', 'workload'],
    ['a workload by its whole id', workload('clock'), '192.0.2.1', 'billing', 'workload'],
    [
      'the longest of two beginnings',
      workload('spiffe://example/ns/billing/ledger/a/b'),
      '192.0.2.1',
      'ledger',
      'workload',
    ],
    [
      'a workload before its client',
      workload('clock', { client: 'batch' }),
      '192.0.2.1',
      'billing',
      'workload',
    ],
    [
      'a workload no zone names, by its client',
      workload('spiffe://example/ns/x', { client: 'batch' }),
      '10.1.2.3',
      'backoffice',
      'client',
    ],
    [
      'a sibling whose name begins alike',
      workload('spiffe://example/ns/billing-evil/a'),
      '192.0.2.1',
      'edge',
      'network',
    ],
    ['a person with a workload’s name', user({ id: 'clock' }), '192.0.2.1', 'edge', 'network'],
    ['another issuer’s workload', workload('clock', { issuer: 'partner' }), '192.0.2.1', 'edge', 'network'],
  ])('%s', (_, subject, from, expected, by) => {
    expect(table().placeOf(subject, address(from))).toEqual({ zone: expected, by })
  })

  it('is none without a network for it', () => {
    const none = table({ zones: [zone('office', { networks: ['office'] })] })
    expect(none.placeOf(ANONYMOUS, address('192.0.2.1'))).toEqual({ zone: '', by: 'nothing' })
    expect(none.placeOf(ANONYMOUS, address('::1'))).toEqual({ zone: '', by: 'nothing' })
  })

  it('takes bounded time for an id of nothing but separators', () => {
    const zones = table()
    const id = '/'.repeat(8_000)
    expect(zones.placeOf(workload(id), address('192.0.2.1')).zone).toBe('edge')
  })
})

describe('which calls go between zones', () => {
  const from = (name: string) => ({ zone: name, by: 'network' as const })
  const judged = (flows: ZoneInput['flows'], name: string, one: OperationPlan | null, contracted = true) =>
    table({ flows }).against(from(name), PAY, one, contracted)?.reason.evidence ?? null
  const denied = (name: string) => ({ from: name, to: 'payments', by: 'network' })

  it('denies what no flow allows, and says from where', () => {
    expect(judged([], 'edge', READ)).toEqual(denied('edge'))
    expect(judged([{ from: 'office', to: 'payments', operations: [] }], 'edge', READ)).toEqual(denied('edge'))
  })

  it('denies a zone’s calls to itself without a flow', () => {
    expect(judged([], 'payments', READ)).toEqual(denied('payments'))
    expect(judged([{ from: 'payments', to: 'payments', operations: [] }], 'payments', READ)).toBeNull()
  })

  it('denies who is in no zone, whatever flows there are', () => {
    expect(judged([{ from: '', to: 'payments', operations: [] }], '', READ)).toEqual(denied(''))
  })

  it.each([
    ['an operation', ['pay.read'], null, denied('edge')],
    ['a group', ['pay/read'], null, denied('edge')],
    ['a tag', ['pay/tag/public'], null, denied('edge')],
    ['a group of all', ['pay/all'], null, null],
    ['another API’s group', ['shop/all'], denied('edge'), denied('edge')],
    ['everything', [], null, null],
  ])('by %s', (_, operations, read, write) => {
    const flows = [{ from: 'edge', to: 'payments', operations }]
    expect([judged(flows, 'edge', READ), judged(flows, 'edge', WRITE)]).toEqual([read, write])
  })

  it('joins several flows between two zones', () => {
    const flows = [
      { from: 'edge', to: 'payments', operations: ['pay.read'] },
      { from: 'edge', to: 'payments', operations: ['pay.write'] },
    ]
    expect([judged(flows, 'edge', READ), judged(flows, 'edge', WRITE)]).toEqual([null, null])
  })

  it('leaves an unknown path to the contract, unless nothing may be called; without a contract only all is all', () => {
    const some = [{ from: 'edge', to: 'payments', operations: ['pay.read'] }]
    expect(judged(some, 'edge', null)).toBeNull()
    expect(judged(some, 'edge', null, false)).toEqual(denied('edge'))
    expect(judged([{ from: 'edge', to: 'payments', operations: [] }], 'edge', null, false)).toBeNull()
  })

  it('asks nothing of an API in no zone', () => {
    expect(table().against(from(''), api('free'), READ, true)).toBeNull()
  })
})
