import { lookup } from 'node:dns/promises'
import type { ApiPlan } from '../model/bundle.ts'
import type { UrlNameState, UrlNameTable } from '../model/channel.ts'
import { parseIp } from '../syntax/ip.ts'
import { isPublicAddress } from '../syntax/special-addresses.ts'
import { systemClock } from './system.ts'

/** How long a name that no longer resolves keeps what it last resolved to. */
const MAX_STALE_MS = 3_600_000

export interface UrlNamePorts {
  publish(table: UrlNameTable): void
  say(text: string): void
  /** Monotonic ms. */
  now(): number
  /** Texts of all addresses; rejects where there are none. */
  lookup(name: string): Promise<readonly string[]>
}

export function systemUrlNames(publish: UrlNamePorts['publish'], say: UrlNamePorts['say']): UrlNames {
  return new UrlNames({
    publish,
    say,
    now: () => systemClock.now().monoMs,
    lookup: async (name) => (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address),
  })
}

interface Known {
  readonly state: 'public' | 'private'
  readonly at: number
}

/**
 * What the names that URL rules list resolve to: control asks, gates are told. One address inside a network makes a
 * name private, since whoever calls it later may get that one.
 */
export class UrlNames {
  readonly #ports: UrlNamePorts
  readonly #known = new Map<string, Known>()
  /** Said of once, until they resolve again. */
  readonly #lost = new Set<string>()
  #names: readonly string[] = []
  #published = ''

  constructor(ports: UrlNamePorts) {
    this.#ports = ports
  }

  async update(apis: readonly Pick<ApiPlan, 'urlNames'>[]): Promise<void> {
    this.#names = [...new Set(apis.flatMap(({ urlNames = [] }) => urlNames))].sort()
    for (const name of this.#known.keys()) if (!this.#names.includes(name)) this.#known.delete(name)
    for (const name of this.#lost) if (!this.#names.includes(name)) this.#lost.delete(name)
    await this.resolve()
  }

  /** Asks for all of them; control calls it every 30 seconds. */
  async resolve(): Promise<void> {
    if (this.#names.length === 0 && this.#published === '') return
    await Promise.all(this.#names.map((name) => this.#look(name)))
    const table: Record<string, UrlNameState> = Object.create(null)
    for (const name of this.#names) {
      const known = this.#known.get(name)
      if (known !== undefined) table[name] = known.state
    }
    const text = JSON.stringify(table)
    if (text === this.#published) return
    this.#published = text
    this.#ports.publish(table)
  }

  async #look(name: string): Promise<void> {
    const before = this.#known.get(name)
    let found: readonly string[] = []
    try {
      found = await this.#ports.lookup(name)
    } catch {
      // What it last was counts for a while.
    }
    if (found.length > 0) {
      const state = found.every(isPublic) ? 'public' : 'private'
      this.#known.set(name, { state, at: this.#ports.now() })
      this.#lost.delete(name)
      if (before?.state !== state && (before !== undefined || state === 'private'))
        this.#ports.say(
          `the listed URL host ${name} is ${state} now${state === 'private' ? ': URLs that name it are refused' : ''}`,
        )
      return
    }
    if (before !== undefined && this.#ports.now() - before.at < MAX_STALE_MS) return
    this.#known.delete(name)
    if (this.#lost.has(name)) return
    this.#lost.add(name)
    this.#ports.say(`the listed URL host ${name} does not resolve: URLs that name it are refused`)
  }
}

function isPublic(text: string): boolean {
  const address = parseIp(text)
  return address !== null && isPublicAddress(address.bytes)
}
