import { expect, test } from 'vitest'
import { claim } from './issuer-schema.ts'
import { networks, timeZone } from './surroundings-schema.ts'

test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires'])('%s is a time zone', (text) => {
  expect(timeZone.safeParse(text).success).toBe(true)
})

test.each(['', '+02:00', 'Berlin', 'Europe/Nowhere', 'x'.repeat(65), 'Europe/Berlin\n'])(
  '%j is no time zone',
  (text) => {
    expect(timeZone.safeParse(text).success).toBe(false)
  },
)

test('networks are blocks or addresses, by name', () => {
  expect(networks.parse({ office: ['10.0.0.0/8', '2001:db8::/32'], one: ['192.0.2.7'] })).toBeDefined()
  expect(networks.parse(undefined)).toEqual({})
  for (const wrong of [
    { office: [] },
    { office: ['10.0.0.1/8'] },
    { office: ['office'] },
    { Office: ['10.0.0.0/8'] },
  ])
    expect(networks.safeParse(wrong).success).toBe(false)
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`n${index}`, ['10.0.0.0/8']]))
  expect(networks.safeParse(many).success).toBe(false)
})

test.each([
  ['groups', true],
  ['https://shop.example/roles', true],
  ['/realm_access/roles', true],
  ['/a~2b', false],
  ['', false],
])('claim %j: %s', (text, valid) => {
  expect(claim.safeParse(text).success).toBe(valid)
})
