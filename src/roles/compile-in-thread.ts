import { Worker } from 'node:worker_threads'
import type { ApiPlan, IssuerPlan } from '../model/bundle.ts'
import { FAULTS, type FaultCode, SallyportError } from '../model/errors.ts'
import { ENTRY } from './entry.ts'

export interface CompilerData {
  readonly role: 'compiler'
  readonly config: string
  readonly store: string
}

/** What control needs to know of a bundle besides its file. */
export interface BundleSummary {
  readonly hash: string
  readonly file: string
  /** SHA-256 (hex) of the configuration file. */
  readonly config: string
  /** Digest of all it was written as; left out where it was not just compiled. */
  readonly sources?: string
  readonly apis: readonly ApiPlan[]
  readonly issuers: readonly IssuerPlan[]
  readonly operations: number
  /** Files, and tests beside them. */
  readonly policies: number
  readonly tests: number
  readonly warnings: readonly { readonly place: string; readonly message: string }[]
  readonly watch: readonly string[]
  /** Settings a reload does not change, as JSON by key: sockets and files that are open by then. */
  readonly startOnly: Readonly<Record<string, string>>
}

export type CompilerReport =
  | { readonly ok: true; readonly summary: BundleSummary }
  | {
      readonly ok: false
      readonly code: FaultCode | 'unknown'
      readonly message: string
      readonly watch: readonly string[]
    }

/**
 * Compiles a bundle in a thread of its own: large contracts cost seconds, and control must go on fetching keys and
 * answering probes meanwhile. Rejects with the fault the compiler met, or once `ending` aborts.
 */
export function compileInThread(config: string, store: string, ending: AbortSignal): Promise<BundleSummary> {
  const data: CompilerData = { role: 'compiler', config, store }
  const worker = new Worker(ENTRY, {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: 4_096 },
    name: 'compiler',
  })
  const giveUp = (): void => void worker.terminate()
  if (ending.aborted) giveUp()
  ending.addEventListener('abort', giveUp, { once: true })
  worker.once('exit', () => ending.removeEventListener('abort', giveUp))
  return new Promise((resolve, reject) => {
    worker.once('message', (report: CompilerReport) => {
      try {
        resolve(settle(report))
      } catch (error) {
        reject(error)
      }
    })
    worker.once('error', (error) =>
      reject(new SallyportError('config-invalid', `compiling failed: ${error.message}`, {}, error)),
    )
    worker.once('exit', () => {
      const why = ending.aborted ? 'given up, because the gate stops' : 'the compiler ended without a result'
      reject(new SallyportError('config-invalid', why))
    })
  })
}

/** The bundle that was compiled; throws the fault that was met instead. */
export function settle(report: CompilerReport): BundleSummary {
  if (report.ok) return report.summary
  const code = report.code in FAULTS ? (report.code as FaultCode) : 'config-invalid'
  throw new SallyportError(code, report.message, { watch: report.watch })
}
