import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DIRECT_SYNC } from '../../src/audit/direct-sync.ts'
import { readRecords } from '../../src/audit/read.ts'
import { SegmentWriter } from '../../src/audit/writer.ts'
import { compare, replayRecord } from '../../src/decision/replay/judge-record.ts'
import type { Replayed } from '../../src/decision/replay/replayed.ts'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import type { ExchangeRecord, OutcomeEntry } from '../../src/model/record.ts'
import { bundleParts, compileBundle } from '../../src/roles/compile-bundle.ts'
import { readReplayBundle } from '../../src/roles/replay-bundle.ts'
import { systemClock, systemRandom } from '../../src/roles/system.ts'
import { writeBundle } from '../../src/store/bundle-files.ts'
import { openDataDirectory } from '../../src/store/data-directory.ts'
import { openStoreKey } from '../../src/store/store-keys.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import { memoryGate, memoryUpstream } from '../memory-gate.ts'
import { stateBundle } from '../stated-bundle.ts'
import { accessToken, testKey } from '../token-issuer.ts'

const ISSUER = 'https://idp.example'
const KEY = testKey('ES256')
const CALLS = 10_000

const CONTRACT = `openapi: 3.1.0
info: { title: things, version: 1.0.0 }
paths:
  /free: { get: { operationId: getFree, security: [], responses: { '200': { $ref: '#/components/responses/Thing' } } } }
  /report: { get: { operationId: getReport, tags: [office], security: [{ oauth: [READ] }], responses: { '200': { $ref: '#/components/responses/Thing' } } } }
  /things:
    get: { operationId: listThings, security: [{ oauth: [READ] }], responses: { '200': { $ref: '#/components/responses/Things' } } }
    post:
      operationId: addThing
      security: [{ oauth: [write] }]
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
      responses: { '200': { $ref: '#/components/responses/Thing' } }
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string, maxLength: 4 } }]
    get: { operationId: getThing, security: [{ oauth: [READ] }], responses: { '200': { $ref: '#/components/responses/Thing' }, '404': { description: none } } }
    delete: { operationId: deleteThing, security: [{ oauth: [write] }], responses: { '200': { $ref: '#/components/responses/Thing' }, '404': { description: none } } }
components:
  securitySchemes: { oauth: { type: http, scheme: bearer } }
  responses:
    Things: { description: ok, content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Thing' } } } } }
    Thing: { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
  schemas: { Thing: { type: object, properties: { id: { type: string }, owner: { type: string }, note: { type: string, maxLength: 8 } } } }
`

const BEFORE = `
@id("free") permit (principal, action == Action::"things.getFree", resource);
@id("office") permit (principal in Group::"corp/office", action in Action::"things/tag/office", resource) when { context.ip.isInRange(ip("10.0.0.0/8")) };
@id("add") permit (principal is User, action == Action::"things.addThing", resource);
@id("own") permit (principal is User, action in [Action::"things.getThing", Action::"things.listThings", Action::"things.deleteThing"], resource) when { resource has owner && resource.owner == principal };
@id("staff") permit (principal in Group::"corp/staff", action in Action::"things/read", resource);
`

/** Narrower here, wider there: groups, addresses, owners and writes all move. */
const AFTER = `
@id("free") permit (principal is User, action == Action::"things.getFree", resource);
@id("office") permit (principal in Group::"corp/office", action in Action::"things/tag/office", resource) when { context.ip.isInRange(ip("10.1.0.0/16")) };
@id("add") permit (principal in Group::"corp/office", action == Action::"things.addThing", resource);
@id("own") permit (principal is User, action in [Action::"things.getThing", Action::"things.listThings", Action::"things.deleteThing"], resource) when { resource has owner && resource.owner == principal };
@id("staff") permit (principal in Group::"corp/staff", action in Action::"things/all", resource);
@id("swapped") forbid (principal, action == Action::"things.listThings", resource) when { resource has owner && resource.owner == User::"corp/bo" };
@id("shown") permit (principal is User, action == Action::"things.listThings", resource) when { resource has owner && resource.owner == User::"corp/cy" };
@id("frozen") forbid (principal, action in Action::"things/write", resource) unless { principal in Group::"corp/office" || principal in Group::"corp/staff" };
`

/** Who calls from inside may do what its zone lets it, whoever it is; staff must come from there. */
const ZONED = `
@id("free") permit (principal, action == Action::"things.getFree", resource);
@id("own") permit (principal is User, action in Action::"things/all", resource) when { resource has owner && resource.owner == principal };
@id("inside") permit (principal in Zone::"inner", action in [Action::"things.addThing", Action::"things.getReport"], resource);
@id("staff") permit (principal in Group::"corp/staff", action in Action::"things/read", resource) when { principal in Zone::"inner" };
@id("tried") @mode("observe") forbid (principal, action, resource);
`
const ZONES = `networks: { hall: [10.1.0.0/16] }
zones: { inner: { networks: [hall] }, outer: { networks: [10.0.0.0/8] }, core: {} }
flows: [{ from: inner, to: core }, { from: outer, to: core, operations: [things/read, things.addThing] }]
`

