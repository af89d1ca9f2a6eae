import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/**
 * The folder of outside test material (`SALLYPORT_FIXTURES`, default ../shared/fixtures), or null where it is
 * absent: a suite then says so and is skipped, or fails under `SALLYPORT_REQUIRE_ALL`, as in CI.
 */
export function fixturesDir(): string | null {
  const dir = resolve(
    process.env['SALLYPORT_FIXTURES'] ?? resolve(import.meta.dirname, '../../shared/fixtures'),
  )
  if (existsSync(dir)) return dir
  if (process.env['SALLYPORT_REQUIRE_ALL'])
    throw new Error(`fixtures are required but ${dir} is absent: set SALLYPORT_FIXTURES`)
  console.warn(`skipped: no fixtures at ${dir}; set SALLYPORT_FIXTURES to the folder that holds them`)
  return null
}
