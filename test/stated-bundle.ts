import { BundleVersions } from '../src/store/bundle-versions.ts'
import type { DataDirectory } from '../src/store/data-directory.ts'
import { openSigningKey } from '../src/store/store-keys.ts'

/** Signs a bundle that was written to a store, as control does with those it compiles. */
export function stateBundle(directory: DataDirectory, hash: string): void {
  const made = {
    at: 1,
    by: 'test',
    why: 'start',
    config: hash,
    policies: 0,
    tests: 0,
    startOnly: {},
  } as const
  new BundleVersions(directory.bundles, openSigningKey(directory, 'bundle')).admit({ hash, ...made })
}
