import { expect, test } from 'vitest'
import { distance, nearest } from './nearest.ts'

const KNOWN = ['listen', 'identity', 'apis', 'maxRequestBytes', 'basePath', 'hosts']

test.each([
  ['lisetn', 'listen'],
  ['Listen', 'listen'],
  ['max_request_bytes', 'maxRequestBytes'],
  ['max-request-byte', 'maxRequestBytes'],
  ['basepath', 'basePath'],
  ['host', 'hosts'],
  ['api', 'apis'],
])('%s is meant to be %s', (word, meant) => {
  expect(nearest(word, KNOWN)).toBe(meant)
})

test.each(['', 'xyz', 'upstream', 'h', 'l'.repeat(10_000)])('%.10s resembles nothing', (word) => {
  expect(nearest(word, KNOWN)).toBeNull()
})

test('a swap of neighbours is one step, as are insertion, deletion and substitution', () => {
  expect(['abdc', 'abcde', 'abc', 'abxd', 'abcd'].map((word) => distance(word, 'abcd'))).toEqual([
    1, 1, 1, 1, 0,
  ])
  expect(distance('', 'abc')).toBe(3)
})
