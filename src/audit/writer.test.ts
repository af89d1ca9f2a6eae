import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  decisionOf,
  exchangeId,
  intentOf,
  NODE,
  outcomeOf,
  recordsIn,
  subjectOf,
  temporaryFolder,
  testClock,
  writerIn,
} from '../../test/audit-entries.ts'
import { isFault, SallyportError } from '../model/errors.ts'
import { ANONYMOUS } from '../model/subject.ts'
import { DIRECT_SYNC } from './direct-sync.ts'
import { type OpenSegmentFile, type SegmentFile, segmentFiles } from './segment.ts'
import { verifyAudit } from './verify.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const segments = () => readdirSync(folder.path).filter((name) => name.endsWith('.seg'))
const text = (name: string) => readFileSync(join(folder.path, name), 'utf8')

describe('a thread’s record', () => {
  it('is read back as it was stated', async () => {
    const writer = writerIn(folder.path)
    writer.intent(intentOf(1))
    writer.outcome(outcomeOf(1))
    writer.cut({ id: exchangeId(1), at: { wallMs: 3, monoMs: 4 }, bytes: 100, why: 'caller left' })
    await writer.close()
    const { subject, personal, attributes, ...clear } = intentOf(1)
    expect(await recordsIn(folder.path)).toEqual([
      {
        v: 1,
        place: { node: NODE, boot: 'b1', thread: 0, sequence: 3 },
        intent: { ...clear, subject, personal, attributes, sealed: 'open' },
        outcome: outcomeOf(1),
        cut: { id: exchangeId(1), at: { wallMs: 3, monoMs: 4 }, bytes: 100, why: 'caller left' },
      },
    ])
  })

  it('keeps what was only observed, a list’s rows and a candidate’s verdict', async () => {
    const writer = writerIn(folder.path)
    const [reason] = decisionOf('deny').reasons
    const items = {
      judged: 3,
      released: 2,
      rows: [
        { effect: 'allow', count: 2, policies: ['own'] },
        { effect: 'deny', count: 1, policies: [] },
      ],
    } as const
    const decisions = [decisionOf('allow', { checkpoint: 'response', observed: [reason], items })]
    const candidate = {
      bundle: 'c'.repeat(64),
      effect: 'deny',
      changed: true,
      reasons: [reason],
      policies: ['own'],
    } as const
    const sealedItems = { ...outcomeOf(1).attributes, items: [{ owner: 'corp/ana' }, { owner: 'corp/bo' }] }
    const outcome = outcomeOf(1, { decisions, candidate, attributes: sealedItems as never })
    writer.intent(intentOf(1))
    writer.outcome(outcome)
    await writer.close()
    const [record] = await recordsIn(folder.path)
    expect(record?.outcome).toEqual(outcome)
  })

  it('holds a refusal’s two entries in one write, with the same fields', async () => {
    const writes: number[] = []
    const real = segmentFiles(DIRECT_SYNC)
    const openFile: OpenSegmentFile = (path) => {
      const file = real(path)
      return wrap(file, (bytes) => {
        if (path.endsWith('.seg')) writes.push(bytes.length)
        file.append(bytes)
      })
    }
    const writer = writerIn(folder.path, { openFile })
    const intent = intentOf(1, { subject: ANONYMOUS, decisions: [decisionOf('deny')] })
    writer.refusal(
      intent,
      outcomeOf(1, { action: 'refused', effect: 'deny', decisions: [], attributes: null }),
    )
    expect(writes).toHaveLength(2)
    const [record] = await recordsIn(folder.path)
    expect(record?.intent.decisions[0]?.reasons[0]).toEqual(decisionOf('deny').reasons[0])
    expect(record?.outcome).toMatchObject({ action: 'refused', effect: 'deny' })
  })

  it('states a subject once per segment and refers to it', async () => {
    const writer = writerIn(folder.path)
    for (let i = 0; i < 20; i++)
      writer.refusal(intentOf(i, { subject: { ...subjectOf('ana') } }), outcomeOf(i))
    await writer.close()
    expect(text(segments()[0] ?? '').match(/"t":"subject"/g)).toHaveLength(1)
    expect(
      readFileSync(join(folder.path, `${segments()[0]}.keys`), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(1)
    expect(await recordsIn(folder.path)).toHaveLength(20)
  })

  it('gives every file the mode 0600', () => {
    writerIn(folder.path).intent(intentOf(1))
    for (const name of readdirSync(folder.path))
      expect(statSync(join(folder.path, name)).mode & 0o777).toBe(0o600)
  })

  it('keeps what callers choose on one line of ASCII', async () => {
    const evil = 'a\r\nb\u0085c\u2028d\u0000"\\\u001b[31m\ud800'
    const writer = writerIn(folder.path)
    writer.refusal(
      intentOf(1, {
        method: evil,
        request: { bytes: 1, mediaType: evil, digest: '', query: [], fields: [evil] },
        personal: { address: evil, path: evil, userAgent: evil, host: evil },
      }),
      outcomeOf(1, { decisions: [decisionOf('deny', { policies: [evil] })] }),
    )
    writer.cut({ id: exchangeId(1), at: { wallMs: 1, monoMs: 1 }, bytes: 0, why: evil })
    await writer.close()
    const bytes = readFileSync(join(folder.path, segments()[0] ?? ''))
    expect(bytes.every((byte) => byte === 10 || (byte >= 32 && byte < 127))).toBe(true)
    const [record, ...others] = await recordsIn(folder.path)
    expect(others).toEqual([])
    expect(record?.intent.method).toBe(evil)
    expect(record?.intent.personal?.userAgent.replace('\ufffd', '\ud800')).toBe(evil)
    expect(record?.cut?.why).toBe(evil)
  })

  it('bounds what callers choose', async () => {
    const long = 'x'.repeat(1_000_000)
    const writer = writerIn(folder.path)
    writer.refusal(
      intentOf(1, {
        method: long,
        personal: { address: long, path: long, userAgent: long, host: long },
        request: {
          bytes: 1,
          mediaType: long,
          digest: long,
          query: Array.from({ length: 10_000 }, () => 'a'),
        },
      }),
      outcomeOf(1),
    )
    await writer.close()
    expect(statSync(join(folder.path, segments()[0] ?? '')).size).toBeLessThan(120_000)
    const [record] = await recordsIn(folder.path)
    expect(record?.intent.request.query.at(-1)).toBe('…+9744')
  })
})

describe('rotation', () => {
  it('goes on with the same chain in the next segment and joins records across', async () => {
    const writer = writerIn(folder.path, { maxSegmentBytes: 20_000 })
    writer.intent(intentOf(0))
    for (let i = 1; i < 40; i++) writer.refusal(intentOf(i), outcomeOf(i))
    writer.outcome(outcomeOf(0))
    await writer.close()
    expect(segments().length).toBeGreaterThan(2)
    const report = await verifyAudit(folder.path)
    expect(report).toMatchObject({ ok: true, faultCount: 0, records: 40 })
    const records = await recordsIn(folder.path)
    expect(records).toHaveLength(40)
    expect(records.every(({ intent, outcome }) => intent.sealed === 'open' && outcome !== null)).toBe(true)
    expect(records.find(({ intent }) => intent.id === exchangeId(0))?.outcome).toEqual(outcomeOf(0))
    expect(text(segments().at(-1) ?? '')).toContain('"oldest":1')
  })

  it('ends the chain also where nothing followed a rotation', async () => {
    const writer = writerIn(folder.path)
    writer.refusal(intentOf(1), outcomeOf(1))
    writer.rotate()
    await writer.close()
    expect(text(segments().at(-1) ?? '')).toContain('"final":true')
    expect(await recordsIn(folder.path)).toHaveLength(1)
  })

  it('goes on after a thread of the same name that died', async () => {
    writerIn(folder.path).intent(intentOf(1))
    const next = writerIn(folder.path)
    next.refusal(intentOf(2), outcomeOf(2))
    await next.close()
    expect(segments()).toHaveLength(2)
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, faultCount: 0 })
  })
})

