import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))

/** The program's version, as in its package. */
export const VERSION: string =
  typeof manifest === 'object' &&
  manifest !== null &&
  'version' in manifest &&
  typeof manifest.version === 'string'
    ? manifest.version
    : '0'
