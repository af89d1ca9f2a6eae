import { expect, test } from 'vitest'
import { ANA, sampleRecord } from '../../test/exchange-records.ts'
import { RecordedNames, unknownName } from './recorded-names.ts'

function recorded(): RecordedNames {
  const names = new RecordedNames()
  names.add(sampleRecord())
  names.add(sampleRecord({ subject: { ...ANA, id: 'ben' }, operation: '', api: 'billing' }))
  names.add(sampleRecord({ subject: null }))
  return names
}

test('what records hold is told from what they do not', () => {
  const names = recorded()
  expect([...names.apis]).toEqual(['shop', 'billing'])
  expect([...names.operations]).toEqual(['shop.getOrder'])
  for (const caller of ['ana', 'corp/ana', 'https://idp.example/ana'])
    expect(names.hasCaller(caller)).toBe(true)
  expect(names.hasCaller('anna')).toBe(false)
  expect(names.nearCaller('anna')).toBe('; did you mean "ana"?')
  expect(names.nearCaller('corp/anna')).toBe('; did you mean "corp/ana"?')
  expect(names.nearCaller('somebody')).toBe('')
})

test('an unknown name brings the nearest, an operation also without its API', () => {
  const known = ['shop.getOrder', 'shop.updateOrder']
  expect(unknownName('operation', 'getOrder', known)).toMatch(
    /operation "getOrder"; did you mean shop\.getOrder\?$/,
  )
  expect(unknownName('operation', 'shop.getOder', known)).toMatch(/did you mean shop\.getOrder\?$/)
  expect(unknownName('API', 'shp', ['shop'])).toBe(
    'neither the configuration nor any record has the API "shp"; did you mean shop?',
  )
  expect(unknownName('API', 'payments', ['shop'])).not.toContain('did you mean')
})