let folder: ConfigFolder
const NAMES = ['before', 'narrower', 'observed', 'zoned', 'staged'] as const
type Name = (typeof NAMES)[number]
let configs: Readonly<Record<Name, string>>

function config(policies: string, contract: string, mode: string, api = '', top = ''): string {
  return `identity: { issuers: { corp: { issuer: "${ISSUER}" } } }
apis:
  things:
    contract: ./${contract}
    upstream: http://127.0.0.1:9
    basePath: /v1
    hosts: [things.example]
    owner: team
    identity: { accept: [corp], audience: shop }
    mode: ${mode}
    objects: { thing: { path: "/things/{id}", owner: /owner, lookup: getThing, list: { operation: listThings, id: /id } } }
${api}policies: ./${policies}
${top}store: ./data
`
}

beforeAll(() => {
  folder = configFolder()
  const first = folder.write({
    'before.yaml': config('before', 'things.yaml', 'enforce'),
    'narrower.yaml': config('after', 'scoped.yaml', 'enforce'),
    'observed.yaml': config('after', 'things.yaml', 'observe'),
    'zoned.yaml': config('zoned', 'things.yaml', 'enforce', '    zone: core\n', ZONES),
    'staged.yaml': config('after', 'things.yaml', 'enforce', '    observe: [identity, policy]\n'),
    'things.yaml': CONTRACT.replaceAll('READ', 'read'),
    'scoped.yaml': CONTRACT.replaceAll('READ', 'look'),
    'before/things.cedar': BEFORE,
    'after/things.cedar': AFTER,
    'zoned/things.cedar': ZONED,
  })
  const at = (name: Name): string => join(first, '..', `${name}.yaml`)
  configs = {
    before: at('before'),
    narrower: at('narrower'),
    observed: at('observed'),
    zoned: at('zoned'),
    staged: at('staged'),
  }
})
afterAll(() => folder.remove())

interface Call {
  readonly method: string
  readonly target: string
  readonly token: string | null
  readonly address: string
  readonly body?: string
}

/** The same calls every time: a linear congruence instead of chance. */
function calls(): Call[] {
  let state = 7
  const pick = <T>(list: readonly [T, ...T[]]): T => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return list[Math.floor((state / 2_147_483_648) * list.length)] ?? list[0]
  }
  const now = Math.floor(Date.now() / 1000)
  const people = ['ana', 'bo', 'cy', 'di'] as const
  const tokens = new Map<string, string>()
  const token = (sub: string, groups: string, scope: string, aud: string): string => {
    const key = [sub, groups, scope, aud].join()
    const known = tokens.get(key)
    if (known !== undefined) return known
    const claims = {
      iss: ISSUER,
      sub,
      aud,
      client_id: 'web',
      jti: crypto.randomUUID(),
      scope,
      iat: now,
      exp: now + 900,
    }
    const made = accessToken(KEY, { ...claims, groups: groups === '' ? [] : groups.split(' ') })
    tokens.set(key, made)
    return made
  }
  const one = (): Call => {
    const [method, target, body] = pick<readonly [string, string, string?]>([
      ['GET', '/v1/free'],
      ['GET', '/v1/report'],
      ['GET', '/v1/things'],
      ['POST', '/v1/things', '{"note":"fine"}'],
      ['POST', '/v1/things', '{"note":"much too long"}'],
      ['GET', `/v1/things/${pick(['a', 'b', 'c', 'd', 'gone', 'down', 'overlong'])}`],
      ['DELETE', `/v1/things/${pick(['a', 'b', 'c', 'gone', 'down'])}`],
      ['GET', '/v1/nowhere'],
    ])
    const sent = token(
      pick(people),
      pick(['', 'staff', 'office', 'staff office']),
      pick(['read', 'write', 'read write', 'look write']),
      pick(['shop', 'shop', 'shop', 'other']),
    )
    return {
      method,
      target,
      token: pick([true, true, true, false]) ? sent : null,
      address: pick(['10.1.2.3', '10.2.3.4', '192.0.2.1']),
      ...(body === undefined ? {} : { body }),
    }
  }
  return Array.from({ length: CALLS }, one)
}

const OWNERS: Readonly<Record<string, string>> = { a: 'ana', b: 'bo', c: 'cy', d: 'di' }

