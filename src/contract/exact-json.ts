import { buildJson } from '../syntax/json-build.ts'
import { numberFate } from '../syntax/json-number.ts'

/** JSON with numbers kept by their digits (JSON.rawJSON, ECMA-262), for text already scanned. */

interface RawJson {
  rawJSON(text: string): unknown
  isRawJSON(value: unknown): boolean
}

/** A number as an opaque literal: an object to JavaScript, a number to JSON. */
export interface RawNumber {
  readonly rawJSON: string
}

// TypeScript's library does not describe these yet.
const { rawJSON, isRawJSON } = JSON as unknown as RawJson

/** Numbers that print back differently become opaque literals, which only `stringifyExact` reads. */
export function parseExact(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return buildJson(text, (literal) => {
    const value = Number(literal)
    if (String(value) !== literal) return rawNumber(literal)
    // A double's shortest form may not be the whole number it is: 100000000000000020000 is another one's.
    const same = Math.abs(value) < 2 ** 53 || numberFate(literal) === 'kept'
    return same ? value : rawNumber(literal)
  })
}

/** A number's literal, as a double where that holds it. */
export function exactNumber(literal: string): number | RawNumber {
  return numberFate(literal) === 'kept' ? Number(literal) : rawNumber(literal)
}

const rawNumber = (literal: string): RawNumber => rawJSON(literal) as RawNumber

/** True of the opaque literals. */
export function isRawNumber(value: unknown): value is RawNumber {
  return isRawJSON(value)
}

/** The digits of either kind of number. */
export function numberText(value: number | RawNumber): string {
  return typeof value === 'number' ? String(value) : value.rawJSON
}

export function isNumber(value: unknown): value is number | RawNumber {
  return typeof value === 'number' || isRawNumber(value)
}

export function stringifyExact(value: unknown): string {
  return JSON.stringify(value)
}
