import { describe, expect, it } from 'vitest'
import { askedTime, wallMs } from './time.ts'

describe('a time on the command line', () => {
  it.each([
    ['90s', 1_000_000 - 90_000],
    ['15m', 1_000_000 - 900_000],
    ['2026-03-01', Date.UTC(2026, 2, 1)],
    ['2026-03-01T12:30', Date.UTC(2026, 2, 1, 12, 30)],
    ['2026-03-01 12:30:05.5Z', Date.UTC(2026, 2, 1, 12, 30, 5, 500)],
    ['2026-03-01T12:30:05+02:00', Date.UTC(2026, 2, 1, 10, 30, 5)],
  ])('%s', (text, expected) => {
    expect(wallMs(askedTime(text), 1_000_000)).toBe(expected)
  })

  it.each(['', 'yesterday', '1', '1w', '-5m', '2026-13-01', '12:30', '9999999h'])('refuses %j', (text) => {
    expect(() => askedTime(text)).toThrow('a time is')
  })
})
