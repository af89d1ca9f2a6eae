import { expect, it } from 'vitest'
import { addressCells } from './address-cells.ts'

it('has one address for each way of lying in and out of ranges', () => {
  const cells = addressCells(['10.0.0.0/8', '10.1.0.0/16', '192.168.0.0/16', 'fd00::/8'])
  expect(cells.map(({ within }) => within.join(' and '))).toEqual([
    '',
    '10.0.0.0/8',
    '10.0.0.0/8 and 10.1.0.0/16',
    '192.168.0.0/16',
    '',
    'fd00::/8',
  ])
  expect(cells.map(({ address }) => address)).toEqual([
    '192.0.2.1',
    '10.0.0.0',
    '10.1.0.0',
    '192.168.0.0',
    '2001:db8::1',
    'fd00::',
  ])
})

it('takes ranges that end with the last address, and leaves out what is none', () => {
  expect(addressCells(['255.255.255.255', '0.0.0.0/0', '::/0', 'nowhere', '10.0.0.0/40'])).toHaveLength(3)
})
