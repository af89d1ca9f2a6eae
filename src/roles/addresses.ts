import { lookup } from 'node:dns/promises'
import type { ApiPlan } from '../model/bundle.ts'
import type { AddressTable } from '../model/channel.ts'
import { isMappedIpv4, parseIp } from '../syntax/ip.ts'
import type { UrlNames } from './url-names.ts'

const EVERY_MS = 30_000

type Address = AddressTable[string][number]

/** Control's resolver: gate threads never ask DNS themselves. A name that stops resolving keeps its last addresses. */
export class Addresses {
  readonly #publish: (table: AddressTable) => void
  readonly #say: (text: string) => void
  #hosts: readonly string[] = []
  #table: Record<string, readonly Address[]> = {}
  readonly #unresolved = new Set<string>()
  readonly #urlNames: UrlNames | null
  #timer: NodeJS.Timeout | null = null

  /** `urlNames`: resolved at the same times, for the rules about URLs in requests. */
  constructor(
    publish: (table: AddressTable) => void,
    say: (text: string) => void,
    urlNames: UrlNames | null = null,
  ) {
    this.#publish = publish
    this.#urlNames = urlNames
    this.#say = say
  }

  /** Takes the upstreams and decision sources of a bundle and resolves them before it is used. */
  async update(apis: readonly ApiPlan[]): Promise<void> {
    const origins = apis.flatMap(({ upstream, signals = [] }) => [upstream, ...signals])
    this.#hosts = [...new Set(origins.map(({ origin }) => hostOf(origin)))]
    await Promise.all([this.#resolve(), this.#urlNames?.update(apis)])
    this.#timer ??= setInterval(() => {
      void this.#resolve()
      void this.#urlNames?.resolve()
    }, EVERY_MS).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  async #resolve(): Promise<void> {
    const before = JSON.stringify(this.#table)
    const table: Record<string, readonly Address[]> = {}
    await Promise.all(
      this.#hosts.map(async (host) => {
        const found = await resolve(host)
        this.#tell(host, found.length > 0)
        table[host] = found.length > 0 ? found : (this.#table[host] ?? [])
      }),
    )
    for (const host of this.#unresolved) if (table[host] === undefined) this.#unresolved.delete(host)
    this.#table = table
    if (JSON.stringify(table) !== before) this.#publish(table)
  }

  /** Once when it is lost and once when it is found again, not at every look. */
  #tell(host: string, resolves: boolean): void {
    if (resolves && this.#unresolved.delete(host)) this.#say(`the upstream host ${host} resolves again`)
    if (resolves || this.#unresolved.has(host)) return
    this.#unresolved.add(host)
    this.#say(`the upstream host ${host} does not resolve`)
  }
}

async function resolve(host: string): Promise<readonly Address[]> {
  const literal = parseIp(host)
  if (literal !== null) return [{ address: literal.text, family: isMappedIpv4(literal.bytes) ? 4 : 6 }]
  if (host === 'localhost')
    return [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]
  try {
    const found = await lookup(host, { all: true, verbatim: true })
    return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
  } catch {
    return []
  }
}

function hostOf(origin: string): string {
  const { hostname } = new URL(origin)
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}
