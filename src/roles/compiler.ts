import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { MessagePort } from 'node:worker_threads'
import { startOnlyPoints } from '../config/decision-points.ts'
import { ConfigError } from '../config/place.ts'
import { isFault } from '../model/errors.ts'
import { writeBundle } from '../store/bundle-files.ts'
import { readDataDirectory } from '../store/data-directory.ts'
import { writeSchemas } from '../store/schema-files.ts'
import {
  type BundleWarning,
  bundleParts,
  type CompiledBundle,
  compileBundle,
  requireTests,
} from './compile-bundle.ts'
import type { CompilerData, CompilerReport } from './compile-in-thread.ts'
import { policySchemas } from './policy-schemas.ts'
import { sourceDigest } from './source-digest.ts'

/** In the compiler's own thread: compiles once, writes the bundle, reports and ends. */
export function runCompiler({ config, store }: CompilerData, port: MessagePort): void {
  port.postMessage(compile(config, store))
}

/** Compiles and writes the bundle; what is wrong is in the report, nothing is thrown. */
export function compile(config: string, store: string): CompilerReport {
  // Also after a failure: the correction may be in a file that was never read before.
  let watch: readonly string[] = []
  try {
    const compiled = compileBundle(config, (read) => {
      watch = [...read.files, ...read.folders]
    })
    requireTests(compiled.tests)
    const { hash, file } = writeBundle(readDataDirectory(store).bundles, bundleParts(compiled))
    const unwritten = writeSchemaFiles(store, hash, compiled)
    const { read, apis, head, tests, warnings } = compiled
    const operations = apis.reduce((sum, { contract }) => sum + (contract?.operations.length ?? 0), 0)
    const { listen, management, decisionPoints, durability, limits } = read.config
    const startOnly = {
      listen: JSON.stringify(listen),
      management: JSON.stringify(management),
      decisionPoints: JSON.stringify(startOnlyPoints(decisionPoints)),
      store: read.store,
      durability,
      'limits.fieldBytes': String(limits.fieldBytes),
    }
    return {
      ok: true,
      summary: {
        hash,
        file,
        config: createHash('sha256').update(readFileSync(config)).digest('hex'),
        sources: sourceDigest(read),
        apis: apis.map(({ plan }) => plan),
        issuers: head.issuers,
        operations,
        policies: read.policies.length,
        tests: tests.length,
        warnings: [...warnings, ...unwritten],
        watch,
        startOnly,
      },
    }
  } catch (error) {
    if (error instanceof ConfigError) watch = [...error.files, ...error.folders]
    if (isFault(error)) return { ok: false, code: error.code, message: error.message, watch }
    const what = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'
    if (error instanceof Error && 'syscall' in error)
      return { ok: false, code: 'unknown', message: what, watch }
    const message = `a fault of the program, not of the configuration: ${what}`
    return { ok: false, code: 'internal', message, watch }
  }
}

/** They are for people to read: what keeps them from being written keeps no gate from starting. */
function writeSchemaFiles(store: string, bundle: string, compiled: CompiledBundle): readonly BundleWarning[] {
  try {
    writeSchemas(store, bundle, () => policySchemas(compiled))
    return []
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    return [{ place: store, message: `the policies’ schema cannot be written there: ${why}` }]
  }
}
