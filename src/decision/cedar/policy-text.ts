import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { isObject, type Policy } from './est.ts'

/**
 * One policy's text to its JSON form, longs exact. cedar-wasm hands the JSON form over in JavaScript numbers, which
 * would round longs beyond 2^53. So before it sees the text, each big literal is replaced by a small stand-in, and in
 * the JSON form the stand-in by `{"__long": "9223372036854775807"}`.
 */

export type ParsedText =
  | { readonly ok: true; readonly policy: Policy; readonly template: boolean }
  | { readonly ok: false; readonly errors: readonly cedar.DetailedError[] }

/** Stand-ins count up from here; a literal beyond it is replaced as well, so that none is mistaken for one. */
const STAND_IN = 2 ** 52
const I64_MIN_MAGNITUDE = 2n ** 63n

/** The text of exactly one policy or template, annotations and `;` included. Empty `errors`: nested too deeply. */
export function parsePolicyText(text: string): ParsedText {
  const literals: bigint[] = []
  const replaced = /\d{16}/.test(text) ? replaceLiterals(text, literals) : text
  let template = false
  try {
    let answer: cedar.PolicyToJsonAnswer = cedar.policyToJson(replaced)
    if (answer.type === 'failure' && /\?(?:principal|resource)/.test(text)) {
      const asTemplate = cedar.templateToJson(replaced)
      if (asTemplate.type === 'success') {
        template = true
        answer = asTemplate
      }
    }
    if (answer.type === 'failure') return { ok: false, errors: answer.errors }
    const policy = literals.length === 0 ? answer.json : restored(answer.json, literals)
    return { ok: true, policy: policy as Policy, template }
  } catch (error) {
    if (error instanceof LiteralTooLarge) return { ok: false, errors: [TOO_LARGE] }
    return { ok: false, errors: [] }
  }
}

class LiteralTooLarge extends Error {}

const TOO_LARGE: cedar.DetailedError = {
  message: 'an integer literal is larger than 9223372036854775807',
  help: null,
  code: null,
  url: null,
  severity: null,
}

/** Strings, comments, or a word that starts with a digit: leftmost first, so that digits in the first two stay. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|\/\/[^\n\r]*|[A-Za-z_][A-Za-z0-9_]*|\d+/gs

function replaceLiterals(text: string, literals: bigint[]): string {
  return text.replace(TOKENS, (token) => {
    if (!isDigit(token)) return token
    const exact = BigInt(token)
    if (exact < BigInt(STAND_IN) || exact > I64_MIN_MAGNITUDE) return token
    literals.push(exact)
    return String(STAND_IN + literals.length)
  })
}

function isDigit(token: string): boolean {
  const first = token.charCodeAt(0)
  return first >= 0x30 && first <= 0x39
}

function restored(value: unknown, literals: readonly bigint[]): unknown {
  if (typeof value === 'number') {
    const exact = literals[Math.abs(value) - STAND_IN - 1]
    if (exact === undefined) return value
    if (value > 0 && exact === I64_MIN_MAGNITUDE) throw new LiteralTooLarge()
    return { __long: String(value < 0 ? -exact : exact) }
  }
  if (Array.isArray(value)) return value.map((each) => restored(each, literals))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, restored(each, literals)]))
}
