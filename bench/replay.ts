import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DIRECT_SYNC } from '../src/audit/direct-sync.ts'
import { SegmentWriter } from '../src/audit/writer.ts'
import { recordInput } from '../src/decision/attributes.ts'
import { CedarEngine } from '../src/decision/cedar/evaluate.ts'
import { decide } from '../src/decision/decide.ts'
import { checkScopes } from '../src/decision/floor.ts'
import type { DecisionInput } from '../src/model/decision.ts'
import type { ExchangeId } from '../src/model/exchange.ts'
import type { Subject } from '../src/model/subject.ts'
import { ANONYMOUS } from '../src/model/subject.ts'
import { bundleParts, compileBundle } from '../src/roles/compile-bundle.ts'
import { systemClock, systemRandom } from '../src/roles/system.ts'
import { writeBundle } from '../src/store/bundle-files.ts'
import { BundleVersions } from '../src/store/bundle-versions.ts'
import { openDataDirectory } from '../src/store/data-directory.ts'
import { openSigningKey, openStoreKey } from '../src/store/store-keys.ts'
import { uuid7 } from '../src/syntax/uuid.ts'
import { GATE_CORE, pin } from './cpu.ts'
import { ended, forked, message, pidOf } from './rows.ts'

/** `sallyport replay` over a log of its own making: everything between the segments and the report. */
export interface ReplayFigures {
  readonly records: number
  readonly threads: number
  /** As the command says it: from the first segment opened to the last record judged. */
  readonly recordsPerSecond: number
  /** CPU of one reader for one record in µs, least of its rounds: without start-up, and whatever else runs. */
  readonly recordUs: number
}

const THREADS = 2
const CALLERS = 200

const CONTRACT = `openapi: 3.1.0
info: { title: orders, version: 1.0.0 }
paths:
  /orders/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: getOrder, security: [{ oauth: [orders] }], responses: { '200': { description: ok } } }
components: { securitySchemes: { oauth: { type: http, scheme: bearer } } }
`
const CONFIG = `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  shop:
    contract: ./shop.yaml
    upstream: http://127.0.0.1:9
    basePath: /v1
    owner: team
    identity: { accept: [corp], audience: shop }
    mode: enforce
    objects: { order: { path: "/orders/{id}", owner: /customerId } }
policies: ./policies
store: ./data
`
const POLICIES = `@id("own") permit (principal is User, action == Action::"shop.getOrder", resource)
  when { context.scopesMet && resource has owner && resource.owner == principal };
@id("staff") permit (principal in Group::"corp/staff", action in Action::"shop/read", resource);
`

/** @param records Exchanges in the log, over two chains, each with an intent, an outcome and sealed attributes. */
export async function measureReplay(folder: string, records: number): Promise<ReplayFigures> {
  const at = join(folder, 'replay')
  mkdirSync(join(at, 'policies'), { recursive: true })
  writeFileSync(join(at, 'shop.yaml'), CONTRACT)
  writeFileSync(join(at, 'policies', 'shop.cedar'), POLICIES)
  const config = join(at, 'sallyport.yaml')
  writeFileSync(config, CONFIG)
  await writeLog(config, join(at, 'data'), records)
  const program = join(import.meta.dirname, '..', 'bin', 'sallyport.js')
  const { stdout } = await promisify(execFile)(process.execPath, [
    program,
    'replay',
    '--config',
    config,
    '--json',
  ])
  const report: { records: number; same: number; seconds: number } = JSON.parse(stdout)
  if (report.records !== records || report.same !== records)
    throw new Error(`replay judged ${report.same} of ${records} records alike`)
  const recordUs = await readerUs(join(at, 'data'))
  return { records, threads: THREADS, recordsPerSecond: Math.round(records / report.seconds), recordUs }
}

async function readerUs(store: string): Promise<number> {
  const reader = forked('replay-reader.ts', { BENCH_STORE: store })
  try {
    pin([pidOf(reader)], GATE_CORE)
    return Number(await message(reader))
  } finally {
    await ended(reader)
  }
}

