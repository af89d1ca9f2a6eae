import type { BundleHead } from '../model/bundle.ts'
import type { ContextInput } from '../model/decision.ts'
import { type Cidr, holdsAddress, parseCidr } from '../syntax/cidr.ts'
import { WallClock } from './wall-clock.ts'

type Surrounding = Pick<ContextInput, 'networks' | 'time'>

const NOTHING: Surrounding = Object.freeze({})

/**
 * What surrounds a call: the declared networks that hold its address, and the time of day where the gate's users live.
 * Made once per bundle; each fact is looked up only where that bundle's policies, or its records, ask for it.
 */
export class Surroundings {
  readonly #networks: readonly { readonly name: string; readonly blocks: readonly Cidr[] }[]
  readonly #clock: WallClock
  readonly #wantsNetworks: boolean
  readonly #wantsTime: boolean

  constructor(
    head: Pick<BundleHead, 'networks' | 'timeZone' | 'auditAttributes'>,
    reads: ReadonlySet<string>,
  ) {
    const wants = (path: string): boolean =>
      reads.has(path) || reads.has('context') || head.auditAttributes.includes(path)
    this.#networks = Object.entries(head.networks ?? {}).map(([name, texts]) => ({
      name,
      blocks: texts.flatMap((text) => parseCidr(text) ?? []),
    }))
    this.#clock = new WallClock(head.timeZone ?? 'UTC')
    this.#wantsNetworks = wants('context.networks')
    this.#wantsTime = wants('context.time')
  }

  /** What policies may read of the moment and the address, 16 bytes in network order. */
  of(address: Uint8Array, wallMs: number): Surrounding {
    if (!this.#wantsNetworks && !this.#wantsTime) return NOTHING
    return {
      ...(this.#wantsNetworks ? { networks: this.networksOf(address) } : {}),
      ...(this.#wantsTime ? { time: this.#clock.at(wallMs) } : {}),
    }
  }

  /** Names of the networks that hold the address, in the order of their names. */
  networksOf(address: Uint8Array): readonly string[] {
    const names: string[] = []
    for (const { name, blocks } of this.#networks) {
      for (const block of blocks) {
        if (!holdsAddress(block, address)) continue
        names.push(name)
        break
      }
    }
    return names
  }
}
