import { existsSync } from 'node:fs'
import { type ErasureReport, eraseSubject } from '../audit/erase.ts'
import { ManagementLog } from '../audit/management-log.ts'
import { readRecords } from '../audit/read.ts'
import { verifyAudit } from '../audit/verify.ts'
import { readConfig } from '../config/read.ts'
import { replayInput } from '../decision/attributes.ts'
import { CedarEngine } from '../decision/cedar/evaluate.ts'
import { tracePolicies } from '../decision/cedar/trace.ts'
import { reevaluate } from '../decision/explain.ts'
import { itemInput } from '../decision/items.ts'
import { sendOrder } from '../management/control-socket.ts'
import type { RecordActions, Rejudged, TracedItem } from '../management/record-actions.ts'
import { attributesOf, decisionsOf } from '../management/record-view.ts'
import type { PolicyPlan } from '../model/bundle.ts'
import type { Decision, PolicyEngine } from '../model/decision.ts'
import { isFault } from '../model/errors.ts'
import type { ExchangeRecord, RecordedInput } from '../model/record.ts'
import { bundleFile } from '../store/bundle-versions.ts'
import { type DataDirectory, openDataDirectory, readDataDirectory } from '../store/data-directory.ts'
import { readStoreKey, readVerifyingKey } from '../store/store-keys.ts'
import { readStoredBundle } from './open-bundle.ts'
import { OrphanSocket } from './orphan-socket.ts'
import { policyTexts } from './policy-text.ts'
import { systemClock, systemRandom } from './system.ts'

/** Reads the store beside a running gate: nothing is locked, and nothing but erasing changes anything. */
export const recordActions: Omit<RecordActions, 'now'> = {
  read: (config, filter) => {
    const directory = directoryOf(config)
    return readRecords(directory.audit, { storeKey: readStoreKey(directory), filter })
  },
  names: async (config) => {
    // The contract compiler is brought only where it is needed.
    const { compileBundle } = await import('./compile-bundle.ts')
    const { apis } = compileBundle(config)
    return {
      apis: apis.map(({ plan }) => plan.name),
      operations: apis.flatMap(({ contract }) => contract?.operations.map(({ plan }) => plan.key) ?? []),
    }
  },
  rejudge: async (config, record) => rejudge(directoryOf(config), record),
  verify: (config, onProgress) => {
    const directory = directoryOf(config)
    return verifyAudit(directory.audit, {
      publicKey: readVerifyingKey(directory, 'checkpoint'),
      liveBoots: () => liveBoots(directory.path),
      onProgress,
    })
  },
  erase: async (config, iss, sub, by) => {
    const directory = directoryOf(config)
    const report = eraseSubject(directory.audit, readStoreKey(directory), { iss: issOf(config, iss), sub })
    if (report.keys > 0) await noteErasure(directory, report, by)
    return report
  },
}

/** By `iss` or by its name in the configuration, as for a revocation; where that cannot be read, as given. */
function issOf(config: string, given: string): string {
  try {
    return readConfig(config).config.identity.issuers[given]?.issuer ?? given
  } catch {
    return given
  }
}

/** That something was erased stays on record, whose it was does not. Without a running gate this is the only writer. */
async function noteErasure(directory: DataDirectory, report: ErasureReport, by: string): Promise<void> {
  try {
    await sendOrder(directory.path, { order: 'note-erasure', ...report, by })
  } catch (error) {
    if (!isFault(error, 'control-unreachable')) throw error
    const held = openDataDirectory(directory.path, systemRandom())
    try {
      new ManagementLog(held.audit, systemClock).write({
        action: 'erase',
        by,
        result: 'ok',
        detail: { ...report },
      })
    } finally {
      held.release()
    }
  }
}

/** Whoever may be writing to the log now: the gate that answers for the store, and one its control has left alone. */
async function liveBoots(store: string): Promise<string[]> {
  const [running, orphan] = await Promise.all([
    sendOrder(store, { order: 'status' }).catch(() => null),
    OrphanSocket.find(store),
  ])
  return [running?.['boot'], orphan?.boot].filter(
    (boot): boot is string => typeof boot === 'string' && boot !== '',
  )
}

function directoryOf(config: string): DataDirectory {
  return readDataDirectory(readConfig(config).store)
}

/** Judges a record again by the policies of the bundle it names, which the store keeps as long as the record. */
function rejudge(directory: DataDirectory, record: ExchangeRecord): Rejudged {
  const found = policiesOf(directory, record.intent.bundle)
  if (typeof found === 'string') return undecidable(found)
  const decisions = decisionsOf(record)
  const policies = policyTexts(found, new Set(decisions.flatMap((decision) => decision.policies)))
  const engine = new CedarEngine(found)
  try {
    const attributes = attributesOf(record)
    const result = reevaluate({ decisions, attributes }, engine)
    const traced = traceOf(found, attributes, engine, decisions)
    if (typeof result === 'string') return { result, missing: [], why: '', policies, ...traced }
    return record.intent.sealed === 'erased'
      ? { ...undecidable('what it was decided by was erased with its subject'), policies }
      : { result: 'undecidable', missing: result.undecidable, why: '', policies, ...traced }
  } finally {
    engine.close()
  }
}

function undecidable(why: string): Rejudged {
  return { result: 'undecidable', missing: [], why, policies: [], trace: null }
}

/** Only of what the record holds whole: a trace over attributes that were not recorded would invent facts. */
function traceOf(
  plan: PolicyPlan,
  attributes: RecordedInput | null,
  engine: PolicyEngine,
  decisions: readonly Decision[],
): Pick<Rejudged, 'trace' | 'items'> {
  const replayed = attributes === null ? null : replayInput(attributes, engine.reads)
  if (attributes === null || replayed?.ok !== true) return { trace: null }
  const trace = tracePolicies(plan, replayed.input)
  const rows = decisions.findLast(({ items }) => items !== undefined)?.items?.rows ?? []
  const kinds = rows.map(({ effect }, row) => ({ effect, row }))
  const items = [...kinds.filter(isTakenOut), ...kinds.filter((kind) => !isTakenOut(kind))]
    .slice(0, TRACED_ITEMS)
    .flatMap(({ effect, row }): readonly TracedItem[] => {
      const input = itemInput(replayed.input, attributes.items?.[row] ?? {}, attributes.itemParam)
      const traced = attributes.items === undefined ? null : tracePolicies(plan, input)
      return traced === null ? [] : [{ row, effect, trace: traced }]
    })
  return items.length === 0 ? { trace } : { trace, items }
}

/** Of the kinds of items in a list, as many are traced. */
const TRACED_ITEMS = 8

function isTakenOut({ effect }: { readonly effect: 'allow' | 'deny' }): boolean {
  return effect === 'deny'
}

/** The policies of a bundle in the store, verified, or why there are none. */
function policiesOf(directory: DataDirectory, hash: string): PolicyPlan | string {
  if (hash === '') return 'no bundle was in force'
  // The hash names a file, and comes from the log.
  if (!/^[0-9a-f]{64}$/.test(hash)) return 'the record names no bundle'
  if (!existsSync(bundleFile(directory.bundles, hash)))
    return 'the bundle it was decided with is not in the store'
  try {
    return readStoredBundle(directory, hash).policies
  } catch (error) {
    if (isFault(error, 'bundle-corrupt')) return `the bundle it was decided with is damaged: ${error.message}`
    if (isFault(error, 'bundle-signature'))
      return `what it was decided with cannot be trusted: ${error.message}`
    throw error
  }
}
