/** JSON with numbers kept by their digits (ECMA-262: `context.source` and JSON.rawJSON), for text already scanned. */

interface RawJson {
  rawJSON(text: string): unknown
  isRawJSON(value: unknown): boolean
}

type Reviver = (this: unknown, name: string, value: unknown, context: { readonly source?: string }) => unknown

// TypeScript's library does not describe these yet.
const { rawJSON, isRawJSON } = JSON as unknown as RawJson
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown

/** Numbers that print back differently become opaque literals, which only `stringifyExact` reads. */
export function parseExact(bytes: Uint8Array): unknown {
  return parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
    (_name, value, context) =>
      typeof value === 'number' && context.source !== undefined && context.source !== String(value)
        ? rawJSON(context.source)
        : value,
  )
}

/** True of the opaque literals: objects to JavaScript, numbers to JSON. */
export function isRawNumber(value: object): boolean {
  return isRawJSON(value)
}

export function stringifyExact(value: unknown): string {
  return JSON.stringify(value)
}
