import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapePointer, type JsonRule, parsePointer, readPointer, scanJson } from '../../src/syntax/json.ts'

/** Refusals of a text that JSON.parse would take; every other rule must mean that JSON.parse refuses too. */
const STRICTER: ReadonlySet<JsonRule> = new Set<JsonRule>([
  'invalid-utf8',
  'duplicate-key',
  'lone-surrogate',
  'forbidden-key',
  'number-precision',
  'depth',
  'nodes',
  'keys',
])

const parsed = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** Members as written, told without the scanner: colons left when the strings are gone. */
const membersWritten = (text: string) => text.replace(/"(?:[^"\\]|\\.)*"/gs, '').split(':').length - 1

const membersOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? Object.values(value).reduce<number>((sum, member) => sum + membersOf(member), 0) +
      (Array.isArray(value) ? 0 : Object.keys(value).length)
    : 0

/** What must hold of every byte sequence. */
const hold = (bytes: Uint8Array) => {
  const scan = scanJson(bytes)
  const text = Buffer.from(bytes).toString()
  const native = parsed(text)
  if (scan.ok) {
    expect(Buffer.from(text).equals(bytes)).toBe(true)
    expect({ value: scan.value }).toStrictEqual(native)
    expect(membersOf(scan.value)).toBe(membersWritten(text))
    expect(JSON.stringify(scan.value).isWellFormed()).toBe(true)
  } else {
    expect(scan.fault.pointer.length).toBeLessThanOrEqual(256)
    expect(scan.fault.offset).toBeGreaterThanOrEqual(0)
    expect(scan.fault.offset).toBeLessThanOrEqual(bytes.length)
    if (native !== undefined) expect(STRICTER).toContain(scan.fault.rule)
  }
  return scan
}

// 'binary': every code point, no lone surrogates.
const value = fc
  .jsonValue({ stringUnit: 'binary' })
  .filter((any) => !JSON.stringify(any).includes('"__proto__":'))

const escapeUnits = (character: string) =>
  Array.from(
    { length: character.length },
    (_, n) => `\\u${character.charCodeAt(n).toString(16).padStart(4, '0')}`,
  )

/** The same text with some characters spelled as escapes: to a reader, the same string. */
const respelled = (name: string, marks: readonly boolean[]) =>
  `"${[...name].flatMap((character, n) => (marks[n % marks.length] ? escapeUnits(character) : character)).join('')}"`

const piece = fc.oneof(
  fc
    .constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '\\',
        '\\u',
        '\\ud83d',
        '\\ude00',
        '\\u0061',
        '"a":',
        '"a":1,',
        '"__proto__":',
      ],
      ...[
        '0',
        '-',
        '.',
        'e',
        '1e999',
        '9007199254740993',
        'true',
        'null',
        'NaN',
        ' ',
        '\n',
        '\0',
        '\ufeff',
        'é',
        '😀',
      ],
    )
    .map((text) => Buffer.from(text)),
  fc.constantFrom('x', '7', ' ', '[]', '0,', '"k":[0],').map((text) => Buffer.from(text)),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
)

// Unbiased, because fast-check likes the ends, and there every change breaks the text.
const fraction = fc.noBias(fc.nat({ max: 9_999 })).map((n) => n / 10_000)

/** Replace `drop` bytes at a fraction of the length by a piece, or by a slice of the text itself. */
const mutation = fc.record({
  at: fraction,
  drop: fc.oneof(fc.constant(0), fc.nat({ max: 4 })),
  piece: fc.option(piece, { nil: undefined }),
  from: fraction,
  length: fc.nat({ max: 12 }),
})

