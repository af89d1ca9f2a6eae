import { resolve } from 'node:path'
import { isMap, parseDocument } from 'yaml'
import { beside } from './api-files.ts'
import { readTextFile } from './files.ts'
import { localPath } from './forms.ts'
import { readConfig } from './read.ts'

const MAX_CONFIG_BYTES = 1_048_576

/**
 * The store's folder, absolute, as the file states it, whatever else is wrong in it: a token must be revocable while
 * the configuration is half edited.
 * @throws {ConfigError} as `readConfig`, where the file does not state it.
 */
export function readStoreFolder(file: string): string {
  const read = readTextFile(file, MAX_CONFIG_BYTES)
  const stated = localPath.safeParse(read.ok ? statedStore(read.text) : undefined)
  return stated.success ? resolve(beside(file, stated.data)) : readConfig(file).store
}

function statedStore(text: string): unknown {
  try {
    const { contents } = parseDocument(text, { uniqueKeys: false, stringKeys: true, logLevel: 'silent' })
    return isMap(contents) ? contents.get('store') : undefined
  } catch {
    // Nested too deeply to be a configuration.
    return undefined
  }
}
