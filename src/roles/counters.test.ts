import { expect, test } from 'vitest'
import { Counters } from './counters.ts'

test('counts by name and labels, and starts anew after each report', () => {
  const counters = new Counters()
  counters.add('calls', 1)
  counters.add('calls', 1, 'shop', 'allow')
  counters.add('calls', 2, 'shop', 'allow')
  counters.add('calls', 1, 'shop', 'deny')
  counters.add('calls', 1, '', '')
  counters.add('micros', 0, 'shop')
  expect(counters.take()).toEqual({
    calls: 1,
    'calls|shop|allow': 3,
    'calls|shop|deny': 1,
    'calls||': 1,
    'micros|shop': 0,
  })
  expect(counters.take()).toEqual({})
  counters.add('calls', 4)
  expect(counters.take()).toEqual({ calls: 4 })
})
