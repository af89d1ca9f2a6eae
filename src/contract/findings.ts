import { type Finding, finding } from '../model/fact.ts'
import { type ReasonCode, reason } from '../model/reason.ts'
import type { CheckError } from './runtime.ts'
import { toldPointer } from './told-pointer.ts'
import { sightAt } from './value-sight.ts'

export const NO_FINDINGS: readonly Finding[] = Object.freeze([])
/** More would tell a caller nothing and cost the record room. */
export const MAX_FINDINGS = 20
const MAX_POINTER = 256

/** Names a place and a rule; values never leave the contract room. */
export function contractFinding(
  code: ReasonCode,
  evidence: Readonly<Record<string, string | number>>,
  forCaller?: string,
): Finding {
  const { pointer } = evidence
  const told = typeof pointer === 'string' ? { ...evidence, pointer: toldPointer(pointer) } : evidence
  return finding(reason(code, 'contract', told, forCaller))
}

/** The pointer with the names a caller chose cut to a bounded, well-formed length. */
export function shortPointer(pointer: string): string {
  const told = toldPointer(pointer.length <= MAX_POINTER * 8 ? pointer : pointer.slice(0, MAX_POINTER * 8))
  return told.length <= MAX_POINTER ? told : `${told.slice(0, MAX_POINTER - 1).toWellFormed()}…`
}

/** Checks' own keywords by the name the contract has for them. */
const RULES: Readonly<Record<string, string>> = { integer: 'type', numberFormat: 'format' }

/** Of a URL in a field; `at`: what the pointer is in, where that is not the body. */
export function urlFinding(
  { instancePath, params }: CheckError,
  at?: { readonly in: string; readonly name: string },
): Finding {
  const pointer = shortPointer(instancePath)
  const rule = String(params?.['rule'] ?? 'url')
  const place = at === undefined ? (pointer === '' ? '/' : pointer) : `${at.in} ${at.name}${pointer}`
  return contractFinding(
    'url-forbidden',
    { ...at, ...(pointer === '' ? {} : { pointer }), rule },
    `${place}: ${rule}`,
  )
}

/**
 * Turns what a check found into findings, without those that only repeat a place and rule.
 * @param value What was checked: a fault of type says what stood there, as a sight (value-sight.ts).
 */
export function checkFindings(
  code: ReasonCode,
  errors: readonly CheckError[],
  room: number,
  value?: unknown,
): readonly Finding[] {
  const findings: Finding[] = []
  const seen = new Set<string>()
  for (const error of errors) {
    if (findings.length >= room) break
    if (error.keyword === 'url') {
      findings.push(urlFinding(error))
      continue
    }
    const rule = RULES[error.keyword] ?? error.keyword
    const missing = error.params?.['missingProperty']
    const named = error.keyword === 'required' && typeof missing === 'string' ? `required ${missing}` : rule
    const pointer = shortPointer(error.instancePath)
    const text = `${pointer === '' ? '/' : pointer}: ${shortPointer(named)}`
    if (seen.has(text)) continue
    seen.add(text)
    const type = rule === 'type' && value !== undefined ? sightAt(value, error.instancePath) : null
    findings.push(contractFinding(code, { pointer, rule: named, ...(type === null ? {} : { type }) }, text))
  }
  return findings
}
