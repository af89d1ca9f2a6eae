/**
 * Cedar policy text as places: where each policy of a file stands, and how deep it nests. Cedar's own parser does
 * the parsing; it does not say where a policy begins, and its stack is small, so depth is held here first.
 */

export interface PolicySpan {
  /** UTF-16 offsets into the text: of the first character of the policy, annotations included, and after its `;`. */
  readonly start: number
  readonly end: number
  /** A `?` outside strings and comments: the slot of a template, as Cedar has no other use for it. */
  readonly slots: boolean
}

export type SourceScan =
  | { readonly ok: true; readonly policies: readonly PolicySpan[] }
  | { readonly ok: false; readonly at: number; readonly why: string }

/** cedar-wasm 4.13 runs out of stack at about 150 nested brackets and stays broken; a third of that is ample. */
const MAX_DEPTH = 48
/** It breaks at about 600 chained conditions or `if`s, which count twice, and beyond 1,100 operators of any kind. */
const MAX_OPERATORS = 1024
const CHAINING = new Set(['if', 'when', 'unless'])

/** One pass over the text: strings and comments are skipped, `;` ends a policy (Cedar grammar: only there). */
export function scanPolicies(text: string): SourceScan {
  const policies: PolicySpan[] = []
  let start = -1
  let depth = 0
  let operators = 0
  let slots = false
  let at = 0
  while (at < text.length) {
    const char = text.charCodeAt(at)
    if (isSpace(char)) {
      at++
      continue
    }
    if (char === 0x2f && text.charCodeAt(at + 1) === 0x2f) {
      at = lineEnd(text, at)
      continue
    }
    if (start === -1) start = at
    if (char === 0x22) {
      at = stringEnd(text, at)
      continue
    }
    if (isWord(char)) {
      const end = wordEnd(text, at)
      if (CHAINING.has(text.slice(at, end))) operators += 2
      at = end
    } else {
      if (OPENING.includes(char)) depth++
      else if (CLOSING.includes(char)) depth--
      else if (OPERATORS.includes(char)) operators++
      else if (char === 0x3f) slots = true
      if ((char === 0x26 || char === 0x7c) && text.charCodeAt(at + 1) === char) at++
      at++
      if (char === 0x3b) {
        policies.push({ start, end: at, slots })
        start = -1
        slots = false
        depth = 0
        operators = 0
      }
    }
    if (depth > MAX_DEPTH) {
      return { ok: false, at, why: `brackets are nested more than ${MAX_DEPTH} deep` }
    }
    if (operators > MAX_OPERATORS) {
      return {
        ok: false,
        at,
        why: `one policy has more than ${MAX_OPERATORS} operators: split it, or use a set`,
      }
    }
  }
  if (start !== -1) policies.push({ start, end: text.length, slots })
  return { ok: true, policies }
}

/** `( [ {` and their ends; `& | + - * . !` chain, `&&` and `||` as one. */
const OPENING = [0x28, 0x5b, 0x7b]
const CLOSING = [0x29, 0x5d, 0x7d]
const OPERATORS = [0x26, 0x7c, 0x2b, 0x2d, 0x2a, 0x2e, 0x21]

function isSpace(char: number): boolean {
  return char === 0x20 || (char >= 0x09 && char <= 0x0d)
}

function isWord(char: number): boolean {
  return (
    (char >= 0x61 && char <= 0x7a) ||
    (char >= 0x41 && char <= 0x5a) ||
    (char >= 0x30 && char <= 0x39) ||
    char === 0x5f
  )
}

function wordEnd(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && isWord(text.charCodeAt(at))) at++
  return at
}

function lineEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && text.charCodeAt(at) !== 0x0a && text.charCodeAt(at) !== 0x0d) at++
  return at
}

function stringEnd(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
  return Math.min(at + 1, text.length)
}

/** 1-based line and column (in characters) of a UTF-16 offset. */
export function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset)
  const lines = before.split('\n')
  return { line: lines.length, column: [...(lines.at(-1) ?? '')].length + 1 }
}

/** UTF-16 offset of Cedar's UTF-8 byte offset. */
export function offsetOfByte(text: string, byte: number): number {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    new TextEncoder().encode(text).subarray(0, byte),
  ).length
}

/** The text with all but the kept policies turned to spaces, byte for byte, so that places stay true. */
export function keepOnly(text: string, policies: readonly PolicySpan[], kept: readonly PolicySpan[]): string {
  const keep = new Set(kept)
  let result = ''
  let from = 0
  for (const span of policies) {
    result += text.slice(from, span.start)
    const part = text.slice(span.start, span.end)
    result += keep.has(span) ? part : blank(part)
    from = span.end
  }
  return result + text.slice(from)
}

function blank(part: string): string {
  let result = ''
  for (const char of part) {
    const code = char.codePointAt(0) ?? 0
    const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4
    result += char === '\n' ? '\n' : ' '.repeat(bytes)
  }
  return result
}
