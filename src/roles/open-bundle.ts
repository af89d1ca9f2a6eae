import type { KeyObject } from 'node:crypto'
import { JoinedPlan } from '../decision/cedar/plan-parts.ts'
import { type Snapshot, SnapshotBuilder } from '../enforcement/snapshot.ts'
import type { ApiPlan, BundleHead, BundlePart, PolicyPlan } from '../model/bundle.ts'
import { SallyportError } from '../model/errors.ts'
import type { OperationPlan } from '../model/operation.ts'
import { readBundle, verifyBundleBytes } from '../store/bundle-files.ts'
import { type BundleVersion, bundleFile, readStatement } from '../store/bundle-versions.ts'
import type { DataDirectory } from '../store/data-directory.ts'
import { readVerifyingKey } from '../store/store-keys.ts'
import type { BundleSummary } from './compile-in-thread.ts'

type Store = Pick<DataDirectory, 'bundles' | 'keys'>

/** A bundle of the store as plain data, verified. */
export interface StoredBundle {
  readonly version: BundleVersion
  readonly head: BundleHead
  readonly apis: readonly ApiPlan[]
  readonly operations: readonly OperationPlan[]
  readonly policies: PolicyPlan
}

/** The same, instantiated as a gate thread has it. */
export interface OpenedBundle extends StoredBundle {
  readonly snapshot: Snapshot
  /** Frees what the policy engine holds outside the heap. */
  close(): void
}

/**
 * Opens a bundle by its hash (64 hex digits, which may come from a record): signature and all bytes are verified
 * before anything of it runs.
 *
 * @throws SallyportError `bundle-unknown`, `bundle-signature`, `bundle-corrupt`
 */
export function openBundle(store: Store, hash: string): OpenedBundle {
  const builder = new SnapshotBuilder(hash)
  try {
    const stored = gather(store, hash, (part) => builder.add(part))
    const snapshot = builder.finish()
    return { ...stored, snapshot, close: () => snapshot.close() }
  } catch (error) {
    builder.discard()
    throw error
  }
}

/** As `openBundle`, without instantiating anything. */
export function readStoredBundle(store: Store, hash: string): StoredBundle {
  return gather(store, hash, () => undefined)
}

/** What control needs to put a stored bundle in force; what only its configuration says comes from its statement. */
export function summaryOf(store: Store, hash: string, watch: readonly string[]): BundleSummary {
  const { version, head, apis, operations } = readStoredBundle(store, hash)
  return {
    hash,
    file: bundleFile(store.bundles, hash),
    config: version.config,
    apis,
    issuers: head.issuers,
    operations: operations.length,
    policies: version.policies,
    tests: version.tests,
    warnings: [],
    watch,
    startOnly: version.startOnly,
  }
}

/** Signature and bytes of a stored bundle. Throws as `openBundle`. */
export function verifyStoredBundle(store: Store, hash: string): BundleVersion {
  return verified(store, hash).version
}

function verified(
  store: Store,
  hash: string,
): { readonly version: BundleVersion; readonly slices: readonly string[] } {
  const file = fileOf(store, hash)
  const version = readStatement(file, hash, keyOf(store))
  const verifying = verifyBundleBytes(file, hash)
  let step = verifying.next()
  while (!step.done) step = verifying.next()
  return { version, slices: step.value }
}

/** The key a reader verifies by. Throws `bundle-signature` where the store has none. */
export function keyOf(store: Store): KeyObject {
  const key = readVerifyingKey(store, 'bundle')
  if (key === null)
    throw new SallyportError(
      'bundle-signature',
      'the store has no bundle.pub: nothing of it was signed, or its key is gone',
    )
  return key
}

function gather(store: Store, hash: string, each: (part: BundlePart) => void): StoredBundle {
  const { version, slices } = verified(store, hash)
  let head: BundleHead | null = null
  const joined = new JoinedPlan()
  const apis: ApiPlan[] = []
  const operations: OperationPlan[] = []
  for (const part of readBundle(fileOf(store, hash), hash, slices)) {
    each(part)
    if (part.part === 'head') head = part.head
    else if (part.part === 'api') apis.push(part.api)
    else if (part.part === 'operation') operations.push(part.operation.plan)
    else if (part.part === 'policies') joined.start(part.policies)
    else if (part.part === 'policy-list') joined.add(part.policies)
  }
  const policies = joined.finish()
  if (head === null || policies === null)
    throw new SallyportError('bundle-corrupt', 'the bundle lacks a part', { hash })
  return { version, head, apis, operations, policies }
}

/** The hash names a file, and may come from a record. */
function fileOf({ bundles }: Store, hash: string): string {
  if (/^[0-9a-f]{64}$/.test(hash)) return bundleFile(bundles, hash)
  throw new SallyportError('bundle-unknown', 'a bundle is named by the 64 hex digits of its hash')
}
