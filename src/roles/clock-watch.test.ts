import { expect, it } from 'vitest'
import { TestTime } from '../../test/token-issuer.ts'
import { watchClock } from './clock-watch.ts'

it('a wall clock that is set is told once, with how far, and time that passes is not', async () => {
  const time = new TestTime()
  const jumps: number[] = []
  const end = watchClock(time, time.schedule, (ms) => jumps.push(ms))
  await time.pass(60_000)
  time.jump(2_000)
  await time.pass(1_000)
  expect(jumps).toEqual([])
  time.jump(2_001)
  await time.pass(5_000)
  time.jump(-3_600_000)
  await time.pass(5_000)
  time.jump(31 * 86_400_000)
  await time.pass(60_000)
  expect(jumps).toEqual([2_001, -3_600_000, 31 * 86_400_000])
  end()
  expect(time.timers).toBe(0)
})
