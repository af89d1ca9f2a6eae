import { describe, expect, test } from 'vitest'
import { ConfigError, formatProblem, locator, type Problem, pointerOf } from './place.ts'

const TEXT = `a:
  b: [ 10, { c: x } ]
  "d/e": &anchor
    f: 1
g: *anchor
h:
`

describe('locator', () => {
  test.each([
    [[], 'value', 1, 1],
    [['a'], 'key', 1, 1],
    [['a'], 'value', 2, 3],
    [['a', 'b', 1, 'c'], 'key', 2, 14],
    [['a', 'b', 1, 'c'], 'value', 2, 17],
    [['a', 'd/e', 'f'], 'value', 4, 8],
    [['g'], 'value', 5, 4],
    // Behind an alias: where the anchor stands.
    [['g', 'f'], 'key', 4, 5],
    [['h'], 'value', 6, 3],
    // Not there: the nearest ancestor that is.
    [['a', 'zzz', 'y'], 'value', 1, 1],
    [['a', 'b', 7], 'value', 2, 3],
    [['a', 'b', 1, 'c', 'deeper'], 'value', 2, 14],
  ] as const)('%j, %s: %i:%i', (segments, at, line, column) => {
    expect(locator(TEXT)(segments, at)).toEqual({ line, column })
  })

  test('reads JSON too, and gives the first place where text is no document', () => {
    expect(locator('{\n  "a": [1,\n    2]}')(['a', 1])).toEqual({ line: 3, column: 5 })
    expect(locator('')(['a'])).toEqual({ line: 1, column: 1 })
    expect(locator('['.repeat(20_000))(['a']).line).toBe(1)
  })
})

test('pointers are escaped (RFC 6901 §3)', () => {
  expect(pointerOf(['a/b', 0, 'm~n'])).toBe('/a~1b/0/m~0n')
})

test('problems are sorted within their file, files kept in order', () => {
  const problem = (file: string, line: number, column: number): Problem => {
    return { file, line, column, pointer: '', message: 'x', hint: '' }
  }
  const error = new ConfigError(
    'config-invalid',
    [problem('b', 2, 1), problem('b', 1, 9), problem('a', 1, 1)],
    [],
    [],
  )
  expect(error.problems.map(formatProblem)).toEqual(['b:1:9: x', 'b:2:1: x', 'a:1:1: x'])
  expect(formatProblem({ ...problem('f', 1, 2), hint: 'Do y.' })).toBe('f:1:2: x (Do y.)')
})
