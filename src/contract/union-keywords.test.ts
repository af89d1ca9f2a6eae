import { expect, it } from 'vitest'
import { judge } from '../../test/contract-instance.ts'

const branches = Array.from({ length: 200 }, (_, i) => ({
  type: 'object',
  required: [`k${i}`],
  properties: { [`k${i}`]: { type: 'integer' } },
}))
const list = (keyword: string) =>
  judge({ type: 'object', properties: { of: { type: 'array', items: { [keyword]: branches } } } })
const body = (count: number): unknown => ({ of: Array.from({ length: count }, () => ({ k199: 1 })) })

it.each(['oneOf', 'anyOf'])(
  'many branches of %s for each item of a long list are more than is tried',
  (keyword) => {
    const told = list(keyword)
    expect(told(body(200))).toEqual([])
    expect(told(body(20_000))).toEqual(['body-invalid /: complexity'])
  },
)

const TAGGED = Array.from({ length: 200 }, (_, i) => ({
  type: 'object',
  required: ['kind'],
  properties: { kind: { const: `k${i}` } },
}))
const CONSTANTS = Array.from({ length: 200 }, (_, i) => ({ const: `k${i}` }))

it.each([
  ['oneOf', TAGGED, { kind: 'k199' }, 1_000],
  ['anyOf', TAGGED, { kind: 'k199' }, 3_000],
  ['oneOf', CONSTANTS, 'k199', 4_000],
  ['anyOf', CONSTANTS, 'k199', 5_000],
] as const)('a long list of %s with 200 members is an ordinary one', (keyword, members, item, count) => {
  const of = { type: 'array', items: { [keyword]: members } }
  const told = judge({ type: 'object', properties: { of } })
  expect(told({ of: Array.from({ length: count }, () => item) })).toEqual([])
})
