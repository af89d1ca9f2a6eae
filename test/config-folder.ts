import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface ConfigFolder {
  readonly path: string
  at(name: string): string
  /** Writes files by name, folders made as needed; returns the path of the first. */
  write(files: Readonly<Record<string, string | Uint8Array>>): string
  remove(): void
}

/** A temporary folder of configuration files. */
export function configFolder(): ConfigFolder {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-config-'))
  const at = (name: string) => join(path, name)
  return {
    path,
    at,
    write(files) {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(at(name)), { recursive: true })
        writeFileSync(at(name), content)
      }
      return at(Object.keys(files)[0] ?? '')
    },
    remove: () => rmSync(path, { recursive: true }),
  }
}
