import { SallyportError } from '../../model/errors.ts'
import type { Policy } from './est.ts'
import type { PolicySpan } from './source.ts'
import { placeOf } from './source.ts'

export interface PolicyFile {
  /** As shown to people and used in ids: relative to the policies' folder. */
  readonly file: string
  readonly text: string
}

/** A policy of a file, parsed but not yet checked. */
export interface ParsedPolicy {
  readonly id: string
  readonly file: PolicyFile
  readonly span: PolicySpan
  readonly policy: Policy
  /** Its scope has slots: it applies to nothing until a link fills them. */
  readonly template: boolean
}

/** Line and column are 1-based, columns in characters. */
export interface PolicyWarning {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
  /** Id of the policy, where one is at fault. */
  readonly policy?: string
}

export type PolicyFault = PolicyWarning

const MAX_REPORTED = 50

export function fault(file: PolicyFile, offset: number, message: string, policy?: string): PolicyFault {
  const place = { file: file.file, ...placeOf(file.text, offset), message }
  return policy === undefined ? place : { ...place, policy }
}

export function placeText({ file, span }: ParsedPolicy): string {
  const { line, column } = placeOf(file.text, span.start)
  return `${file.file}:${line}:${column}`
}

/** More than are told: to look on would only cost time, and the next compilation tells the rest. */
export function isEnough(faults: readonly PolicyFault[]): boolean {
  return faults.length > MAX_REPORTED
}

/** @throws {SallyportError} `policy-invalid` naming the first fault and, in `data.errors`, up to 50 of all. */
export function throwIfAny(faults: readonly PolicyFault[]): void {
  const [first] = faults
  if (first === undefined) return
  const lines = faults.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  throw new SallyportError('policy-invalid', `${lines[0]}${more}`, {
    file: first.file,
    line: first.line,
    column: first.column,
    errors: lines.slice(0, MAX_REPORTED),
  })
}
