import { existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

const PARTS = resolve(import.meta.dirname, '../.tmp/parts')

/**
 * A real part that a suite runs against: a program on the PATH or below `.tmp/parts`, or null where it is absent: the
 * suite then says how to get it and is skipped, or fails under `SALLYPORT_REQUIRE_ALL`, as in CI.
 */
export function realPart(name: string, howToGetIt: string): string | null {
  const places = [
    join(PARTS, 'node_modules', '.bin'),
    join(PARTS, 'py', 'bin'),
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
  ]
  const found = places.map((place) => join(place, name)).find((file) => existsSync(file))
  if (found !== undefined) return found
  if (process.env['SALLYPORT_REQUIRE_ALL']) throw new Error(`${name} is required but absent: ${howToGetIt}`)
  console.warn(`skipped: ${name} is absent; ${howToGetIt}`)
  return null
}
