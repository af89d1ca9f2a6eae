import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { AuditFault } from '../../src/audit/chain-check.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { call } from './caller.ts'
import { gateProcessOf, isAlive, until, Workbench } from './workbench.ts'

const cleaning: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const clean of cleaning.splice(0).reverse()) await clean()
})

async function workbench(): Promise<Workbench> {
  const bench = await Workbench.start()
  cleaning.push(() => bench.stop())
  return bench
}

async function verified(bench: Workbench) {
  const { code, json } = await bench.running.command(['audit', 'verify'])
  const { faults, ok, signatures } = json as { ok: boolean; signatures: string; faults: AuditFault[] }
  expect(code).toBe(ok ? 0 : 1)
  return { ok, signatures, faults: faults.map(({ segment, kind }) => `${kind} ${segment}`) }
}

const PROVED = { ok: true, signatures: 'verified', faults: [] }
const segmentsOf = (bench: Workbench) => readdirSync(bench.audit).filter((name) => name.endsWith('.seg'))
const damage = (bench: Workbench) => bench.management().filter(({ action }) => action === 'damage')

describe('a byte changed in a log that was closed well', () => {
  it('is said and recorded, with its position, at the next start, which serves all the same', async () => {
    const bench = await workbench()
    for (let i = 0; i < 6; i++) await call(bench.url('/open'))
    await bench.running.stop()
    const [segment = ''] = segmentsOf(bench)
    const path = join(bench.audit, segment)
    const bytes = readFileSync(path)
    const byte = bytes.indexOf(10) + 1
    bytes[byte + 100] = (bytes[byte + 100] ?? 0) ^ 1
    writeFileSync(path, bytes)
    await bench.startGate()
    expect((await call(bench.url('/open'))).status).toBe(200)
    await until('it is recorded', () => damage(bench).length > 0)
    expect(bench.running.said()).toContain(`the log is damaged at ${segment}, line 2, byte ${byte}: edited`)
    expect(damage(bench)).toMatchObject([
      { result: 'failed', detail: { segment, line: 2, byte, kind: 'edited', places: 1 } },
    ])
    expect(segmentsOf(bench).length).toBeGreaterThan(1)
    expect((await verified(bench)).faults).toEqual([`edited ${segment}`])
  })
})

describe('a log that cannot prove itself', () => {
  it('is one whose checkpoints are gone, before and after the next start', async () => {
    const bench = await workbench()
    await call(bench.url('/open'))
    expect(await verified(bench)).toEqual(PROVED)
    await bench.running.stop()
    expect(await verified(bench)).toEqual(PROVED)
    rmSync(join(bench.audit, 'checkpoints.ndjson'))
    const gone = { ok: false, signatures: 'none', faults: ['deleted checkpoints.ndjson'] }
    expect(await verified(bench)).toEqual(gone)
    await bench.startGate()
    expect(bench.running.said()).toContain(
      'the log is damaged at checkpoints.ndjson, line 1, byte 0: deleted',
    )
    expect(damage(bench)).toMatchObject([{ detail: { segment: 'checkpoints.ndjson', kind: 'deleted' } }])
    expect(await verified(bench)).toEqual(gone)
  })

  it('is one put back to an earlier moment, checkpoints and all', async () => {
    const bench = await workbench()
    await call(bench.url('/open'))
    await until('a checkpoint covers the call', () =>
      readFileSync(join(bench.audit, 'checkpoints.ndjson'), 'latin1').includes('.seg'),
    )
    const files = readdirSync(bench.audit)
    for (const file of files) copyFileSync(join(bench.audit, file), join(bench.folder, `was-${file}`))
    await call(bench.url('/open'))
    await bench.running.stop()
    expect(await verified(bench)).toEqual(PROVED)
    for (const file of readdirSync(bench.audit)) rmSync(join(bench.audit, file))
    for (const file of files) copyFileSync(join(bench.folder, `was-${file}`), join(bench.audit, file))
    const { ok, faults } = await verified(bench)
    expect(ok).toBe(false)
    expect(faults).toEqual(files.filter((file) => file.endsWith('.seg')).map((file) => `unfinished ${file}`))
  })

  it('is not one of a gate its control left alone; of a killed one it is until it is recovered', async () => {
    const bench = await workbench()
    await call(bench.url('/open'))
    const orphan = gateProcessOf(bench.running)
    const { pid } = bench.running
    process.kill(pid, 'SIGKILL')
    await until('control is gone', () => !isAlive(pid))
    expect(await verified(bench)).toEqual(PROVED)
    process.kill(orphan, 'SIGKILL')
    await until('the gate is gone', () => !isAlive(orphan))
    const { ok, faults } = await verified(bench)
    expect(ok).toBe(false)
    expect(faults.every((fault) => fault.startsWith('unfinished '))).toBe(true)
    await bench.startGate()
    expect(await verified(bench)).toEqual(PROVED)
    expect(damage(bench)).toEqual([])
  })
})

describe('erasing beside a running gate', () => {
  it('leaves what the person does later readable', async () => {
    const bench = await workbench()
    const token = bench.issuer.token({ sub: 'ana' })
    const calls = async () => {
      const ids: string[] = []
      for (let i = 0; i < 12; i++) ids.push((await call(bench.url('/items/1'), { token })).id)
      return ids
    }
    const before = await calls()
    const erased = await bench.running.command(['audit', 'erase', '--yes', bench.issuer.iss, 'ana'])
    expect(erased).toMatchObject({ code: 0, stderr: '' })
    const after = await calls()
    const { json } = await bench.running.command(['audit', 'query'])
    const records = new Map((json as ExchangeRecord[]).map((record) => [record.intent.id as string, record]))
    expect(new Set(before.map((id) => records.get(id)?.intent.sealed))).toEqual(new Set(['erased']))
    expect(new Set(after.map((id) => records.get(id)?.intent.subject?.id))).toEqual(new Set(['ana']))
    expect(await verified(bench)).toEqual(PROVED)
    expect(bench.management().map(({ action }) => action)).toContain('erase')
  })
})