/** Plays every call by a configuration into its own store; the records in the order of the calls. */
async function play(file: string, sent: readonly Call[], store: string): Promise<readonly ExchangeRecord[]> {
  const directory = openDataDirectory(store, systemRandom())
  const { hash } = writeBundle(directory.bundles, bundleParts(compileBundle(file)))
  stateBundle(directory, hash)
  const storeKey = openStoreKey(directory, systemRandom())
  const audit = new SegmentWriter({
    directory: directory.audit,
    node: directory.node,
    boot: 'test',
    thread: 0,
    storeKey,
    durability: 'os',
    clock: systemClock,
    random: systemRandom(),
    syncer: DIRECT_SYNC,
  })
  const upstream = memoryUpstream(({ path, method }) => {
    if (method === 'GET' && path.endsWith('/things')) {
      const body = JSON.stringify(Object.entries(OWNERS).map(([id, owner]) => ({ id, owner })))
      return { status: 200, fields: ['Content-Type', 'application/json'], body }
    }
    const id = /things\/(\w+)/.exec(path)?.[1] ?? 'a'
    if (id === 'down') return { status: 503 }
    if (OWNERS[id] === undefined) return { status: 404 }
    const body = JSON.stringify({ id, owner: OWNERS[id], ...(method === 'GET' ? { note: 'n' } : {}) })
    return { status: 200, fields: ['Content-Type', 'application/json'], body }
  })
  const gate = memoryGate({
    config: file,
    upstream,
    audit,
    bundle: hash,
    keys: { corp: { iss: ISSUER, keys: [KEY] } },
  })
  const ids: string[] = []
  for (const { method, target, token, address, body } of sent) {
    const fields = ['Host', 'things.example', ...(token === null ? [] : ['Authorization', `Bearer ${token}`])]
    if (body !== undefined)
      fields.push('Content-Type', 'application/json', 'Content-Length', String(body.length))
    const call = {
      method,
      target,
      fields,
      address,
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    }
    ids.push((await callInMemory(gate.gate, systemRandom(), call)).id)
  }
  await audit.close()
  gate.close()
  expect(gate.faults).toEqual([])
  const read = new Map<string, ExchangeRecord>()
  for await (const record of readRecords(directory.audit, { storeKey })) read.set(record.intent.id, record)
  directory.release()
  return ids.flatMap((id) => read.get(id) ?? [])
}

const outcomeOf = ({ outcome }: ExchangeRecord): OutcomeEntry => {
  if (outcome === null || outcome === 'unknown') throw new Error('a call has no outcome')
  return outcome
}

const actedOn = (record: ExchangeRecord): string =>
  outcomeOf(record).action === 'refused' ? 'deny' : 'allow'

const refusedBy = (record: ExchangeRecord): string =>
  [...record.intent.decisions, ...outcomeOf(record).decisions].at(-1)?.reasons[0].source ?? ''

/** An answer's length tells which items of the list went out. */
const isList = ({ intent }: ExchangeRecord): boolean => intent.operation === 'things.listThings'
const sentBytes = (record: ExchangeRecord): number => outcomeOf(record).released.bytes

/** Changes that are told for certain, so that not everything is called undecidable. */
const LEAST: Partial<Record<Name, Partial<Record<Name, number>>>> = {
  before: { narrower: 500, observed: 100, zoned: 500, staged: 100 },
}

/** Null where the prediction came true. */
function faultIn(replayed: Replayed, record: ExchangeRecord, truth: ExchangeRecord): string | null {
  const acted = actedOn(truth)
  if (replayed.kind === 'undecidable') return null
  if (replayed.kind === 'same') {
    if (acted !== actedOn(record)) return `same, but ${acted}`
    return isList(record) && acted === 'allow' && sentBytes(truth) !== sentBytes(record)
      ? 'same, but other items'
      : null
  }
  const { to, unplayed, items } = replayed
  if (unplayed.length > 0)
    return acted === 'allow' || ['contract', 'object', 'upstream', 'stage'].includes(refusedBy(truth))
      ? null
      : `allowed as far as it got, but ${acted}`
  if (acted !== to) return `${to}, but ${acted}`
  if (items === undefined) return null
  const [was, is] = [sentBytes(record), sentBytes(truth)]
  if (was === is) return 'other items, but the same'
  if ((items.gained === 0 && is > was) || (items.lost === 0 && is < was)) return 'items the other way round'
  return null
}

