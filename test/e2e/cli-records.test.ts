import { execFile } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand, sallyportBin, startGate, writeSampleConfig } from '../../demo/sample-gate.ts'
import type { AuditFault } from '../../src/audit/chain-check.ts'
import type { DryRun } from '../../src/management/dry-run.ts'
import type { PolicyText } from '../../src/management/record-actions.ts'
import type { WouldDenyReport } from '../../src/management/would-deny.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { type DemoGate, startDemoGate } from './harness.ts'

interface Explained {
  readonly ok: boolean
  readonly record: ExchangeRecord
  readonly policies: readonly PolicyText[]
  readonly smallestChange: string
  readonly reevaluation: {
    readonly result: string
    readonly missing: readonly string[]
    readonly why: string
  }
}

interface Verified {
  readonly ok: boolean
  readonly records: number
  readonly signatures: string
  readonly faults: readonly AuditFault[]
}

/** What a person sees: the command without --json. */
function shown(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const running = execFile(
      process.execPath,
      [sallyportBin(), ...args],
      { env: { ...process.env, ...env } },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
    running.stdin?.end()
  })
}

async function call(gate: { url: string }, method: string, path: string, token?: string, body?: object) {
  const response = await fetch(gate.url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  await response.arrayBuffer()
  return { status: response.status, id: response.headers.get('sallyport-exchange') ?? '' }
}

/** Some order of a customer, as the shop holds it. */
async function orderOf(gate: DemoGate, customer: string): Promise<string> {
  const response = await fetch(`${gate.services.shop}/orders`)
  const { orders } = (await response.json()) as { orders: { id: string; customerId: string }[] }
  return orders.find(({ customerId }) => customerId === customer)?.id ?? ''
}

describe('an enforcing gate’s records', () => {
  let gate: DemoGate
  let ana: string
  let ben: string
  let order: string
  const ids = { read: '', foreign: '', refused: '', changed: '' }
  beforeAll(async () => {
    gate = await startDemoGate()
    ana = await gate.token('ana')
    ben = await gate.token('ben')
    order = await orderOf(gate, 'ana')
    ids.read = (await call(gate, 'GET', `/v1/orders/${order}`, ana)).id
    ids.foreign = (await call(gate, 'GET', `/v1/orders/${order}`, ben)).id
    ids.refused = (await call(gate, 'GET', `/v1/orders/${order}`)).id
    ids.changed = (await call(gate, 'PATCH', `/v1/orders/${order}`, ana, { status: 'cancelled' })).id
  })
  afterAll(() => gate.stop())

  describe('explain', () => {
    it('shows an allowed read in full, without a value of its body', async () => {
      const { code, json } = await gate.gate.command(['explain', ids.read])
      const explained = json as Explained
      expect(code).toBe(0)
      expect(explained.reevaluation).toEqual({ result: 'same', missing: [], why: '' })
      expect(explained.record.intent.subject).toMatchObject({ id: 'ana', issuer: 'demo' })
      expect(explained.policies.map(({ id, effect }) => [id, effect])).toEqual([
        ['owner-handles-own-order', 'permit'],
      ])
      expect(explained.smallestChange).toBe('')

      const { out } = await shown(['explain', ids.read, '--config', gate.config])
      expect(out).toContain('allowed (200)')
      expect(out).toContain('resource.owner == principal')
      expect(out).toMatch(/head\s+allow, waits[\s\S]*response\s+allow/)
      expect(out).toMatch(/dropped fields\s+.*\/internalMargin/)
      expect(out).toContain(': same')
      expect(out).not.toContain('ana@example.org')
      expect(out).not.toContain('\u001b')
    })

    it('says of a refused one what would allow it', async () => {
      const { json } = await gate.gate.command(['explain', ids.foreign])
      const explained = json as Explained
      expect(explained.reevaluation.result).toBe('same')
      expect(explained.smallestChange).toContain('Call as the owner')
      expect(explained.smallestChange).toContain('principal == User::"demo/ben"')
    })

    it('names the look-up of a write', async () => {
      const { out } = await shown(['explain', ids.changed, '--config', gate.config])
      expect(out).toMatch(/look-up\s+shop\.getOrder under the gate’s identity: 200/)
    })

    it('says plainly that an id is not known', async () => {
      const { code, json, stderr } = await gate.gate.command(['explain', 'nope'])
      expect(code).toBe(1)
      expect(json).toEqual({ ok: false, code: 'record-unknown', id: 'nope' })
      expect(stderr).toContain('no record has the id "nope"')
    })

    it('calls nothing the same that it cannot judge', async () => {
      const folder = join(gate.store, 'bundles')
      const [bundle = ''] = readdirSync(folder)
      renameSync(join(folder, bundle), join(folder, 'away'))
      try {
        const { code, json } = await gate.gate.command(['explain', ids.read])
        const { reevaluation } = json as Explained
        expect(code).toBe(0)
        expect(reevaluation.result).toBe('undecidable')
        expect(reevaluation.why).toContain('not in the store')
        writeFileSync(
          join(folder, bundle),
          readFileSync(join(folder, 'away'), 'utf8').replace('owner', 'ovner'),
        )
        const damaged = (await gate.gate.command(['explain', ids.read])).json as Explained
        expect(damaged.reevaluation.result).toBe('undecidable')
        expect(damaged.reevaluation.why).toContain('damaged')
      } finally {
        renameSync(join(folder, 'away'), join(folder, bundle))
      }
    })
  })

  describe('audit query', () => {
    const query = async (...args: string[]): Promise<string[]> =>
      ((await gate.gate.command(['audit', 'query', ...args])).json as ExchangeRecord[]).map(
        ({ intent }) => intent.id,
      )

    it('gives every record, oldest first', async () => {
      expect(await query()).toEqual([ids.read, ids.foreign, ids.refused, ids.changed])
      expect(await query('--limit', '2')).toEqual([ids.refused, ids.changed])
    })

    it('narrows by subject, effect, reason, operation and time', async () => {
      expect(await query('--sub', 'ben')).toEqual([ids.foreign])
      expect(await query('--subject', gate.services.issuer, 'ana')).toEqual([ids.read, ids.changed])
      expect(await query('--effect', 'deny')).toEqual([ids.foreign, ids.refused])
      expect(await query('--reason', 'token-missing')).toEqual([ids.refused])
      expect(await query('--operation', 'shop.updateOrder', '--since', '1h')).toEqual([ids.changed])
      expect(await query('--until', '1h')).toEqual([])
    })

    it('is a table for people', async () => {
      const { out } = await shown(['audit', 'query', '--effect', 'deny', '--config', gate.config])
      expect(out.split('\n')).toHaveLength(4)
      expect(out).toMatch(/demo\/ben\s+shop\.getOrder\s+deny\s+404.*owner-differs/)
    })

    it('refuses what it does not understand', async () => {
      for (const args of [
        ['--reason', 'no-such-code'],
        ['--since', 'yesterday'],
        ['--limit', '0'],
        ['--subject', 'one'],
      ])
        expect((await shown(['audit', 'query', ...args, '--config', gate.config])).code).toBe(2)
    })
  })

  it('prove themselves while the gate runs', async () => {
    const { code, json } = await gate.gate.command(['audit', 'verify'])
    expect(json).toMatchObject({ ok: true, records: 4, signatures: 'verified', faults: [] })
    expect(code).toBe(0)
  })

  it('say that nothing was observed', async () => {
    const { code, out } = await shown(['report', '--would-deny', '--config', gate.config])
    expect(code).toBe(0)
    expect(out).toContain('nothing was observed')
  })

  it('tell edits with their place', async () => {
    const copy = join(gate.folder, 'copied.yaml')
    writeFileSync(copy, readFileSync(gate.config, 'utf8').replace('store: ./data', 'store: ./copied'))
    cpSync(gate.store, join(gate.folder, 'copied'), {
      recursive: true,
      filter: (path) => !path.endsWith('.sock'),
    })
    const audit = join(gate.folder, 'copied', 'audit')
    const segment = readdirSync(audit).find((name) => name.endsWith('.seg')) ?? ''
    const edited = readFileSync(join(audit, segment), 'latin1').replace('"method":"GET"', '"method":"PUT"')
    writeFileSync(join(audit, segment), edited, 'latin1')
    appendFileSync(join(audit, 'management.ndjson'), '{"v":1,"made":"up"}\n')
    const { code, json } = await runCommand(['audit', 'verify'], copy)
    const { ok, faults } = json as Verified
    expect(code).toBe(1)
    expect(ok).toBe(false)
    expect(faults.map(({ segment, kind }) => [segment, kind])).toEqual(
      expect.arrayContaining([
        ['management.ndjson', 'edited'],
        [segment, 'edited'],
      ]),
    )
    expect(faults.every(({ line, byte }) => line > 0 && byte >= 0)).toBe(true)
    const { out } = await shown(['audit', 'verify', '--config', copy])
    expect(out).toMatch(/\.seg: line \d+, byte \d+: edited/)
    expect(out).toContain('NOT proved')
  })

  it('forget a person and still verify', async () => {
    const erased = await gate.gate.command(['audit', 'erase', gate.services.issuer, 'ana'])
    expect(erased.code).toBe(0)
    expect(erased.json).toMatchObject({ ok: true })
    expect((await gate.gate.command(['audit', 'verify'])).code).toBe(0)
    const { json } = await gate.gate.command(['explain', ids.read])
    const explained = json as Explained
    expect(explained.record.intent).toMatchObject({ subject: null, personal: null, sealed: 'erased' })
    expect(explained.reevaluation.result).toBe('undecidable')
    expect(explained.reevaluation.why).toContain('erased')
    expect((await gate.gate.command(['audit', 'erase', gate.services.issuer, 'ana'])).code).toBe(1)
    const noted = readFileSync(join(gate.store, 'audit', 'management.ndjson'), 'utf8')
    expect(noted).toContain('"action":"erase"')
    expect(noted).not.toContain('"ana"')
  })
})

describe('an observing gate’s records', () => {
  let gate: DemoGate
  beforeAll(async () => {
    gate = await startDemoGate({ mode: 'observe', threads: 1 })
  })
  afterAll(() => gate.stop())

  it('say what enforcing would refuse, and how each would be allowed', async () => {
    const [ana, ben] = await Promise.all([gate.token('ana'), gate.token('ben')])
    const order = await orderOf(gate, 'ana')
    expect((await call(gate, 'GET', `/v1/orders/${order}`, ana)).status).toBe(200)
    const before = await gate.gate.command(['report', '--would-deny'])
    expect(before).toMatchObject({ code: 0, json: { ok: true, observed: 1, wouldRefuse: 0, rows: [] } })

    await call(gate, 'GET', `/v1/orders/${order}`, ben)
    const latest = await call(gate, 'GET', `/v1/orders/${order}`)
    await call(gate, 'GET', `/v1/orders/${order}`)
    expect(latest.status).toBe(200)
    const { code, json } = await gate.gate.command(['report', '--would-deny', '--since', '1h'])
    const report = json as WouldDenyReport
    expect(code).toBe(1)
    expect(report).toMatchObject({ observed: 4, wouldRefuse: 3, refusedAlready: 0 })
    expect(
      report.rows.map(({ operation, reason, count, callers }) => [operation, reason, count, callers]),
    ).toEqual([
      ['shop.getOrder', 'token-missing', 2, 1],
      ['shop.getOrder', 'owner-differs', 1, 1],
    ])
    expect(report.rows[1]?.change).toContain('Call as the owner')

    const { out } = await shown(['report', '--would-deny', '--config', gate.config])
    expect(out).toContain('observed 4 calls, enforcing would refuse 3')
    expect(out).toContain(`sallyport explain ${report.rows[1]?.example}`)
    const { json: wouldDeny } = await gate.gate.command(['audit', 'query', '--would-deny'])
    expect(wouldDeny).toHaveLength(3)
  })

  it('are judged dry in the same mode', async () => {
    const { code, json } = await gate.gate.command(['try', 'GET', '/v1/orders/o-1'])
    expect(code).toBe(1)
    expect(json).toMatchObject({ verdict: 'deny', mode: 'observe', enforced: false, status: null })
  })
})

describe('try', () => {
  let gate: DemoGate
  let dry: string
  let tokens: Record<'ana' | 'ben' | 'olga' | 'expired' | 'billing', string>
  let calls = 0
  beforeAll(async () => {
    gate = await startDemoGate({ threads: 1 })
    tokens = {
      ana: await gate.token('ana'),
      ben: await gate.token('ben'),
      olga: await gate.token('olga'),
      expired: await gate.token('ana', { ttlSeconds: -600 }),
      billing: await gate.token('ana', { resource: 'https://billing.example' }),
    }
    dry = join(gate.folder, 'dry.yaml')
    writeFileSync(dry, readFileSync(gate.config, 'utf8').replace('store: ./data', 'store: ./untouched'))
    calls = gate.services.calls.length
  })
  afterAll(() => gate.stop())

  const tried = async (
    args: readonly string[],
    token?: keyof typeof tokens,
  ): Promise<{ code: number; run: DryRun }> => {
    const { code, json } = await runCommand(
      ['try', ...args, ...(token === undefined ? [] : ['--token', '-'])],
      dry,
      token === undefined ? '' : tokens[token],
    )
    return { code, run: json as DryRun }
  }

  it('leaves a read of an object undecided until its owner is known', async () => {
    const { code, run } = await tried(['GET', '/v1/orders/o-1001'], 'ana')
    expect(code).toBe(0)
    expect(run).toMatchObject({ verdict: 'undecided', status: null, operation: 'shop.getOrder' })
    expect(run.next).toEqual({
      purpose: 'call',
      method: 'GET',
      url: `${new URL(gate.services.shop).origin}/v1/orders/o-1001`,
    })
    expect(run.wait).toEqual({
      attributes: ['resource.owner'],
      statedBy: 'answer',
      pointers: ['/customerId'],
      policies: ['owner-handles-own-order'],
      ifOwn: 'allow',
      ifForeign: 'deny',
      deniedStatus: 404,
    })
  })

  it('names the look-up a write would wait for', async () => {
    const { run } = await tried(['PATCH', '/v1/orders/o-1001', '--body', '{"status":"cancelled"}'], 'ana')
    expect(run.verdict).toBe('undecided')
    expect(run.next).toMatchObject({ purpose: 'look-up', method: 'GET' })
    expect(run.wait).toMatchObject({ statedBy: 'look-up', ifOwn: 'allow', ifForeign: 'deny' })
  })

  it('allows staff whosever it is, the look-up still to be made', async () => {
    const { code, run } = await tried(
      ['PATCH', '/v1/orders/o-1001', '--body', '{"status":"cancelled"}'],
      'olga',
    )
    expect(code).toBe(0)
    expect(run).toMatchObject({ verdict: 'allow', wait: null, next: { purpose: 'look-up' } })
  })

  it.each([
    ['no token', ['GET', '/v1/orders/o-1001'], undefined, 401, 'token-missing'],
    ['an expired token', ['GET', '/v1/orders/o-1001'], 'expired', 401, 'token-expired'],
    ['a token for another API', ['GET', '/v1/orders/o-1001'], 'billing', 401, 'audience-mismatch'],
    ['a missing scope', ['PATCH', '/v1/orders/o-1001', '--body', '{}'], 'ben', 403, 'insufficient-scope'],
    ['an undeclared field', ['POST', '/v1/orders', '--body', '{"x":1}'], 'ana', 400, 'field-undeclared'],
    ['an unknown path', ['GET', 'http://127.0.0.1/v1/nothing'], 'ana', 404, 'route-unknown'],
    ['dot segments', ['GET', '/v1/orders/../admin/customers'], 'olga', 400, 'target-invalid'],
  ] as const)('denies %s', async (_name, args, token, status, reason) => {
    const { code, run } = await tried(args, token)
    expect(code).toBe(1)
    expect(run).toMatchObject({ verdict: 'deny', enforced: true, status, next: null, wait: null })
    expect(run.decisions.at(-1)?.reasons[0].code).toBe(reason)
    expect(run.change).not.toBe('')
  })

  it('says that an issuer cannot be reached', async () => {
    const file = join(gate.folder, 'gone.yaml')
    writeFileSync(
      file,
      readFileSync(dry, 'utf8').replace(
        /issuer: "[^"]*"/,
        `issuer: "${gate.services.issuer}", jwks: "http://127.0.0.1:9/jwks"`,
      ),
    )
    const { code, json } = await runCommand(
      ['try', 'GET', '/v1/orders/o-1001', '--token', '-'],
      file,
      tokens.ana,
    )
    const run = json as DryRun
    expect(code).toBe(1)
    expect(run).toMatchObject({ verdict: 'deny', status: 503 })
    expect(run.notes.join()).toContain('issuer demo could not be asked for its keys: keys-unreachable')
  })

  it('takes no credential from the command line, and a body from a file', async () => {
    const config = ['--config', dry]
    const given = await shown([
      'try',
      'GET',
      '/v1/products',
      '--header',
      'Authorization: Bearer x',
      ...config,
    ])
    expect(given).toMatchObject({ code: 2, out: '' })
    expect(given.err).toContain('--token')
    expect((await shown(['try', 'GET', '/v1/products', '--token', 'eyJ', ...config])).code).toBe(2)
    expect((await shown(['try', 'GET', 'products', ...config])).code).toBe(2)
    const body = join(gate.folder, 'body.json')
    writeFileSync(body, '{"x":1}')
    const { out } = await shown(
      ['try', 'POST', '/v1/orders', '--token', 'env:TOKEN', '--body', `@${body}`, ...config],
      { TOKEN: tokens.ana },
    )
    expect(out).toContain('deny: the caller would get 400')
    expect(out).toContain('Remove field /x')
  })

  it('asked no upstream and wrote nothing', () => {
    expect(gate.services.calls.length).toBe(calls)
    expect(existsSync(join(gate.folder, 'untouched'))).toBe(false)
  })
})

