import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { ConfigError, locator } from '../../src/config/place.ts'
import { readConfig } from '../../src/config/read.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'

let folder: ConfigFolder

beforeAll(() => {
  folder = configFolder()
})
afterAll(() => folder.remove())

const GOOD = {
  listen: { host: '127.0.0.1', port: 8080 },
  identity: { issuers: { corp: { issuer: 'https://idp.example', keys: { waitMs: 100 } } } },
  apis: {
    shop: {
      upstream: 'http://127.0.0.1:3000',
      hosts: ['api.shop.example'],
      identity: { accept: ['corp'], audience: ['shop'] },
      timeouts: { headMs: 1000 },
    },
  },
  limits: { fieldCount: 50 },
}

/** Reads text as a configuration; whatever it is, the answer is a configuration or problems with places in it. */
function outcome(text: string | Uint8Array): ConfigError | null {
  const file = folder.write({ 'sallyport.yaml': text })
  try {
    readConfig(file)
    return null
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const lines = typeof text === 'string' ? text.split('\n').length : Number.POSITIVE_INFINITY
    expect(error.problems.length).toBeGreaterThan(0)
    for (const { line, column } of error.problems) {
      expect(line).toBeGreaterThan(0)
      expect(line).toBeLessThanOrEqual(lines)
      expect(column).toBeGreaterThan(0)
    }
    return error
  }
}

describe('configuration, whatever stands in it', () => {
  test('bytes and text end in a configuration or in problems', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 200 })),
        (text) => {
          outcome(text)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a good file with a piece cut out or put in', () => {
    const good = stringify(GOOD)
    const piece = fc.oneof(
      fc.constantFrom(
        '[',
        '{',
        '*a',
        '&a ',
        '!!x ',
        '"',
        "'",
        '|',
        '\t',
        '---\n',
        '#',
        ': ',
        '- ',
        '__proto__: 1\n',
        '\0',
      ),
      fc.string({ maxLength: 5 }),
    )
    fc.assert(
      fc.property(fc.nat(good.length), fc.nat(20), piece, (at, cut, put) => {
        outcome(good.slice(0, at) + put + good.slice(at + cut))
      }),
      { numRuns: 500 },
    )
  })

  test('any one value replaced', () => {
    const places = placesIn(GOOD, [])
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 2 }), (place, value) => {
        // A JSON value may bring __proto__ as a key, which is refused as syntax.
        outcome(JSON.stringify(replaced(GOOD, place, value)))
      }),
      { numRuns: 500 },
    )
  })

  test('every value of a document is found where it stands', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value, null, 1)
        const lines = text.split('\n')
        const locate = locator(text)
        for (const place of placesIn(value, [])) {
          const { line, column } = locate(place)
          const found = (lines[line - 1] ?? '').slice(column - 1)
          const [first = ''] = JSON.stringify(valueAt(value, place), null, 1).split('\n')
          expect(found.startsWith(first)).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })
})

type Path = readonly (string | number)[]

function placesIn(value: unknown, at: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [at]
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value)
  return [at, ...entries.flatMap(([key, child]) => placesIn(child, [...at, key]))]
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], value)
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by
  const copy = structuredClone(value) as Record<string | number, unknown>
  copy[key] = replaced(copy[key], rest, by)
  return copy
}
