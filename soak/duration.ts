import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** How long each soak runs, in seconds: ten minutes, or `SALLYPORT_SOAK_SECONDS`. */
export const SOAK_SECONDS = Number(process.env['SALLYPORT_SOAK_SECONDS'] ?? 600)

/** Dated results are committed; short runs, such as CI's, leave none. */
export function keepResult(name: string, result: Readonly<Record<string, unknown>>): void {
  console.log(`${name}: ${JSON.stringify(result)}`)
  if (SOAK_SECONDS < 60) return
  const folder = join(import.meta.dirname, 'results')
  mkdirSync(folder, { recursive: true })
  const date = new Date().toISOString().slice(0, 10)
  writeFileSync(
    join(folder, `${date}-${name}.json`),
    `${JSON.stringify({ date, seconds: SOAK_SECONDS, node: process.version, ...result }, null, 2)}\n`,
  )
}