describe('a gate killed in the middle of a call', () => {
  it('has the call’s end as unknown after the next start, and a log that proves itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-kill-'))
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const shop = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`
    // The issuer is not there: the call that hangs is one that needs no token.
    // One thread: both calls are in its segment, whichever connection they came on.
    const addresses = { shop, issuer: 'http://127.0.0.1:9', port: 0, managementPort: 0 }
    const config = writeSampleConfig(folder, addresses, { threads: 1 })
    try {
      const first = await startGate(config, { gate: 0, management: 0 })
      const refused = await call(first, 'GET', '/v1/nothing')
      const reached = once(silent, 'request')
      const hanging = fetch(`${first.url}/v1/health`).catch(() => null)
      await reached
      const [child = ''] = readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8').split(' ')
      process.kill(first.pid, 'SIGKILL')
      process.kill(Number(child), 'SIGKILL')
      await Promise.all([first.exited, hanging])
      const audit = join(first.store, 'audit')
      const crashed = readdirSync(audit).find((name) => name.endsWith('-0-000001.seg')) ?? ''
      appendFileSync(join(audit, crashed), '{"v":1,"n":')

      const second = await startGate(config, { gate: 0, management: 0 })
      try {
        expect(second.said()).toContain('1 exchange closed with an unknown outcome')
        expect(second.said()).toMatch(/the log is unfinished at \S+\.seg, line \d+, byte \d+: torn/)
        const records = (await second.command(['audit', 'query'])).json as ExchangeRecord[]
        expect(records.map(({ intent, outcome }) => [intent.operation, outcome === 'unknown'])).toEqual([
          ['', false],
          ['shop.getHealth', true],
        ])
        expect(records[0]?.intent.id).toBe(refused.id)
        const { out } = await shown(['explain', records[1]?.intent.id ?? '', '--config', config])
        expect(out).toContain('how it ended is not known')
        expect(await second.command(['audit', 'verify'])).toMatchObject({
          code: 0,
          json: { ok: true, records: 2 },
        })
      } finally {
        await second.stop()
      }
      expect((await runCommand(['audit', 'verify'], config)).code).toBe(0)
    } finally {
      silent.closeAllConnections()
      silent.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