describe('a disk that fails', () => {
  const full = new SallyportError('audit-write-failed', 'no space', { code: 'ENOSPC' })

  it('leaves a torn line behind, goes on in a new segment, and is not taken for tampering', async () => {
    const clock = testClock()
    const real = segmentFiles(DIRECT_SYNC)
    let failing = false
    const openFile: OpenSegmentFile = (path) => {
      const file = real(path)
      return wrap(file, (bytes) => {
        if (!failing || !path.endsWith('.seg')) return file.append(bytes)
        file.append(bytes.subarray(0, bytes.length - 40))
        throw full
      })
    }
    const writer = writerIn(folder.path, { clock, openFile })
    writer.intent(intentOf(1))
    failing = true
    expect(() => writer.refusal(intentOf(2), outcomeOf(2))).toThrow(full)
    failing = false
    expect(() => writer.outcome(outcomeOf(1))).toThrow('a moment ago')
    clock.advance(300)
    writer.outcome(outcomeOf(1))
    await writer.close()
    const report = await verifyAudit(folder.path)
    expect(report.ok).toBe(true)
    expect(report.faults).toMatchObject([{ segment: segments()[0], kind: 'torn' }])
    const records = await recordsIn(folder.path)
    expect(records.find(({ intent }) => intent.id === exchangeId(1))?.outcome).toEqual(outcomeOf(1))
    // The intent's line landed whole, its outcome did not: nothing was acknowledged, so it stays open.
    expect(records.find(({ intent }) => intent.id === exchangeId(2))?.outcome).toBe(null)
  })

  it('is said as audit-write-failed where it is full from the start, and leaves no files', () => {
    const clock = testClock()
    const real = segmentFiles(DIRECT_SYNC)
    const openFile: OpenSegmentFile = (path) => wrap(real(path), () => toFull())
    const writer = writerIn(folder.path, { clock, openFile })
    for (let i = 0; i < 50; i++) {
      clock.advance(100)
      expect(fault(() => writer.intent(intentOf(i)))).toBe(true)
    }
    expect(readdirSync(folder.path)).toEqual([])
  })

  it('rejects what was not synced, and leaves a segment whose sync failed', async () => {
    let failed = false
    const real = segmentFiles(DIRECT_SYNC)
    const openFile: OpenSegmentFile = (path) => {
      const file = real(path)
      return {
        ...wrap(file, (bytes) => file.append(bytes)),
        get size() {
          return file.size
        },
        get failed() {
          return failed && path.includes('000001')
        },
        async synced(upTo) {
          if (failed && path.includes('000001')) throw full
          await file.synced(upTo)
        },
      }
    }
    const writer = writerIn(folder.path, { durability: 'disk', openFile })
    await writer.intent(intentOf(1))
    failed = true
    // The failure is noticed at once here; the record goes to a segment whose syncs work.
    await writer.outcome(outcomeOf(1))
    await writer.close()
    expect(segments()).toHaveLength(2)
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, faultCount: 0 })
  })

  it('refuses an entry that cannot be formed, and that one alone', async () => {
    const writer = writerIn(folder.path)
    const broken = { ...intentOf(1), decisions: null } as unknown as ReturnType<typeof intentOf>
    expect(fault(() => writer.intent(broken))).toBe(true)
    writer.refusal(intentOf(2), outcomeOf(2))
    await writer.close()
    expect(segments()).toHaveLength(1)
    expect((await recordsIn(folder.path))[0]?.intent.sealed).toBe('open')
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, faultCount: 0 })
    expect(fault(() => writer.intent(intentOf(3)))).toBe(true)
  })
})

function wrap(file: SegmentFile, append: (bytes: Uint8Array) => void): SegmentFile {
  return {
    append,
    requestSync: () => file.requestSync(),
    synced: (upTo) => file.synced(upTo),
    get size() {
      return file.size
    },
    get failed() {
      return file.failed
    },
    close: () => file.close(),
    discard: () => file.discard(),
  }
}

function toFull(): never {
  writeFileSync('/dev/full', 'x')
  throw new Error('unreachable')
}

function fault(step: () => unknown): boolean {
  try {
    step()
    return false
  } catch (error) {
    return isFault(error, 'audit-write-failed')
  }
}
