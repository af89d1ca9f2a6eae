import { generateKeyPairSync } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { intentOf, NODE, outcomeOf, temporaryFolder, testClock, writerIn } from '../../test/audit-entries.ts'
import { CHECKPOINT_FILE, CheckpointWriter } from './checkpoint.ts'
import { checksum } from './line.ts'
import { MANAGEMENT_FILE, ManagementLog } from './management-log.ts'
import { recoverAudit } from './recovery.ts'
import { verifyAudit } from './verify.ts'

let folder: ReturnType<typeof temporaryFolder>
const keys = generateKeyPairSync('ed25519')
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const path = (name: string) => join(folder.path, name)
const segments = () => readdirSync(folder.path).filter((name) => name.endsWith('.seg'))
const liveBoots = async () => ['b1']
/** With the checkpoints' key where there are any, beside the gate that writes. */
const verify = () =>
  verifyAudit(folder.path, {
    publicKey: existsSync(path(CHECKPOINT_FILE)) ? keys.publicKey : null,
    liveBoots,
  })

/** A segment of 3 + 2·count lines: open, subject, intents and outcomes, close. */
async function written(count = 5, close = true): Promise<string> {
  const writer = writerIn(folder.path)
  for (let i = 0; i < count; i++) writer.refusal(intentOf(i), outcomeOf(i))
  if (close) await writer.close()
  return segments()[0] ?? ''
}

function edit(name: string, change: (lines: string[]) => string[]): { offset(line: number): number } {
  const lines = readFileSync(path(name), 'latin1').split('\n').slice(0, -1)
  const changed = change([...lines])
  writeFileSync(path(name), changed.map((line) => `${line}\n`).join(''))
  return { offset: (line) => changed.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) }
}

/** An edit by someone who knows the form: the line’s own checksum is made to fit. */
function forged(line: string, from: string, to: string): string {
  const head = line.replace(from, to).slice(0, -16)
  return `${head},"c":"${checksum(head)}"}`
}

function checkpoint(): void {
  const clock = testClock()
  new CheckpointWriter({ directory: folder.path, privateKey: keys.privateKey, clock }).write()
}

describe('verifying', () => {
  it('finds nothing in what was written', async () => {
    await written()
    checkpoint()
    expect(await verify()).toEqual({
      ok: true,
      segments: 1,
      lines: 13,
      records: 5,
      checkpoints: 1,
      signatures: 'verified',
      faults: [],
      faultCount: 0,
    })
  })

  it('reports an edited line with its position', async () => {
    const name = await written()
    const { offset } = edit(name, (lines) => lines.with(5, (lines[5] ?? '').replace('"id":"0', '"id":"1')))
    expect(await verify()).toMatchObject({
      ok: false,
      faults: [{ segment: name, line: 6, byte: offset(6), kind: 'edited' }],
    })
  })

  it('reports an edit whose checksum was made to fit, at the same line', async () => {
    const name = await written()
    const { offset } = edit(name, (lines) => lines.with(3, forged(lines[3] ?? '', '"id":"0', '"id":"1')))
    expect((await verify()).faults).toMatchObject([
      { segment: name, line: 4, byte: offset(4), kind: 'edited' },
    ])
  })

  it('reports deleted lines where they are missing', async () => {
    const name = await written()
    const { offset } = edit(name, (lines) => lines.toSpliced(4, 2))
    expect((await verify()).faults).toMatchObject([
      {
        segment: name,
        line: 5,
        byte: offset(5),
        kind: 'deleted',
        detail: expect.stringContaining('2 lines'),
      },
    ])
  })

  it('reports a reordered line where it stands', async () => {
    const name = await written()
    const { offset } = edit(name, (lines) => lines.with(4, lines[5] ?? '').with(5, lines[4] ?? ''))
    expect((await verify()).faults).toMatchObject([
      { segment: name, line: 6, byte: offset(6), kind: 'reordered' },
    ])
  })

  it('reports a line that comes twice', async () => {
    const name = await written()
    edit(name, (lines) => lines.toSpliced(6, 0, lines[4] ?? ''))
    expect((await verify()).faults).toMatchObject([{ segment: name, line: 7, kind: 'foreign' }])
  })

  it('reports an end cut off within a chain', async () => {
    const writer = writerIn(folder.path, { maxSegmentBytes: 10_000 })
    for (let i = 0; i < 20; i++) writer.refusal(intentOf(i), outcomeOf(i))
    await writer.close()
    const [first = ''] = segments()
    let kept = 0
    edit(first, (lines) => {
      kept = lines.length - 3
      return lines.slice(0, kept)
    })
    expect((await verify()).faults).toMatchObject([{ segment: first, line: kept, kind: 'truncated' }])
  })

  it('reports an end cut off behind a checkpoint', async () => {
    const name = await written(5, false)
    checkpoint()
    const { offset } = edit(name, (lines) => lines.slice(0, -4))
    const lines = readFileSync(path(name), 'latin1').split('\n').length
    expect((await verify()).faults).toMatchObject([
      { segment: name, line: lines, byte: offset(lines), kind: 'truncated' },
    ])
  })

  it('reports a missing segment, in the middle and at the end', async () => {
    const writer = writerIn(folder.path, { maxSegmentBytes: 8_000 })
    for (let i = 0; i < 30; i++) writer.refusal(intentOf(i), outcomeOf(i))
    await writer.close()
    checkpoint()
    const names = segments()
    rmSync(path(names[1] ?? ''))
    rmSync(path(names.at(-1) ?? ''))
    const { faults } = await verify()
    for (const name of [names[1], names.at(-1)]) {
      expect(faults).toContainEqual(expect.objectContaining({ segment: name, kind: 'deleted' }))
    }
    expect(faults).toContainEqual(expect.objectContaining({ segment: names[0], kind: 'deleted' }))
  })

  it('reports a chain written anew against its checkpoint', async () => {
    const name = await written(5, false)
    checkpoint()
    rmSync(path(name))
    rmSync(path(`${name}.keys`))
    const writer = writerIn(folder.path)
    for (let i = 0; i < 9; i++) writer.refusal(intentOf(i), outcomeOf(i))
    expect((await verify()).faults).toMatchObject([{ segment: name, kind: 'edited' }])
  })

  it('reports a torn tail as such, and only an unfinished last line', async () => {
    const name = await written(5, false)
    const size = readFileSync(path(name)).length
    appendFileSync(path(name), '{"v":1,"n":13,"p":"AAAA')
    const torn = await verify()
    expect(torn).toMatchObject({ ok: true, faults: [{ segment: name, line: 13, byte: size, kind: 'torn' }] })
    appendFileSync(path(name), '\n')
    expect(await verify()).toMatchObject({ ok: false, faults: [{ line: 13, kind: 'edited' }] })
  })

  it('reports a segment under another’s name and a file that is none', async () => {
    const name = await written()
    renameSync(path(name), path(name.replace('-b1-', '-b2-')))
    writeFileSync(path('notes.txt'), 'x')
    const { faults } = await verify()
    expect(faults.map(({ kind }) => kind)).toContain('foreign')
    expect(faults).toContainEqual(expect.objectContaining({ segment: 'notes.txt', kind: 'foreign' }))
  })

  it('reports a whole line of 5 MiB in bounded memory', async () => {
    const name = await written()
    appendFileSync(path(name), `${'x'.repeat(5 << 20)}\n`)
    expect((await verify()).faults).toMatchObject([{ segment: name, line: 14, kind: 'edited' }])
  })
})

