import { expect, it } from 'vitest'
import { unfit } from '../contract/instantiate.ts'
import { ItemStream } from './item-stream.ts'

it('lets others have their turn between small items', async () => {
  const chunks = [Buffer.from('{"id":1}\n'.repeat(5_000)), Buffer.from('{"id":2}\n'.repeat(5_000))]
  const stream = new ItemStream(
    { read: async () => chunks.shift() ?? null, cancel: () => undefined, trailers: [] },
    {
      rule: { framing: 'lines', maxBytes: 1_000, ends: false, check: (text) => unfit(text, []) },
      judge: null,
      held: true,
      fields: null,
      filters: false,
    },
  )
  let turns = 0
  let over = false
  const others = (): void => {
    turns++
    if (!over) setImmediate(others)
  }
  setImmediate(others)
  let bytes = 0
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) bytes += chunk.byteLength
  over = true
  expect(bytes).toBe(90_000)
  expect(stream.shape).toEqual({ items: 10_000, released: 10_000, unfit: 0 })
  expect(turns).toBeGreaterThan(30)
})
