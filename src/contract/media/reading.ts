import { isDeepStrictEqual } from 'node:util'
import type { Finding } from '../../model/fact.ts'
import type { JsonLimits } from '../../syntax/json.ts'
import { scanJson } from '../../syntax/json.ts'
import { parseJson } from '../../syntax/json-build.ts'
import { escapePointer } from '../../syntax/json-pointer.ts'
import type { BodyReading } from '../body.ts'
import type { ParameterType } from '../detail.ts'
import { parseExact, stringifyExact } from '../exact-json.ts'
import { contractFinding, shortPointer } from '../findings.ts'
import { type Reading, readNode, UNREADABLE } from '../parameters/read-text.ts'

/** How the texts and JSON within one body are read. */
export interface Within {
  readonly limits: JsonLimits
  readonly reading: Reading
}

export function reading(limits: JsonLimits, exact: boolean): Within {
  return { limits, reading: { texts: false, exact, rounded: false } }
}

/** A text as the first of its types it can be; as itself where it is none of them, which the schema then refuses. */
export function typed(text: string, types: readonly ParameterType[], { reading }: Within): unknown {
  const value = readNode(text, { types }, reading)
  return value === UNREADABLE ? text : value
}

/** The body as a whole does not follow its grammar. */
export function malformed(rule: string, offset: number): Finding {
  return contractFinding('body-malformed', { rule, offset }, `${rule} at ${offset}`)
}

/** One place of it breaks a rule of its media type. */
export function invalid(pointer: string, rule: string): Finding {
  const shown = shortPointer(pointer)
  return contractFinding('body-invalid', { pointer: shown, rule }, `${shown === '' ? '/' : shown}: ${rule}`)
}

export function undeclared(pointer: string): Finding {
  const shown = shortPointer(pointer)
  return contractFinding('field-undeclared', { pointer: shown }, shown)
}

export const below = (pointer: string, name: string | number): string =>
  `${pointer}/${typeof name === 'number' ? name : escapePointer(name)}`

/** JSON inside another body: the same strict scan, numbers by their digits. */
export function readJsonWithin(
  bytes: Uint8Array,
  { limits, reading }: Within,
  pointer: string,
): { readonly value: unknown } | Finding {
  const scan = scanJson(bytes, limits)
  if (scan.ok) {
    if (!scan.exact) reading.rounded = true
    return { value: scan.exact || !reading.exact ? scan.value : parseExact(bytes) }
  }
  const place = shortPointer(`${pointer}${scan.fault.pointer}`)
  const { rule } = scan.fault
  return contractFinding('body-malformed', { rule, pointer: place }, `${place}: ${rule}`)
}

/** Reads a body into its value; `within` says how, and learns whether numbers were rounded. */
export type ReadValue = (bytes: Uint8Array, within: Within) => { readonly value: unknown } | Finding

/**
 * What `read` makes of a body, whose bytes are written by leaving out what its value no longer has: `cut` does so, and
 * only what is then read as exactly the value that was checked is written; else nothing is.
 */
export function readCuttable(
  bytes: Uint8Array,
  limits: JsonLimits,
  read: ReadValue,
  cut: (kept: unknown) => Uint8Array | null,
): BodyReading | Finding {
  const doubles = reading(limits, false)
  const first = read(bytes, doubles)
  if ('reason' in first) return first
  const exactly = (from: Uint8Array): unknown => {
    const again = read(from, reading(limits, true))
    return 'reason' in again ? undefined : again.value
  }
  return {
    value: first.value,
    digits: doubles.reading.rounded ? () => exactly(bytes) : null,
    write: (kept) => {
      const left = cut(kept)
      return left !== null && isSame(exactly(left), kept) ? left : null
    },
  }
}

/** By what JSON says of them, whatever the order of names: what is written anew may stand elsewhere. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(parseJson(stringifyExact(a) ?? 'null'), parseJson(stringifyExact(b) ?? 'null'))
}
