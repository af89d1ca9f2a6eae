import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parse } from 'yaml'
import { fixturesDir } from '../fixtures.ts'

export interface RealContract {
  readonly name: string
  read(): Record<string, unknown>
}

const OWN = ['hospital-3.1.yaml', 'telemetry-3.2.yaml', 'webshop-3.0.yaml']

/** The 28 published contracts of the fixtures; none where they are absent. */
export function publishedContracts(): readonly RealContract[] {
  const dir = fixturesDir()
  if (dir === null) return []
  const folder = join(dir, 'openapi-specs')
  const index = JSON.parse(readFileSync(join(folder, 'INDEX.json'), 'utf8')) as {
    name: string
    file: string
  }[]
  return index.map(({ name, file }) => ({
    name: nameOf(name),
    read: () =>
      JSON.parse(gunzipSync(readFileSync(join(folder, file))).toString('utf8')) as Record<string, unknown>,
  }))
}

/** Contracts of our own in the versions that the published ones lack. */
export function ownContracts(): readonly RealContract[] {
  return OWN.map((file) => ({
    name: nameOf(file.replace('.yaml', '')),
    read: () =>
      parse(readFileSync(resolve(import.meta.dirname, '../contracts', file), 'utf8')) as Record<
        string,
        unknown
      >,
  }))
}

const nameOf = (text: string): string => text.replace(/[^a-z0-9]/gi, '-')
