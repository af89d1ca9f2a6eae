import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes each API's policy schema as `<store>/schema/<api>.cedarschema`, for people and their editors; nothing reads
 * them back. @throws what the file system says.
 */
export function writeSchemas(
  store: string,
  schemas: readonly { readonly api: string; readonly text: string }[],
): void {
  const folder = join(store, 'schema')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const { api, text } of schemas) {
    const file = join(folder, `${api}.cedarschema`)
    writeFileSync(`${file}.new`, text, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
}
