import { expect, it } from 'vitest'
import { listFields } from './list-fields.ts'

const FIELDS = [
  ...['Content-Type', 'application/json', 'X-Total-Count', '57', 'Content-Range', 'items 0-9/57'],
  ...['Last-Modified', 'Sun, 22 Nov 2026 00:00:00 GMT', 'Link', '</orders?page=2>; rel="next"'],
]

it('of a shortened list say nothing of the whole', () => {
  expect(listFields(FIELDS, [], 3, true)).toEqual([
    ...['Content-Type', 'application/json', 'Link', '</orders?page=2>; rel="next"'],
  ])
})

it('of a list that is released whole stay as they are', () => {
  expect(listFields(FIELDS, [], 10, false)).toEqual(FIELDS)
})

it('that are declared to count are set, once, where there are any', () => {
  const fields = ['X-TOTAL-COUNT', '57', 'x-total-count', '58', 'X-Found', '57', 'Via', '1.1 x']
  const counted = ['X-TOTAL-COUNT', '3', 'X-Found', '3', 'Via', '1.1 x']
  expect(listFields(fields, ['x-total-count', 'x-found', 'x-absent'], 3, true)).toEqual(counted)
  expect(listFields(fields, ['x-total-count', 'x-found'], 3, false)).toEqual(counted)
})
