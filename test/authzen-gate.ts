import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decisionPoint } from '../src/enforcement/entrances/decision-points.ts'
import type { DecisionPointSettings } from '../src/model/channel.ts'
import type { Upstream } from '../src/model/ports.ts'
import { systemRandom } from '../src/roles/system.ts'
import { keyedDigest } from '../src/store/store-keys.ts'
import { type ConfigFolder, configFolder } from './config-folder.ts'
import { freePort } from './e2e/proxies.ts'
import { type MemoryGate, memoryGate, memoryUpstream } from './memory-gate.ts'

/** A gate in this process that is asked over a real socket, as AuthZEN's applications do. */
export interface AuthzenGate extends MemoryGate {
  readonly url: string
  readonly folder: ConfigFolder
  ask(path: string, body: unknown, init?: RequestInit): Promise<Asked>
  stop(): Promise<void>
}

export interface Asked {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

export const TOKEN = 'a-token-of-the-application'
export const ORIGIN = 'https://pdp.example'

const FILES = join(import.meta.dirname, 'authzen')

/** The policies and schema of a domain under test/authzen. */
export function domainFiles(name: string): Readonly<Record<string, string>> {
  const files = [`${name}.cedarschema`, `${name}/${name}.cedar`]
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(FILES, file), 'utf8')]))
}

export async function authzenGate(options: {
  /** Main file and all it names. */
  readonly files: Readonly<Record<string, string>>
  readonly defaultDomain: string
  readonly credentials?: readonly string[]
  readonly upstream?: Upstream
}): Promise<AuthzenGate> {
  const folder = configFolder()
  const config = folder.write(options.files)
  const made = memoryGate({
    config,
    upstream: options.upstream ?? memoryUpstream(() => ({ status: 500 })),
    keys: {},
  })
  const digest = keyedDigest(new Uint8Array(32).fill(7), 'body')
  const gate: MemoryGate = { ...made, gate: { ...made.gate, digest } }
  const port = await freePort()
  const settings: DecisionPointSettings = {
    kind: 'authzen',
    key: 'decisionPoints.authzen',
    host: '127.0.0.1',
    port,
    peers: ['127.0.0.0/8'],
    bodies: 'deny',
    origin: ORIGIN,
    credentials: (options.credentials ?? [TOKEN]).map((token) =>
      createHash('sha256').update(token).digest('hex'),
    ),
    defaultDomain: options.defaultDomain,
  }
  const point = decisionPoint(settings, { gate: gate.gate, random: systemRandom() }, 32_768)
  await point.listen(false)
  const url = `http://127.0.0.1:${port}`
  return {
    ...gate,
    url,
    folder,
    ask: async (path, body, init = {}) => {
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}`, ...init.headers },
      })
      const text = await answer.text()
      return { status: answer.status, headers: answer.headers, body: text === '' ? null : JSON.parse(text) }
    },
    stop: async () => {
      await point.drain(500)
      gate.close()
      folder.remove()
    },
  }
}

export interface NamedEntity {
  readonly uid: { readonly type: string; readonly id: string }
  readonly attrs: Readonly<Record<string, unknown>>
  readonly parents: readonly never[]
}

export function entity(type: string, id: string, attrs: Readonly<Record<string, unknown>>): NamedEntity {
  return { uid: { type, id }, attrs, parents: [] }
}
