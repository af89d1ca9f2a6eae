import { readConfig } from '../config/read.ts'
import type { Hints } from './hints.ts'

/** @throws {ConfigError} for a configuration that cannot be read. */
export function readHints(file: string): Hints {
  const { config, apis } = readConfig(file)
  return {
    issuers: Object.entries(config.identity.issuers).map(([name, { issuer }]) => ({ name, iss: issuer })),
    withoutIdentity: new Set(
      apis.filter(({ settings }) => settings.identity === undefined).map(({ name }) => name),
    ),
  }
}