describe('a chain without its end', () => {
  const copies = () => new Map(readdirSync(folder.path).map((name) => [name, readFileSync(path(name))]))

  it('is a fault unless a running gate writes it, told where it stops', async () => {
    const name = await written(5, false)
    const bytes = readFileSync(path(name)).length
    const fault = { segment: name, line: 13, byte: bytes, kind: 'unfinished' }
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: false, faults: [fault] })
    const other = await verifyAudit(folder.path, { liveBoots: async () => ['b2'] })
    expect(other).toMatchObject({ ok: false, faults: [fault] })
    expect(other.faults[0]?.detail).toContain('no start has recovered it yet')
    expect(await verify()).toMatchObject({ ok: true, faults: [] })
  })

  it('is none once a start has recovered it', async () => {
    await written(5, false)
    recoverAudit({ directory: folder.path, node: NODE, boot: 'b2', clock: testClock() })
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, faults: [] })
  })

  it('is none where the gate ended it, or a gate came to answer for it, while it was read', async () => {
    const writer = writerIn(folder.path)
    writer.refusal(intentOf(1), outcomeOf(1))
    let asked = 0
    const late = async () => (asked++ === 0 ? [] : ['b1'])
    expect(await verifyAudit(folder.path, { liveBoots: late })).toMatchObject({ ok: true, faults: [] })
    const ending = async () => {
      await writer.close()
      return []
    }
    expect(await verifyAudit(folder.path, { liveBoots: ending })).toMatchObject({ ok: true, faults: [] })
  })

  it('shows a log put back, checkpoints and all, to an earlier moment', async () => {
    const log = new ManagementLog(folder.path, testClock())
    log.write({ action: 'start', by: 'sallyport', result: 'ok', detail: {} })
    const writer = writerIn(folder.path)
    writer.refusal(intentOf(1), outcomeOf(1))
    checkpoint()
    const earlier = copies()
    writer.refusal(intentOf(2), outcomeOf(2))
    await writer.close()
    log.write({ action: 'stop', by: 'sallyport', result: 'ok', detail: {} })
    checkpoint()
    const noGate = { publicKey: keys.publicKey, liveBoots: async () => [] }
    expect(await verifyAudit(folder.path, noGate)).toMatchObject({ ok: true, faults: [] })
    for (const [name, bytes] of earlier) writeFileSync(path(name), bytes)
    expect(await verifyAudit(folder.path, noGate)).toMatchObject({
      ok: false,
      faults: [{ segment: segments()[0], kind: 'unfinished' }],
    })
  })
})

