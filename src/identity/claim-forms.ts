import { parsePointer, readPointer } from '../syntax/json-pointer.ts'

/** The forms single claims take, and the bounds they are held to. */

export type Members = Readonly<Record<string, unknown>>

export type ClaimProblem =
  | 'missing'
  | 'form'
  | 'too-long'
  | 'too-many'
  /** A token bound to a key (`cnf`) came as `Bearer` (RFC 9449 §7.1). */
  | 'bound-token'

export type ClaimFault = { readonly claim: string; readonly problem: ClaimProblem }

export const MAX_TEXT = 1024

/** A claim as configuration names it: by name, or by JSON pointer (`/realm_access/roles`). Own members only. */
export function claimOf(value: Members, claim: string): unknown {
  if (claim.startsWith('/')) return readPointer(value, parsePointer(claim))
  return Object.hasOwn(value, claim) ? value[claim] : undefined
}

/** A list of texts; `single`: one text stands for a list of one (RFC 7519 §4.1.3). Absent: the empty list. */
export function list(
  value: Members,
  claim: string,
  single: boolean,
  max: number,
): readonly string[] | ClaimFault {
  const said = claimOf(value, claim)
  if (said === undefined) return []
  const texts = single && typeof said === 'string' ? [said] : said
  if (!isTexts(texts)) return { claim, problem: 'form' }
  if (texts.length > max) return { claim, problem: 'too-many' }
  for (const text of texts) {
    const problem = textProblem(text)
    if (problem !== null) return { claim, problem }
  }
  return texts
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** Control characters in a name serve only to confuse what reads it later: logs, records, header fields. */
export function textProblem(value: unknown): ClaimProblem | null {
  if (typeof value !== 'string' || value === '') return 'form'
  if (value.length > MAX_TEXT) return 'too-long'
  return /[\u0000-\u001f\u007f-\u009f]/.test(value) ? 'form' : null
}
