import { expect, test } from 'vitest'
import { holdsAddress, parseCidr } from './cidr.ts'
import { parseIp } from './ip.ts'

function holds(block: string, address: string): boolean {
  const [cidr, ip] = [parseCidr(block), parseIp(address)]
  if (cidr === null || ip === null) throw new Error(`${block} or ${address} is none`)
  return holdsAddress(cidr, ip.bytes)
}

test.each([
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['192.0.2.128/25', '192.0.2.127', false],
  ['192.0.2.128/25', '192.0.2.200', true],
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7', '192.0.2.6', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '203.0.113.9', false],
  ['2001:db8::/33', '2001:db8:7fff::1', true],
  ['2001:db8::/33', '2001:db8:8000::1', false],
  ['2001:db8::1', '2001:db8::1', true],
])('%s holds %s: %s', (block, address, expected) => {
  expect(holds(block, address)).toBe(expected)
})

test.each([
  '',
  '/8',
  '10.0.0.0/33',
  '10.0.0.0/08',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '10.0.0.1/8',
  '10.0.0/8',
  '2001:db8::1/64',
  '2001:db8::/129',
  'fe80::%eth0/64',
  '::ffff:10.0.0.0/104',
  'office',
])('%j is no block', (text) => {
  expect(parseCidr(text)).toBeNull()
})
