import { expect, it } from 'vitest'
import { withoutValidators } from './shown-fields.ts'

it('of an answer without a body, nothing tells of the bytes it would have had', () => {
  const fields = [
    'ETag',
    '"a"',
    'Content-Length',
    '9',
    'Content-Type',
    'application/json',
    'Repr-Digest',
    'x',
  ]
  expect(withoutValidators(fields)).toEqual(['Content-Type', 'application/json'])
})
