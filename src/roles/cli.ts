import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readStoreFolder } from '../config/store-folder.ts'
import { tokenKeyOf } from '../identity/revocations.ts'
import type { BundleActions } from '../management/bundle-actions.ts'
import type { CliActions, DemoRequest } from '../management/cli/actions.ts'
import { sallyportProgram } from '../management/cli/program.ts'
import { sendOrder } from '../management/control-socket.ts'
import type { PolicyActions } from '../management/policy-actions.ts'
import type { RecordActions } from '../management/record-actions.ts'
import type { Mode } from '../model/decision.ts'
import { SallyportError } from '../model/errors.ts'
import type { OperationPlan } from '../model/operation.ts'
import { systemClock } from './system.ts'
import { VERSION } from './version.ts'

/** Each command loads what it needs and no other's: a start should not wait for the contract compiler. */
const actions: CliActions = {
  start: async (request) => {
    const { startControl } = await import('./control.ts')
    const { url, management, store, startedInMs, summary, readiness, stop, kill } =
      await startControl(request)
    const apis = summary.apis.map(({ name, mode, governed, basePath, hosts, upstream }) => ({
      name,
      mode,
      governed,
      basePath,
      hosts,
      upstream: upstream.origin,
    }))
    return { url, management, store, startedInMs, apis, readiness, stop, kill }
  },
  check: async (config) => {
    const { compileBundle } = await import('./compile-bundle.ts')
    const { apis, read, tests, warnings } = compileBundle(config)
    return {
      apis: apis.map(({ plan, contract }) => ({
        name: plan.name,
        operations: contract?.operations.length ?? 0,
        mode: plan.mode,
        governed: plan.governed,
        ...(plan.observeStages === undefined ? {} : { observe: plan.observeStages }),
        ...otherwise(plan.mode, contract?.operations ?? []),
      })),
      policies: read.policies.length,
      tests: tests.map(({ file, name, ok, problem }) => ({ file, name, passed: ok, detail: problem })),
      warnings,
    }
  },
  zoneGraph: async (config) => (await import('./zone-graph.ts')).zoneGraph(config),
  policySchemas: async (config) => {
    const [{ compileBundle }, { policySchemas }] = await Promise.all([
      import('./compile-bundle.ts'),
      import('./policy-schemas.ts'),
    ])
    return policySchemas(compileBundle(config))
  },
  storeOf: readStoreFolder,
  order: sendOrder,
  tokenKeys: (token) => {
    const key = tokenKeyOf(token)
    return key === null ? [] : [key]
  },
  demo: runDemo,
  drift: async (request) => (await import('./drift.ts')).drift(request),
  inventory: async (config) => (await import('./inventory.ts')).inventory(config),
  policies: {
    test: async (config, options) => (await policies()).test(config, options),
    lint: async (config, options) => (await policies()).lint(config, options),
    diff: async (request, options) => (await policies()).diff(request, options),
  },
  records: {
    now: () => systemClock.now().wallMs,
    read: async function* (config, filter) {
      yield* (await recordActions()).read(config, filter)
    },
    names: async (config) => (await recordActions()).names(config),
    rejudge: async (config, record) => (await recordActions()).rejudge(config, record),
    verify: async (config, onProgress) => (await recordActions()).verify(config, onProgress),
    erase: async (config, iss, sub, by) => (await recordActions()).erase(config, iss, sub, by),
  },
  bundles: {
    list: async (config, records) => (await storedBundles()).list(config, records),
    show: async (config, asked) => (await storedBundles()).show(config, asked),
    verify: async (config, asked) => (await storedBundles()).verify(config, asked),
  },
  replay: async (request, onProgress) => (await import('./replay.ts')).replay(request, onProgress),
  tryCall: async (call) => (await import('./dry-run.ts')).dryRun(call),
}

async function storedBundles(): Promise<BundleActions> {
  return (await import('./stored-bundles.ts')).bundleActions
}

async function policies(): Promise<PolicyActions> {
  return (await import('./policies.ts')).policyActions
}

/** How many operations have the other mode. */
function otherwise(
  mode: Mode,
  operations: readonly { readonly plan: OperationPlan }[],
): { readonly otherwise?: number } {
  const count = operations.filter(({ plan }) => plan.mode !== undefined && plan.mode !== mode).length
  return count === 0 ? {} : { otherwise: count }
}

async function recordActions(): Promise<Omit<RecordActions, 'now'>> {
  return (await import('./records.ts')).recordActions
}

/** The demo lives in a private workspace of the repository; the published package says where it is. */
async function runDemo(request: DemoRequest): Promise<number> {
  const file = join(import.meta.dirname, '..', '..', 'demo', 'demo.ts')
  if (!existsSync(file)) {
    throw new SallyportError(
      'usage',
      'the demo is not part of the published package: it is in the folder demo/ of the source repository (npm ci && npm start)',
    )
  }
  const demo: { runDemo(request: DemoRequest): Promise<number> } = await import(pathToFileURL(file).href)
  return demo.runDemo(request)
}

/** The command line's role. */
export async function runCli(argv: readonly string[]): Promise<void> {
  // A reader that has seen enough (`| head`) ends neither a command nor a gate.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  await sallyportProgram(VERSION, actions).parseAsync(argv)
}
