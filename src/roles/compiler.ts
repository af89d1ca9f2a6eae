import type { MessagePort } from 'node:worker_threads'
import { Worker } from 'node:worker_threads'
import { ConfigError } from '../config/place.ts'
import type { ApiPlan, IssuerPlan } from '../model/bundle.ts'
import { FAULTS, type FaultCode, isFault, SallyportError } from '../model/errors.ts'
import { writeBundle } from '../store/bundle-files.ts'
import { readDataDirectory } from '../store/data-directory.ts'
import { type BundleWarning, bundleParts, compileBundle, requireTests } from './compile-bundle.ts'
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
  readonly apis: readonly ApiPlan[]
  readonly issuers: readonly IssuerPlan[]
  readonly operations: number
  readonly tests: number
  readonly warnings: readonly BundleWarning[]
  readonly watch: readonly string[]
  /** Settings a reload does not change, as JSON by key: sockets and files that are open by then. */
  readonly startOnly: Readonly<Record<string, string>>
}

type CompilerReport =
  | { readonly ok: true; readonly summary: BundleSummary }
  | {
      readonly ok: false
      readonly code: FaultCode | 'unknown'
      readonly message: string
      readonly watch: readonly string[]
    }

/** In the compiler's own thread: compiles once, writes the bundle, reports and ends. */
export function runCompiler({ config, store }: CompilerData, port: MessagePort): void {
  port.postMessage(compile(config, store))
}

function compile(config: string, store: string): CompilerReport {
  try {
    const compiled = compileBundle(config)
    requireTests(compiled.tests)
    const { hash, file } = writeBundle(readDataDirectory(store).bundles, bundleParts(compiled))
    const { read, apis, head, tests, warnings } = compiled
    const operations = apis.reduce((sum, { contract }) => sum + (contract?.operations.length ?? 0), 0)
    const watch = [...read.files, ...read.folders]
    const { listen, management, durability, limits } = read.config
    const startOnly = {
      listen: JSON.stringify(listen),
      management: JSON.stringify(management),
      store: read.store,
      durability,
      'limits.fieldBytes': String(limits.fieldBytes),
    }
    return {
      ok: true,
      summary: {
        hash,
        file,
        apis: apis.map(({ plan }) => plan),
        issuers: head.issuers,
        operations,
        tests: tests.length,
        warnings,
        watch,
        startOnly,
      },
    }
  } catch (error) {
    const watch = error instanceof ConfigError ? [...error.files, ...error.folders] : []
    if (isFault(error)) return { ok: false, code: error.code, message: error.message, watch }
    return {
      ok: false,
      code: 'unknown',
      message: error instanceof Error ? `${error.name}: ${error.message}` : 'unknown',
      watch,
    }
  }
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
      if (report.ok) resolve(report.summary)
      else
        reject(
          new SallyportError(
            report.code in FAULTS ? (report.code as FaultCode) : 'config-invalid',
            report.message,
            { watch: report.watch },
          ),
        )
    })
    worker.once('error', (error) =>
      reject(new SallyportError('config-invalid', `compiling failed: ${error.message}`, {}, error)),
    )
    worker.once('exit', () =>
      reject(new SallyportError('config-invalid', 'the compiler ended without a result')),
    )
  })
}
