import { expect, test } from 'vitest'
import { ANA, sampleRecord } from '../../test/exchange-records.ts'
import { matches } from './record-filter.ts'

test('a record is found by its concrete path, unless it was erased', () => {
  expect(matches({ path: '/v1/orders/1' }, sampleRecord())).toBe(true)
  expect(matches({ path: '/v1/orders/2' }, sampleRecord())).toBe(false)
  expect(matches({ path: '/v1/orders' }, sampleRecord())).toBe(false)
  expect(matches({ path: '/v1/orders/1' }, sampleRecord({ subject: null }))).toBe(false)
})

test('a caller is found by sub, by issuer’s name and by iss, whose trailing slash is not doubled', () => {
  const slashed = sampleRecord({ subject: { ...ANA, iss: 'https://idp.example/' } })
  for (const caller of ['ana', 'corp/ana', 'https://idp.example/ana'])
    for (const record of [sampleRecord(), slashed]) expect(matches({ caller }, record)).toBe(true)
  expect(matches({ caller: 'other/ana' }, sampleRecord())).toBe(false)
  expect(matches({ caller: 'ana' }, sampleRecord({ subject: null }))).toBe(false)
})
