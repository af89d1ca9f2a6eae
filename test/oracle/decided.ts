import type { Judged } from './through-gate.ts'

/**
 * Where schemathesis and the gate differ, by the clause that decides it; docs/reference/contract-agreement.md lists the
 * same names. Null: nothing decides it, which is a fault.
 */
export const CLAUSES = [
  'undeclared-fields',
  'request-target',
  'body-syntax',
  'not-changed',
  'ignored-header',
  'unread-media-type',
  'one-item-list',
  'text-has-no-type',
  'empty-list',
] as const

export type Clause = (typeof CLAUSES)[number]

const REFUSALS: readonly (readonly [RegExp, Clause])[] = [
  [/^(?:field|parameter)-undeclared\b/, 'undeclared-fields'],
  [/^target-invalid\b/, 'request-target'],
  [/^body-malformed\b/, 'body-syntax'],
]

export function decidedBy(judged: Judged, opposing: readonly string[]): Clause | null {
  if (judged.mode === 'positive') {
    const type = typeOf(judged)
    if (
      !type.includes('json') &&
      opposing.every((text) => /^body-invalid .*: required /.test(text)) &&
      opposing.length > 0
    )
      return 'empty-list'
    const clauses = opposing.map((text) => REFUSALS.find(([pattern]) => pattern.test(text))?.[1] ?? null)
    return clauses.length === 0 || clauses.includes(null) ? null : (clauses[0] ?? null)
  }
  const { why } = judged
  const type = typeOf(judged)
  if (why === 'Positive test case') return 'not-changed'
  if (/\(was Authorization\)|\/properties\/Authorization\b/i.test(why)) return 'ignored-header'
  if (/yaml/.test(type)) return 'unread-media-type'
  const lines = why.split('\n')
  if (
    lines.every((line) =>
      /violates `type` .*\(was array, became (?:string|integer|number|boolean)\)/.test(line),
    )
  )
    return 'one-item-list'
  if (
    !type.includes('json') &&
    lines.every((line) =>
      /violates `type` .*\(was string, became (?:boolean|integer|number|null)\)/.test(line),
    )
  )
    return 'text-has-no-type'
  return null
}

const typeOf = ({ headers }: Judged): string =>
  headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
