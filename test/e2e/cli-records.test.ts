import { appendFileSync, cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../../demo/sample-gate.ts'
import type { AuditFault } from '../../src/audit/chain-check.ts'
import type { PolicyText } from '../../src/management/record-actions.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { call, orderOf, shown } from './commands.ts'
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
      expect(explained.smallestChange).toContain(`resource.params.orderId == "${order}"`)
    })

    it('names the look-up of a write', async () => {
      const { out } = await shown(['explain', ids.changed, '--config', gate.config])
      expect(out).toMatch(/look-up\s+shop\.getOrder under the gate’s identity: 200/)
    })

    it('says plainly that an id is not known', async () => {
      const id = '019381b0-5f0e-7c3a-9d62-0b4c1f6f6a11'
      const { code, json, stderr } = await gate.gate.command(['explain', id])
      expect(code).toBe(1)
      expect(json).toEqual({ ok: false, code: 'record-unknown', id })
      expect(stderr).toContain(`no record has the id "${id}"`)
      const nonsense = await gate.gate.command(['explain', '123'])
      expect(nonsense.code).toBe(2)
      expect(nonsense.stderr).toContain('"123" is not an exchange id')
    })

    it('calls nothing the same that it cannot judge', async () => {
      const folder = join(gate.store, 'bundles')
      const bundle = readdirSync(folder).find((name) => /^[0-9a-f]{64}\.ndjson$/.test(name)) ?? ''
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
      expect(await query('--subject', 'demo/ana')).toEqual([ids.read, ids.changed])
      expect(await query('--subject', `${gate.services.issuer}/ben`)).toEqual([ids.foreign])
      expect(await query('--effect', 'deny')).toEqual([ids.foreign, ids.refused])
      expect(await query('--reason', 'token-missing')).toEqual([ids.refused])
      expect(await query('--operation', 'shop.updateOrder', '--since', '1h')).toEqual([ids.changed])
      expect(await query('--until', '1h')).toEqual([])
    })

    it('finds who read one object by its path', async () => {
      const path = `/v1/orders/${order}`
      expect(await query('--path', path)).toEqual([ids.read, ids.foreign, ids.refused, ids.changed])
      expect(await query('--path', path, '--effect', 'allow')).toEqual([ids.read, ids.changed])
      expect(await query('--path', path.replace('o-', 'o%2D'), '--sub', 'ben')).toEqual([ids.foreign])
      expect(await query('--path', '/v1/orders')).toEqual([])
      const { out } = await shown(['audit', 'query', '--path', path, '--config', gate.config])
      expect(out).toContain(` ${path} `)
    })

    it('answers a name that nothing has with an error, and a mistyped subject with the nearest', async () => {
      const asked = (...args: string[]) => shown(['audit', 'query', ...args, '--config', gate.config])
      const mistaken = [
        [['--api', 'shp'], 'did you mean shop?'],
        [['--operation', 'getOrder'], 'did you mean shop.getOrder?'],
        [['--reason', 'owner-difers'], 'did you mean owner-differs?'],
      ] as const
      for (const [args, said] of mistaken) {
        const { code, err } = await asked(...args)
        expect(err).toContain(said)
        expect(code).toBe(2)
      }
      const quiet = await asked('--operation', 'shop.getPayment')
      expect(quiet).toMatchObject({ code: 0, out: 'no record matches\n', err: '' })
      const anna = await asked('--sub', 'anna')
      expect(anna).toMatchObject({ code: 0, out: 'no record matches\n' })
      expect(anna.err).toContain('no record at all names the subject "anna"; did you mean "ana"?')
    })

    it('is a table for people', async () => {
      const { out } = await shown(['audit', 'query', '--effect', 'deny', '--config', gate.config])
      expect(out.split('\n')).toHaveLength(4)
      expect(out).toMatch(/demo\/ben\s+shop\.getOrder\s+\/v1\/orders\/\S+\s+deny\s+404.*owner-differs/)
    })

    it('refuses what it does not understand', async () => {
      for (const args of [
        ['--reason', 'no-such-code'],
        ['--since', 'yesterday'],
        ['--limit', '0'],
        ['--subject', 'one', 'two', 'three'],
        ['--path', 'orders/1'],
        ['--path', '/v1/orders?id=1'],
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
    const erase = ['audit', 'erase', gate.services.issuer, 'ana']
    const unasked = await gate.gate.command(erase)
    expect(unasked.code).toBe(2)
    expect(unasked.stderr).toContain('it needs --yes')
    expect((await gate.gate.command(['explain', ids.read])).json).toMatchObject({
      record: { intent: { sealed: 'open' } },
    })
    const erased = await gate.gate.command([...erase, '--yes'])
    expect(erased.code).toBe(0)
    expect(erased.json).toMatchObject({ ok: true })
    expect((await gate.gate.command(['audit', 'verify'])).code).toBe(0)
    const { json } = await gate.gate.command(['explain', ids.read])
    const explained = json as Explained
    expect(explained.record.intent).toMatchObject({ subject: null, personal: null, sealed: 'erased' })
    expect(explained.reevaluation.result).toBe('undecidable')
    expect(explained.reevaluation.why).toContain('erased')
    expect((await gate.gate.command([...erase, '--yes'])).code).toBe(1)
    const gone = await gate.gate.command(['audit', 'query', '--path', `/v1/orders/${order}`, '--sub', 'ana'])
    expect(gone.json).toEqual([])
    const noted = readFileSync(join(gate.store, 'audit', 'management.ndjson'), 'utf8')
    expect(noted).toContain('"action":"erase"')
    expect(noted).not.toContain('"ana"')
  })
})