describe('what replay predicts is what enforcing then does', () => {
  let sent: readonly Call[]
  const played = new Map<Name, readonly ExchangeRecord[]>()
  const other = configFolder()
  const records = (name: Name): readonly ExchangeRecord[] => played.get(name) ?? []
  beforeAll(async () => {
    sent = calls()
    for (const name of NAMES) {
      const store = name === 'before' ? join(configs.before, '..', 'data') : join(other.path, name)
      played.set(name, await play(configs[name], sent, store))
      expect(records(name)).toHaveLength(CALLS)
    }
  }, 300_000)
  afterAll(() => other.remove())

  const pairs = NAMES.flatMap((made) => NAMES.map((by) => [made, by] as const))
  it.each(pairs)(
    'of what %s recorded, held against %s',
    (made, by) => {
      const scratch = configFolder()
      const outline = (name: Name) => {
        const { file, hash } = writeBundle(scratch.path, bundleParts(compileBundle(configs[name])))
        return readReplayBundle(file, hash)
      }
      const between = compare(outline(made).outline, outline(by))
      scratch.remove()
      const counts = { same: 0, changed: 0, lists: 0, further: 0, undecidable: 0 }
      const wrong: unknown[] = []
      records(made).forEach((record, index) => {
        const truth = records(by)[index]
        if (truth === undefined) throw new Error('a call has no record')
        const replayed = replayRecord(record, between)
        if (replayed.kind !== 'changed') counts[replayed.kind]++
        else if (replayed.items !== undefined) counts.lists++
        else counts[replayed.unplayed.length > 0 ? 'further' : 'changed']++
        const fault = faultIn(replayed, record, truth)
        if (fault !== null) wrong.push({ fault, call: sent[index], replayed })
      })
      expect(wrong.slice(0, 3)).toEqual([])
      if (made === by)
        expect(counts).toEqual({ same: CALLS, changed: 0, lists: 0, further: 0, undecidable: 0 })
      else expect(counts.changed + counts.lists).toBeGreaterThan(LEAST[made]?.[by] ?? -1)
      expect(counts.undecidable).toBeLessThan(CALLS / 10)
      process.stderr.write(`${made} against ${by}: ${JSON.stringify(counts)}\n`)
    },
    120_000,
  )

  it('is told by the command, by caller and operation, with an example each', async () => {
    const run = promisify(execFile)
    const command = [
      'bin/sallyport.js',
      'replay',
      '--config',
      configs.before,
      '--against',
      configs.narrower,
      '--json',
    ]
    const { stdout } = await run(process.execPath, command, { maxBuffer: 1 << 26 }).catch(
      (error: { code: number; stdout: string }) => {
        expect(error.code).toBe(1)
        return error
      },
    )
    const report = JSON.parse(stdout)
    expect(report.records).toBe(CALLS)
    expect(report.same + report.changed + report.undecidable).toBe(CALLS)
    const [row] = report.rows
    expect(row).toMatchObject({ operation: expect.stringContaining('things.'), caller: expect.any(String) })
    expect(records('before').some(({ intent }) => intent.id === row.example)).toBe(true)
    const command2 = ['bin/sallyport.js', 'replay', '--config', configs.before]
    const same = await run(process.execPath, command2).catch((error: { stdout: string; stderr: string }) => {
      throw new Error(`${error.stdout}${error.stderr}`)
    })
    expect(same.stdout).toContain(`same: ${CALLS}, changed: 0, undecidable: 0`)
  }, 60_000)

  it('beside explain, which shows of a list every kind of item, with its facts and what would have turned it', async () => {
    const list = records('before').find((record) => {
      const items = outcomeOf(record).decisions.at(-1)?.items
      return items !== undefined && items.released === 1
    })
    if (list === undefined) throw new Error('no list was filtered')
    const command = ['bin/sallyport.js', 'explain', list.intent.id, '--config', configs.before]
    const run = promisify(execFile)
    const { stdout } = await run(process.execPath, command)
    expect(stdout).toMatch(/^ {2}in all +1 of 4 released$/m)
    expect(stdout).toMatch(/^ {2}1 item +released +owner corp\/\w+ +by own$/m)
    expect(stdout).toMatch(/^ {2}1 item +taken out +owner corp\/\w+ +no policy permits it$/m)
    expect(stdout).toMatch(/why an item of owner corp\/\w+ was taken out\n {2}permit own: does not apply/)
    expect(stdout).toMatch(/✗ resource\.owner == principal .*◄ with it such an item would be released/)
    expect(stdout).toMatch(/why an item of owner corp\/\w+ was released\n {2}permit own: applies/)
    expect(stdout).toContain(': same')
    const { items, facts } = JSON.parse((await run(process.execPath, [...command, '--json'])).stdout)
    expect(items.map(({ effect }: { effect: string }) => effect)).toEqual(['deny', 'deny', 'deny', 'allow'])
    expect(facts).toContainEqual({
      path: 'principal.groups',
      value: expect.any(Array),
      from: 'the token of corp',
    })
  }, 30_000)
})
