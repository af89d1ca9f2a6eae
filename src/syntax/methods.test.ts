import { METHODS } from 'node:http'
import { expect, it } from 'vitest'
import { PARSED_METHODS } from './methods.ts'

it('lists what the HTTP/1.1 parser of this Node reads', () => {
  expect([...PARSED_METHODS].sort()).toEqual([...METHODS].sort())
})
