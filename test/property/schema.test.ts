import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareNumbers,
  decimalPlaces,
  isMultiple,
  isMultipleOf,
  isWhole,
} from '../../src/contract/exact-number.ts'
import { BudgetedPattern } from '../../src/contract/pattern-match.ts'
import { parsePattern } from '../../src/contract/pattern-syntax.ts'
import { decodePunycode, encodePunycode } from '../../src/syntax/punycode.ts'

const digits = (most: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: most })
/** Literals with few enough places that one scale makes all of them whole. */
const literal = fc
  .tuple(fc.boolean(), fc.bigInt(0n, 10n ** 30n), digits(12), fc.integer({ min: -5, max: 8 }))
  .map(([minus, whole, fraction, exponent]) => `${minus ? '-' : ''}${whole}.${fraction}e${exponent}`)
const SCALE = 20

/** The literal times 10^20, by another way than the one tested. */
function scaled(text: string): bigint {
  const match = /^(-?)(\d+)\.(\d+)e(-?\d+)$/.exec(text)
  const [, minus = '', whole = '', fraction = '', exponent = ''] = match ?? []
  const value = BigInt(whole + fraction) * 10n ** BigInt(SCALE + Number(exponent) - fraction.length)
  return minus === '' ? value : -value
}

describe('numbers by their digits', () => {
  it('compare, divide and are whole as integers of one scale are', () => {
    fc.assert(
      fc.property(literal, literal, (a, b) => {
        const [x, y] = [scaled(a), scaled(b)]
        expect(Math.sign(compareNumbers(a, b))).toBe(x < y ? -1 : x > y ? 1 : 0)
        expect(isWhole(a)).toBe(x % 10n ** BigInt(SCALE) === 0n)
        if (y > 0n) expect(isMultiple(a, b)).toBe(x % y === 0n)
      }),
      { numRuns: 2_000 },
    )
  })

  it('give the same as doubles where those hold them', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 1, max: 500 }),
        (n, p, m) => {
          const value = n / 10 ** p
          const divisor = m / 10 ** (p % 4)
          const text = String(divisor)
          expect(isMultipleOf(value, divisor, decimalPlaces(text), text)).toBe(
            isMultiple(String(value), text),
          )
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('look-around and back-references', () => {
  const atom = fc.constantFrom(...'a b c . [ab] [^a] \\w \\d \\b \\B ^ $ \\1 \\2 \\k<n> é'.split(' '))
  const { node } = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc.array(tie('node'), { maxLength: 3 }).map((parts) => parts.join('')),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
      fc
        .tuple(fc.constantFrom('', '?=', '?!', '?<=', '?<!'), tie('node'))
        .map(([kind, a]) => `(${kind}${a})`),
      fc
        .tuple(
          tie('node'),
          fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,2}', '*?', '+?', '??', '{1,}?'),
        )
        .map(([a, quantifier]) => `(?:${a})${quantifier}`),
    ),
  }))

  it('are matched as ECMAScript matches them', () => {
    const found = { true: 0, false: 0 }
    fc.assert(
      fc.property(
        node,
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', 'é', ' '), maxLength: 8 }),
        (inner, text) => {
          const pattern = `(a|b)?${inner}(?<n>c?)`
          let expected: boolean
          try {
            expected = new RegExp(pattern, 'u').test(text)
          } catch {
            return
          }
          expect(new BudgetedPattern(parsePattern(pattern)).test(text, { left: 10_000_000 }), pattern).toBe(
            expected,
          )
          found[`${expected}`]++
        },
      ),
      { numRuns: 3_000 },
    )
    expect(Math.min(found.true, found.false)).toBeGreaterThan(100)
  })
})

it('Punycode comes back as it was', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('a', '-', 'ü', '例', '\u{1F600}', 'ß'),
        minLength: 1,
        maxLength: 10,
      }),
      (label) => {
        fc.pre(/[^\x00-\x7f]/.test(label))
        expect(decodePunycode(encodePunycode(label))).toBe(label)
      },
    ),
  )
  expect(encodePunycode('bücher')).toBe('bcher-kva')
})