describe('checkpoints', () => {
  it('begin with the store: where segments and the key are there and none is, they were taken away', async () => {
    const options = { directory: folder.path, privateKey: keys.privateKey, clock: testClock() }
    const withKey = { publicKey: keys.publicKey, liveBoots }
    expect(await verifyAudit(folder.path, withKey)).toMatchObject({ ok: true, signatures: 'none' })
    expect(new CheckpointWriter(options).begin()).toBe(true)
    expect(new CheckpointWriter(options).begin()).toBe(true)
    await written()
    expect(await verifyAudit(folder.path, withKey)).toMatchObject({ ok: true, checkpoints: 1, faults: [] })
    checkpoint()
    expect(await verifyAudit(folder.path, withKey)).toMatchObject({ ok: true, checkpoints: 2, faults: [] })
    for (const left of ['', '{"v":1,"n":1,']) {
      writeFileSync(path(CHECKPOINT_FILE), left)
      const report = await verifyAudit(folder.path, withKey)
      expect(report).toMatchObject({ ok: false, checkpoints: 0, signatures: 'none' })
      expect(report.faults).toContainEqual(
        expect.objectContaining({ segment: CHECKPOINT_FILE, line: 1, byte: 0, kind: 'deleted' }),
      )
    }
    rmSync(path(CHECKPOINT_FILE))
    expect(await verifyAudit(folder.path, withKey)).toMatchObject({
      ok: false,
      faults: [{ segment: CHECKPOINT_FILE, kind: 'deleted' }],
    })
    expect(new CheckpointWriter(options).begin()).toBe(false)
  })

  it('hold only the heads that moved', async () => {
    const writer = new CheckpointWriter({
      directory: folder.path,
      privateKey: keys.privateKey,
      clock: testClock(),
    })
    expect(writer.write()).toBe(0)
    await written()
    expect(writer.write()).toBe(1)
    expect(writer.write()).toBe(0)
    const again = new CheckpointWriter({
      directory: folder.path,
      privateKey: keys.privateKey,
      clock: testClock(),
    })
    expect(again.write()).toBe(0)
  })

  it('are reported where edited, deleted or signed by another key', async () => {
    const writer = writerIn(folder.path)
    for (let i = 0; i < 3; i++) {
      writer.refusal(intentOf(i), outcomeOf(i))
      checkpoint()
    }
    expect(await verify()).toMatchObject({ ok: true, checkpoints: 3, faultCount: 0 })
    const before = readFileSync(path(CHECKPOINT_FILE), 'latin1')
    edit(CHECKPOINT_FILE, (lines) =>
      lines.map((line, i) => (i === 1 ? forged(line, '"at":1', '"at":2') : line)),
    )
    expect((await verify()).faults.map(({ kind, line }) => `${kind} ${line}`)).toEqual([
      'unsigned 2',
      'edited 2',
    ])
    writeFileSync(path(CHECKPOINT_FILE), before)
    edit(CHECKPOINT_FILE, (lines) => lines.toSpliced(1, 1))
    expect((await verify()).faults).toMatchObject([{ segment: CHECKPOINT_FILE, line: 2, kind: 'deleted' }])
    writeFileSync(path(CHECKPOINT_FILE), before)
    const other = generateKeyPairSync('ed25519').publicKey
    expect(
      (await verifyAudit(folder.path, { publicKey: other, liveBoots })).faults.map(({ kind }) => kind),
    ).toEqual(['unsigned', 'unsigned', 'unsigned'])
  })

  it('pass over a line that a crash left unfinished', async () => {
    await written()
    checkpoint()
    const whole = readFileSync(path(CHECKPOINT_FILE)).length
    const writer = writerIn(folder.path, { thread: 1 })
    writer.refusal(intentOf(1), outcomeOf(1))
    checkpoint()
    truncateSync(path(CHECKPOINT_FILE), whole + 100)
    expect(await verify()).toMatchObject({ ok: true, faults: [{ kind: 'torn', line: 2 }] })
    checkpoint()
    expect(await verify()).toMatchObject({ ok: true, checkpoints: 2, faults: [{ kind: 'torn', line: 2 }] })
  })

  it('cover control’s own record', async () => {
    const log = new ManagementLog(folder.path, testClock())
    for (let i = 0; i < 3; i++) log.write({ action: 'reload', by: 'ana', result: 'ok', detail: {} })
    checkpoint()
    expect(await verify()).toMatchObject({ ok: true, faultCount: 0 })
    edit(MANAGEMENT_FILE, (lines) => lines.slice(0, 2))
    expect((await verify()).faults).toMatchObject([{ segment: MANAGEMENT_FILE, line: 3, kind: 'truncated' }])
  })
})
