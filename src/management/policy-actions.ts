import type { PolicyCoverage } from '../assurance/coverage.ts'
import type { PolicyDiff } from '../assurance/diff.ts'
import type { LintFinding, LintReport } from '../assurance/lint.ts'
import type { RecordsDiff } from '../assurance/records-diff.ts'
import type { PolicyTestResult } from '../decision/policy-test.ts'

/** What the commands about policies ask of the rest of the program; nothing of it starts or changes anything. */
export interface PolicyActions {
  test(config: string, options: { readonly coverage: boolean }): Promise<PolicyTestReport>
  lint(config: string, options: AnalysisOptions): Promise<PlacedLint>
  diff(request: DiffRequest, options: AnalysisOptions): Promise<DiffReport>
}

export interface AnalysisOptions {
  /** The most requests of one operation. */
  readonly bound: number
  readonly onProgress: (fraction: number) => void
}

export interface PolicyTestReport {
  readonly tests: readonly PolicyTestResult[]
  /** Null where it was not asked for. */
  readonly coverage: PolicyCoverage | null
}

export interface PlacedLint extends Omit<LintReport, 'findings'> {
  readonly policies: number
  readonly findings: readonly (LintFinding & {
    /** `policies/base.cedar:3:1`. */
    readonly place: string
  })[]
}

export interface DiffRequest {
  /** Configuration files, or hashes of bundles in the store. */
  readonly before: string
  readonly after: string
  /** The configuration whose store holds bundles and records. */
  readonly config: string
  /** Judge recorded calls too. */
  readonly records: boolean
}

export interface DiffReport extends PolicyDiff {
  readonly records: RecordsDiff | null
}
