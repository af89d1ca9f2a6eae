#!/usr/bin/env node
// Plain JavaScript on purpose: an older Node must be able to read it and hand over to the one the project brings.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'src', 'main.ts')
const entry = existsSync(source) ? source : join(root, 'dist', 'main.js')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 24 || (major === 24 && minor >= 15)) {
  process.argv[1] = entry
  await import(entry)
} else {
  const brought = [join(root, 'node_modules', '.bin', 'node'), join(root, '..', '.bin', 'node')].find(
    existsSync,
  )
  if (brought === undefined) {
    process.stderr.write(`sallyport needs Node.js 24.15 or newer; this is ${process.versions.node}.\n`)
    process.exit(2)
  }
  const child = spawn(brought, [entry, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 128 + 15 : (code ?? 1)))
}
