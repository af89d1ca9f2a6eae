import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  exchangeId,
  intentOf,
  NODE,
  outcomeOf,
  STORE_KEY,
  temporaryFolder,
  testClock,
  writerIn,
} from '../../test/audit-entries.ts'
import { recoverAudit } from './recovery.ts'
import { AuditTail, type TailItem, type TailPosition } from './tail.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

function tailFrom(from: 'start' | 'end' | TailPosition) {
  const stop = new AbortController()
  const tail = new AuditTail({
    directory: folder.path,
    storeKey: STORE_KEY,
    from,
    signal: stop.signal,
    pollMs: 20,
  })
  const items = tail.records()
  const take = async (count: number) => {
    const taken: TailItem[] = []
    while (taken.length < count) {
      const next = await items.next()
      if (next.done) break
      taken.push(next.value)
    }
    return taken.map(({ kind, record }) => `${kind} ${Number(record.intent.id.slice(-4))}`)
  }
  return { tail, take, stop: () => stop.abort(), items }
}

describe('the tail', () => {
  it('gives records of all threads as they happen, over rotation, each once', async () => {
    const one = writerIn(folder.path, { maxSegmentBytes: 6_000 })
    one.refusal(intentOf(1), outcomeOf(1))
    const { take, stop } = tailFrom('start')
    expect(await take(1)).toEqual(['closed 1'])
    one.intent(intentOf(2))
    const two = writerIn(folder.path, { thread: 1 })
    two.refusal(intentOf(3), outcomeOf(3))
    expect(await take(1)).toEqual(['closed 3'])
    for (let i = 10; i < 30; i++) one.refusal(intentOf(i), outcomeOf(i))
    one.outcome(outcomeOf(2))
    one.cut({ id: exchangeId(2), at: { wallMs: 0, monoMs: 0 }, bytes: 5, why: 'left' })
    expect(await take(22)).toEqual([
      ...Array.from({ length: 20 }, (_, i) => `closed ${i + 10}`),
      'closed 2',
      'cut 2',
    ])
    stop()
  })

  it('gives from the end only what comes, with subjects stated before', async () => {
    const writer = writerIn(folder.path)
    writer.refusal(intentOf(1), outcomeOf(1))
    writer.intent(intentOf(2))
    const { stop, items } = tailFrom('end')
    writer.outcome(outcomeOf(2))
    const next = await items.next()
    expect(next.value?.record.intent).toMatchObject({ id: exchangeId(2), sealed: 'open' })
    expect(next.value?.record.intent.subject?.id).toBe('ana')
    stop()
  })

  it('resumes by offset where an earlier one stopped, over rotation', async () => {
    const writer = writerIn(folder.path, { maxSegmentBytes: 5_000 })
    writer.intent(intentOf(0))
    for (let i = 1; i <= 30; i++) writer.refusal(intentOf(i), outcomeOf(i))
    const seen: string[] = []
    let position: TailPosition = {}
    for (let round = 0; round < 6; round++) {
      const { tail, take, stop } = tailFrom(position)
      seen.push(...(await take(5)))
      position = JSON.parse(JSON.stringify(tail.position())) as TailPosition
      stop()
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => `closed ${i + 1}`))
    writer.outcome(outcomeOf(0))
    const { take, stop } = tailFrom(position)
    expect(await take(1)).toEqual(['closed 0'])
    stop()
  })

  it('gives what recovery closed', async () => {
    writerIn(folder.path).intent(intentOf(7))
    const { take, stop, items } = tailFrom('start')
    const next = items.next()
    recoverAudit({ directory: folder.path, node: NODE, boot: 'b2', clock: testClock() })
    expect((await next).value?.record.outcome).toBe('unknown')
    stop()
    expect(await take(1)).toEqual([])
  })

  it('ends when told to', async () => {
    const { stop, take } = tailFrom('end')
    setTimeout(stop, 10)
    expect(await take(1)).toEqual([])
  })
})
