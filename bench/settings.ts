export interface Settings {
  readonly json: boolean
  readonly check: boolean
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  /** Of rows that begin as slowly as compiled code does, and of the others. */
  readonly warmUpMs: { readonly gate: number; readonly other: number }
  readonly startUps: number
  readonly reloads: number
  /** For each figure of the policies. */
  readonly policyMs: number
  /** Recorded exchanges that are replayed. */
  readonly replayed: number
  /** Null: measure; else where the profile goes. */
  readonly profile: string | null
  /** Of the row without the evaluator. */
  readonly withoutEvaluator: boolean
}

/** Progress, on stderr. */
export function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`)
}
