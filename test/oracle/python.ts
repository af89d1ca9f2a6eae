import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { realPart } from '../parts.ts'

const HOW =
  'python3 -m venv .tmp/parts/py && .tmp/parts/py/bin/pip install schemathesis==4.32.5 "jsonschema[format]==4.26.0"'

/** The Python that has schemathesis (and with it Rust's jsonschema) and Python's jsonschema; null where they are absent. */
export function judgingPython(): string | null {
  const parts = [realPart('schemathesis', HOW), realPart('jsonschema', HOW)]
  const folders = new Set(parts.map((part) => (part === null ? null : dirname(part))))
  const [folder] = folders
  if (folder === null || folder === undefined || folders.size > 1) return null
  const python = join(folder, 'python')
  return existsSync(python) ? python : null
}
