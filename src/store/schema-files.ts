import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes each API's policy schema as `<store>/schema/<api>.cedarschema`, for people and their editors; the gate reads
 * none of them. Those of this very bundle are not made anew: a large contract's takes a third of a second.
 *
 * @throws what the file system says.
 */
export function writeSchemas(
  store: string,
  bundle: string,
  make: () => readonly { readonly api: string; readonly text: string }[],
): void {
  const folder = join(store, 'schema')
  const mark = join(folder, 'bundle')
  if (markOf(mark) === bundle) return
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const { api, text } of make()) replace(join(folder, `${api}.cedarschema`), text)
  replace(mark, bundle)
}

function markOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
