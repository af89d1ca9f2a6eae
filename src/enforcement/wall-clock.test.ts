import { expect, test } from 'vitest'
import { WallClock } from './wall-clock.ts'

function shown(zone: string, iso: string): string {
  const { hour, minute, weekday } = new WallClock(zone).at(Date.parse(iso))
  return `${weekday} ${hour}:${minute}`
}

test.each([
  ['UTC', '1970-01-01T00:00:00Z', 'Thursday 0:0'],
  ['UTC', '2026-11-21T23:59:59.999Z', 'Saturday 23:59'],
  ['UTC', '1969-12-31T23:59:00Z', 'Wednesday 23:59'],
  ['Europe/Berlin', '2026-11-21T23:30:00Z', 'Sunday 0:30'],
  ['Europe/Berlin', '2026-07-01T06:05:00Z', 'Wednesday 8:5'],
  ['Asia/Kathmandu', '2026-01-01T00:00:00Z', 'Thursday 5:45'],
  ['America/New_York', '2026-01-01T02:00:00Z', 'Wednesday 21:0'],
  ['Australia/Lord_Howe', '2026-01-01T00:00:00Z', 'Thursday 11:0'],
])('in %s, %s is %s', (zone, iso, expected) => {
  expect(shown(zone, iso)).toBe(expected)
})

test('daylight saving begins and ends to the minute, whichever way the clock goes', () => {
  const clock = new WallClock('Europe/Berlin')
  const hour = (iso: string): number => clock.at(Date.parse(iso)).hour
  expect(hour('2026-03-29T00:59:59Z')).toBe(1)
  expect(hour('2026-03-29T01:00:00Z')).toBe(3)
  expect(hour('2026-03-29T00:59:59Z')).toBe(1)
  expect(hour('2026-10-25T00:59:59Z')).toBe(2)
  expect(hour('2026-10-25T01:00:00Z')).toBe(2)
  expect(hour('2026-10-25T02:00:00Z')).toBe(3)
})

test('agrees with Intl over two years, a moment every 17 hours', () => {
  for (const zone of ['Europe/Berlin', 'America/Sao_Paulo', 'Asia/Tehran', 'Pacific/Chatham']) {
    const clock = new WallClock(zone)
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      weekday: 'long',
      hour: 'numeric',
      minute: 'numeric',
    })
    const from = Date.parse('2025-06-01T00:00:00Z')
    for (let at = from; at < from + 2 * 365 * 86_400_000; at += 17 * 3_600_000 + 61_000) {
      const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
      const { hour, minute, weekday } = clock.at(at)
      expect([weekday, hour, minute]).toEqual([
        parts['weekday'],
        Number(parts['hour']),
        Number(parts['minute']),
      ])
    }
  }
})
