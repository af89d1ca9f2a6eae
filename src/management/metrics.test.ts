import { expect, it } from 'vitest'
import { Metrics } from './metrics.ts'

it('tells when records went unwritten, and counts them', async () => {
  const metrics = new Metrics()
  expect(metrics.add({ 'sallyport_gate_microseconds_total|shop': 5 })).toBe(false)
  expect(metrics.add({})).toBe(false)
  expect(metrics.add({ 'sallyport_unrecorded_total|shop': 2, 'unknown|x': 1 })).toBe(true)
  expect(await metrics.text()).toMatch(/^sallyport_unrecorded_total\{api="shop"\} 2$/m)
})