describe('scanJson', () => {
  it('gives for every JSON value what JSON.parse gives, however it is spaced', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(0, 1, '\t', ' \r\n'), (any, space) => {
        const text = JSON.stringify(any, null, space === ' \r\n' ? undefined : space)
        const scan = hold(Buffer.from(space === ' \r\n' ? `${space}${text}${space}` : text))
        expect(scan).toMatchObject({ ok: true, exact: expect.any(Boolean) })
      }),
      { numRuns: 2_000 },
    )
  })

  it('is never laxer than JSON.parse on mutated texts, and stricter only by a named rule', () => {
    let accepted = 0
    fc.assert(
      fc.property(value, fc.array(mutation, { minLength: 1, maxLength: 2 }), (any, mutations) => {
        let bytes = Buffer.from(JSON.stringify({ a: any, b: [any, 'text', 1234], c: 'text' }))
        for (const { at, drop, piece: put, from, length } of mutations) {
          const cut = Math.floor(at * bytes.length)
          const first = Math.floor(from * bytes.length)
          const insert = put ?? bytes.subarray(first, first + length)
          bytes = Buffer.concat([bytes.subarray(0, cut), insert, bytes.subarray(cut + drop)])
        }
        if (hold(bytes).ok) accepted++
      }),
      { numRuns: 8_000 },
    )
    // Else the mutations only ever break the text and the property says little.

    expect(accepted).toBeGreaterThan(200)
  })

  it('holds for texts made of JSON pieces', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => void hold(Buffer.concat(pieces))),
      { numRuns: 8_000 },
    )
  })

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void hold(bytes)),
      { numRuns: 3_000 },
    )
  })

  it('finds a key twice in an object of any size, however either is spelled, and says where', () => {
    const name = fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .filter((key) => !/["\\\p{Cc}]|^__proto__$/u.test(key))
    const marks = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 1, maxLength: 80 }),
        fc.nat(),
        fc.nat(),
        fc.array(marks, { minLength: 1, maxLength: 7 }),
        (names, pick, place, spellings) => {
          const members = names.map(
            (key, n) => `${respelled(key, spellings[n % spellings.length] ?? [])}:{"x":${n}}`,
          )
          expect(hold(Buffer.from(`[${`{${members.join(',')}}`}]`))).toMatchObject({ ok: true })

          const again = names[pick % names.length] ?? ''
          members.splice(place % (members.length + 1), 0, `${respelled(again, spellings[0] ?? [])}:0`)
          expect(scanJson(Buffer.from(`[{${members.join(',')}}]`))).toMatchObject({
            ok: false,
            fault: { rule: 'duplicate-key', pointer: `/0/${escapePointer(again)}` },
          })
        },
      ),
      { numRuns: 600 },
    )
  })

  it('calls a number exact if and only if its digits come back', () => {
    const digits = fc.stringMatching(/^(?:0|[1-9][0-9]{0,24})$/)
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (whole) => {
        expect(hold(Buffer.from(`${whole}`))).toMatchObject({ exact: BigInt(Number(whole)) === whole })
      }),
    )
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
        const whole = Number.isInteger(double)
        const text = JSON.stringify(double)
        // A big double is printed short, with digits it does not have.
        const exact = !whole || Math.abs(double) < 1e21 ? BigInt(Math.trunc(double)) : undefined
        if (!whole || `${exact}` === text || double === 0) {
          expect(hold(Buffer.from(text))).toMatchObject({ exact: true })
        }
      }),
    )
    fc.assert(
      fc.property(
        digits,
        fc.stringMatching(/^[0-9]{1,24}$/),
        fc.integer({ min: -30, max: 30 }),
        (whole, part, power) => {
          const spelled = scanJson(Buffer.from(`${whole}.${part}e${power}`))
          const trailing = scanJson(Buffer.from(`${whole}.${part}000e${power}`))
          const shifted = scanJson(Buffer.from(`${whole}${part}e${power - part.length}`))
          expect(trailing).toEqual(spelled)
          // A leading zero would be another rule's fault.
          if (whole !== '0') expect(shifted).toEqual(spelled)
        },
      ),
    )
  })
})

describe('JSON Pointer', () => {
  it('reads back every member by its escaped name', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer(), { noNullPrototype: true }), (object) => {
        for (const [key, member] of Object.entries(object)) {
          const pointer = `/0/${escapePointer(key)}`
          expect(readPointer([object], parsePointer(pointer))).toBe(member)
        }
      }),
    )
  })
})
