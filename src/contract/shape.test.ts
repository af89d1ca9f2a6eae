import { expect, it } from 'vitest'
import { compileText, contractText } from '../../test/contract-instance.ts'

/** Warnings about sealing of a body of which each of `members` allows one of two things at the same place. */
function warned(members: number): readonly string[] {
  const allOf = Array.from({ length: members }, (_, index) => ({
    oneOf: [
      { properties: { x: { properties: { [`a${index}`]: {} } } } },
      { properties: { x: { properties: { [`b${index}`]: {} } } } },
    ],
  }))
  const content = { 'application/json': { schema: { type: 'object', allOf } } }
  const post = { operationId: 'op', requestBody: { content }, responses: {} }
  const { warnings } = compileText(contractText({ paths: { '/a': { post } } }))
  return warnings.filter(({ code }) => code === 'sealing-too-complex').map(({ message }) => message)
}

it('sealing says where it no longer tells the schemas at one place apart', () => {
  expect(warned(20)).toEqual([])
  expect(warned(200)).toEqual([expect.stringMatching(/^more than 64 schemas at one place/)])
})
