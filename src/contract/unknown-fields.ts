import { type Finding, finding } from '../model/fact.ts'
import type { UnknownFields } from '../model/operation.ts'
import { type Reason, reason } from '../model/reason.ts'
import { contractFinding, MAX_FINDINGS, NO_FINDINGS, shortPointer } from './findings.ts'
import { isDeclaredName, type QuerySet } from './parameters/query.ts'
import { dropUndeclared, findUndeclared, type LinkedShape, type Undeclared } from './sealed-walk.ts'
import { sightOfTexts } from './value-sight.ts'

/** Pointers of what was taken out that a record keeps. */
export const MAX_DROPPED = 100
const NOTHING_DROPPED: readonly string[] = Object.freeze([])

/** What is undeclared in a request's value, and the value that goes on. */
export interface SealedValue {
  readonly findings: readonly Finding[]
  readonly value: unknown
  /** JSON pointers, array indexes as `*`, without duplicates, at most 100; empty where nothing was taken out. */
  readonly dropped: readonly string[]
}

/**
 * Holds a parsed request body to its shape. Where fields are taken out, `value` is changed or made anew.
 * @param sees False for a second reading of the same value, whose findings nobody takes.
 */
export function sealValue(
  value: unknown,
  shape: LinkedShape | null,
  mode: UnknownFields,
  sees = true,
): SealedValue {
  if (shape === null) return { findings: NO_FINDINGS, value, dropped: NOTHING_DROPPED }
  if (mode === 'strip') {
    const stripped = dropUndeclared(value, shape, MAX_DROPPED, sees, true)
    if (stripped.dropped === null) return { findings: NO_FINDINGS, value, dropped: NOTHING_DROPPED }
    const dropped = [...stripped.dropped]
    return {
      findings: [droppedFinding({ fields: dropped, types: stripped.types })],
      value: stripped.value,
      dropped,
    }
  }
  // What is only observed leaves room for what is not.
  const found = findUndeclared(value, shape, mode === 'observe' ? MAX_FINDINGS - 1 : MAX_FINDINGS)
  const findings = found === null ? NO_FINDINGS : found.map((each) => undeclaredField(each, mode))
  return { findings, value, dropped: NOTHING_DROPPED }
}

/** Names and places; values never leave the contract room. */
function droppedFinding(evidence: Reason['evidence']): Finding {
  return finding(reason('request-field-dropped', 'contract', evidence))
}

function undeclaredField({ pointer, readOnly, type }: Undeclared, mode: UnknownFields): Finding {
  const code = readOnly ? 'field-read-only' : 'field-undeclared'
  return contractFinding(code, { pointer, type, ...observed(mode) }, pointer)
}

/** Only recorded: `decide` tells such reasons apart, and so does whoever judges the record again. */
const observed = (mode: UnknownFields): { readonly mode?: string } =>
  mode === 'observe' ? { mode: 'observe' } : {}

/** A query held apart: what the contract declares, and what becomes of the rest. */
export interface SealedQuery {
  /** Only the declared pairs. */
  readonly query: readonly (readonly [string, string])[]
  /** For each pair as it came, whether the contract declares it. */
  readonly declared: readonly boolean[]
  readonly findings: readonly Finding[]
}

/** Null where all are declared, and where the rest is refused: then the check of the parameters says so. */
export function sealQuery(
  set: QuerySet,
  query: readonly (readonly [string, string])[],
  mode: UnknownFields,
): SealedQuery | null {
  if (mode === 'reject' || query.every(([name]) => isDeclaredName(set, name))) return null
  const declared = query.map(([name]) => isDeclaredName(set, name))
  const given = new Map<string, string[]>()
  query.forEach(([name, value], index) => {
    if (declared[index] !== false) return
    const shown = shortPointer(name)
    const known = given.get(shown)
    if (known !== undefined) known.push(value)
    else if (given.size < MAX_DROPPED) given.set(shown, [value])
  })
  const names = [...given.keys()]
  const types = [...given].map(([name, values]) => sightOfTexts(values, name))
  const findings =
    mode === 'strip'
      ? [droppedFinding({ in: 'query', fields: names, types })]
      : names.slice(0, MAX_FINDINGS).map((name, index) => undeclaredParameter(name, types[index] ?? ''))
  return { query: query.filter((_, index) => declared[index]), declared, findings }
}

function undeclaredParameter(name: string, type: string): Finding {
  return contractFinding(
    'parameter-undeclared',
    { in: 'query', name, type, ...observed('observe') },
    `query ${name}`,
  )
}
