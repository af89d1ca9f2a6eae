import { readRecords } from '../audit/read.ts'
import { readConfig } from '../config/read.ts'
import { readStoreFolder } from '../config/store-folder.ts'
import type { BundleActions, ListedBundle, ShownBundle } from '../management/bundle-actions.ts'
import { isFault } from '../model/errors.ts'
import { findVersion, listVersions } from '../store/bundle-versions.ts'
import { type DataDirectory, readDataDirectory } from '../store/data-directory.ts'
import { readInForce } from '../store/in-force-journal.ts'
import { keyOf, readStoredBundle, verifyStoredBundle } from './open-bundle.ts'

/** Reads the store's bundles beside a running gate: nothing is locked or changed. */
export const bundleActions: BundleActions = {
  list: async (config, records) => {
    const directory = directoryOf(config)
    const counts = records ? await countRecords(directory) : null
    return listed(directory, counts)
  },
  show: async (config, asked) => {
    const directory = directoryOf(config)
    const { hash } = findVersion(listVersions(directory.bundles, keyOf(directory)), asked)
    return shown(directory, hash)
  },
  verify: async (config, asked) => {
    const directory = directoryOf(config)
    const found = listVersions(directory.bundles, keyOf(directory))
    const hashes = asked === null ? found.map(({ hash }) => hash) : [findVersion(found, asked).hash]
    return hashes.map((hash) => {
      try {
        const { version } = verifyStoredBundle(directory, hash)
        return { hash, version, ok: true, problem: '' }
      } catch (error) {
        if (!isFault(error)) throw error
        const version = found.find((each) => each.hash === hash)?.stated?.version ?? null
        return { hash, version, ok: false, problem: error.message }
      }
    })
  },
}

function directoryOf(config: string): DataDirectory {
  try {
    return readDataDirectory(readStoreFolder(config))
  } catch (error) {
    // What is wrong with the configuration is told in full.
    if (isFault(error, 'config-invalid')) readConfig(config)
    throw error
  }
}

function listed(directory: DataDirectory, counts: ReadonlyMap<string, number> | null): ListedBundle[] {
  const key = keyOf(directory)
  const { changes } = readInForce(directory.bundles, key)
  const now = changes.at(-1)?.hash
  const before = changes.findLast(({ hash }) => hash !== now)?.hash
  return listVersions(directory.bundles, key).map((found) => ({
    hash: found.hash,
    version: found.stated?.version ?? null,
    at: found.stated?.at ?? 0,
    by: found.stated?.by ?? '',
    why: found.stated?.why ?? '',
    inForce: found.hash === now,
    before: found.hash === before,
    records: counts === null ? null : (counts.get(found.hash) ?? 0),
    problem: found.stated === null ? found.problem : '',
  }))
}

function shown(directory: DataDirectory, hash: string): ShownBundle {
  const { version, apis, head, operations } = readStoredBundle(directory, hash)
  const [own] = listed(directory, null).filter((each) => each.hash === hash)
  const { changes } = readInForce(directory.bundles, keyOf(directory))
  return {
    ...(own ?? { inForce: false, before: false, records: null, problem: '' }),
    hash,
    version: version.version,
    at: version.at,
    by: version.by,
    why: version.why,
    config: version.config,
    apis: apis.map(({ name, mode }) => ({
      name,
      mode,
      operations: operations.filter(({ api }) => api === name).length,
    })),
    issuers: head.issuers.map(({ name }) => name),
    policies: version.policies,
    tests: version.tests,
    changes: changes.filter((change) => change.hash === hash).map(({ at, by, why }) => ({ at, by, why })),
  }
}

/** Sealed parts stay closed: which bundle judged is not one. */
async function countRecords({ audit }: DataDirectory): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for await (const { intent } of readRecords(audit, { storeKey: null }))
    counts.set(intent.bundle, (counts.get(intent.bundle) ?? 0) + 1)
  return counts
}
