import { expect, test } from 'vitest'
import { parseIp } from '../syntax/ip.ts'
import { Surroundings } from './surroundings.ts'

const HEAD = {
  networks: { office: ['10.0.0.0/8', '2001:db8::/32'], vpn: ['10.8.0.0/16'], world: ['0.0.0.0/0'] },
  timeZone: 'Europe/Berlin',
  auditAttributes: [],
}
const AT = Date.parse('2026-07-01T06:05:00Z')

function address(text: string): Uint8Array {
  const parsed = parseIp(text)
  if (parsed === null) throw new Error(`${text} is no address`)
  return parsed.bytes
}

test.each([
  ['10.8.1.1', ['office', 'vpn', 'world']],
  ['10.9.1.1', ['office', 'world']],
  ['2001:db8::1', ['office']],
  ['2001:db9::1', []],
  ['192.0.2.1', ['world']],
])('%s is in %j', (text, names) => {
  expect(new Surroundings(HEAD, new Set()).networksOf(address(text))).toEqual(names)
})

test('only what is read or recorded is looked up', () => {
  const of = (reads: readonly string[], auditAttributes: readonly string[] = []) =>
    new Surroundings({ ...HEAD, auditAttributes }, new Set(reads)).of(address('10.8.1.1'), AT)
  const networks = ['office', 'vpn', 'world']
  const time = { epochMs: AT, zone: 'Europe/Berlin', hour: 8, minute: 5, weekday: 'Wednesday' }
  expect(of(['context.ip'])).toEqual({})
  expect(of(['context.networks'])).toEqual({ networks })
  expect(of(['context.time'])).toEqual({ time })
  expect(of(['context'])).toEqual({ networks, time })
  expect(of([], ['context.time', 'context.networks'])).toEqual({ networks, time })
})