async function writeLog(config: string, store: string, records: number): Promise<void> {
  const random = systemRandom()
  const directory = openDataDirectory(store, random)
  const compiled = compileBundle(config)
  const { hash } = writeBundle(directory.bundles, bundleParts(compiled))
  const made = {
    at: 1,
    by: 'bench',
    why: 'start',
    config: hash,
    policies: 1,
    tests: 0,
    startOnly: {},
  } as const
  new BundleVersions(directory.bundles, openSigningKey(directory, 'bundle')).admit({ hash, ...made })
  const plan = compiled.apis[0]?.contract?.operations[0]?.plan
  if (plan === undefined) throw new Error('the contract has no operation')
  const engine = new CedarEngine(compiled.policies)
  const storeKey = openStoreKey(directory, random)
  const subjects = Array.from({ length: CALLERS }, (_, index) => subjectOf(index))
  for (let thread = 0; thread < THREADS; thread++) {
    const writer = new SegmentWriter({
      directory: directory.audit,
      node: directory.node,
      boot: 'bench',
      thread,
      storeKey,
      durability: 'os',
      clock: systemClock,
      random,
      syncer: DIRECT_SYNC,
    })
    for (let index = thread; index < records; index += THREADS) {
      const subject = subjects[index % CALLERS] ?? ANONYMOUS
      const owner = index % 3 === 0 ? 'corp/other' : `corp/${subject.id}`
      const input = inputOf(subject, String(index), owner)
      const scopes = checkScopes(plan.security, subject)
      const decision = decide({
        checkpoint: 'response',
        mode: 'enforce',
        bundle: hash,
        plan,
        subject,
        findings: [],
        scopes,
        policy: engine.evaluate(input),
        input,
        last: true,
      })
      const now = systemClock.now()
      const id = uuid7(now.wallMs, random.bytes(10)) as ExchangeId
      const allowed = decision.effect === 'allow'
      const shape = { bytes: 120, mediaType: 'application/json', digest: 'x'.repeat(22), query: [] }
      writer.intent({
        id,
        at: now,
        entrance: 'http',
        tenant: 'default',
        environment: 'default',
        api: 'shop',
        operation: plan.key,
        governed: true,
        mode: 'enforce',
        method: 'GET',
        template: '/v1/orders/{id}',
        subject,
        bundle: hash,
        decisions: [{ ...decision, checkpoint: 'head', effect: 'allow', pending: true }],
        request: { ...shape, bytes: 0, digest: '', mediaType: '' },
        personal: {
          address: '203.0.113.7',
          path: `/v1/orders/${index}`,
          userAgent: 'bench/1',
          host: 'shop.example',
        },
        attributes: null,
      })
      writer.outcome({
        id,
        at: now,
        action: allowed ? 'forwarded' : 'refused',
        effect: allowed ? 'allow' : 'deny',
        wouldDeny: false,
        status: allowed ? 200 : 403,
        decisions: [decision],
        attributes: recordInput(input, engine.reads, []),
        upstreamStatus: 200,
        lookups: [],
        released: { ...shape, dropped: [] },
        notPlayed: [],
        timings: { total: 900, upstream: 700, gate: 200 },
      })
    }
    await writer.close()
  }
  directory.release()
}

function subjectOf(index: number): Subject {
  const now = Math.floor(Date.now() / 1000)
  return {
    ...ANONYMOUS,
    kind: 'user',
    issuer: 'corp',
    iss: 'https://idp.example',
    id: `user-${index}`,
    client: 'web',
    groups: ['customers'],
    scopes: ['orders'],
    audience: ['shop'],
    issuedAt: now,
    expiresAt: now + 600,
    tokenDigest: 'd'.repeat(43),
  }
}

function inputOf(subject: Subject, id: string, owner: string): DecisionInput {
  return {
    checkpoint: 'response',
    principal: {
      type: 'User',
      id: `corp/${subject.id}`,
      groups: ['corp/customers'],
      client: 'web',
      tenant: 'default',
    },
    action: 'shop.getOrder',
    resource: { api: 'shop', objectType: 'order', params: { id }, owner, unknown: [] },
    context: {
      scopes: subject.scopes,
      scopesMet: true,
      issuer: subject.iss,
      audience: subject.audience,
      tokenAgeSeconds: 1,
      method: 'GET',
      path: `/v1/orders/${id}`,
      ip: '203.0.113.7',
    },
  }
}
