import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CallMaker, type MadeCall } from '../../src/assurance/generate/call.ts'
import { Chance } from '../../src/assurance/generate/chance.ts'
import type { RawSchema } from '../../src/assurance/generate/schema-view.ts'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { opposes } from '../../src/model/reason.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { type MemoryGate, memoryGate, memoryUpstream } from '../memory-gate.ts'
import { testKey } from '../token-issuer.ts'
import type { Tally } from './compare.ts'
import type { Judge } from './judge.ts'
import { operationsOf } from './operations.ts'
import { writeGate } from './through-gate.ts'
import { at, directed, upgrade } from './upgrade.ts'

export interface CallDifference {
  readonly api: string
  readonly kind: string
  readonly place: string
  readonly call: MadeCall
  readonly gate: string
}

export interface ComparedCalls {
  readonly operations: number
  readonly valid: Tally
  readonly faulty: Record<string, Tally>
  readonly differences: readonly CallDifference[]
}

/** Whole requests through the whole page in memory: those the other validator accepts must reach the upstream. */
export async function compareCalls(
  api: string,
  document: Record<string, unknown>,
  judge: Judge,
  effort: {
    readonly seed: number
    readonly operations: number
    readonly calls: number
    readonly faults: number
  },
): Promise<ComparedCalls> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-oracle-'))
  try {
    const { config, open } = writeGate(folder, api, document)
    const old = String(open['openapi']).startsWith('3.0')
    const file = join(folder, 'judged.json')
    writeFileSync(file, JSON.stringify(directed(old ? upgrade(open) : open, 'request')))
    await judge.read(file)
    const chance = new Chance(effort.seed)
    const maker = new CallMaker({ old, resolve: (ref) => at(open, ref) as RawSchema | undefined }, chance)
    const upstream = memoryUpstream(() => ({ status: 204 }))
    const keys = { corp: { iss: 'https://idp.example', keys: [testKey('ES256')] } }
    const memory = memoryGate({ config, upstream, keys })
    const valid: Tally = { agreed: 0, differed: 0 }
    const faulty: Record<string, Tally> = {}
    const differences: CallDifference[] = []
    const count = (
      tally: Tally,
      agrees: boolean,
      kind: string,
      place: string,
      call: MadeCall,
      gate: string,
    ): void => {
      if (agrees) tally.agreed++
      else {
        tally.differed++
        differences.push({ api, kind, place, call, gate })
      }
    }
    const all = operationsOf(open)
    const every = Math.max(1, Math.ceil(all.length / effort.operations))
    const chosen = all.filter((_, index) => index % every === 0)
    for (const operation of chosen) {
      for (let i = 0; i < effort.calls; i++) {
        const made = maker.make(operation)
        if (made === null || !(await accepts(judge, made.call.values))) continue
        const gate = await played(memory, made.call, upstream.requests)
        count(valid, gate === '', 'valid', '', made.call, gate)
        const faults = [...made.faults]
        for (let j = 0; j < effort.faults && faults.length > 0; j++) {
          const [fault] = faults.splice(chance.whole(0, faults.length - 1), 1)
          if (fault === undefined) break
          if (fault.judge !== null && (await accepts(judge, [fault.judge]))) continue
          const said = await played(memory, fault.call, upstream.requests)
          const tally = faulty[fault.kind] ?? { agreed: 0, differed: 0 }
          faulty[fault.kind] = tally
          count(tally, said !== '', fault.kind, fault.place, fault.call, said || 'forwarded')
        }
      }
    }
    memory.close()
    return { operations: chosen.length, valid, faulty, differences }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A schema it cannot read is no verdict against the value. */
async function accepts(judge: Judge, values: MadeCall['values']): Promise<boolean> {
  for (const { pointer, value } of values) {
    const judged = await judge.ask(pointer, [value], false)
    if (!('unreadable' in judged) && judged.fast[0] !== true) return false
  }
  return true
}

/** Why the call did not reach the upstream; empty: it did. */
async function played(memory: MemoryGate, call: MadeCall, requests: readonly unknown[]): Promise<string> {
  const before = requests.length
  const { method, target, fields, body } = call
  await callInMemory(memory.gate, systemRandom(), {
    method,
    target,
    fields,
    ...(body === null ? {} : { body: Buffer.from(body) }),
  })
  const reasons = [...memory.audit.intents.values()]
    .flatMap(({ decisions }) => decisions.flatMap((decision) => decision.reasons))
    .filter(({ code }) => opposes(code))
    .map(({ code, forCaller }) => `${code} ${forCaller ?? ''}`.trim())
  memory.audit.intents.clear()
  memory.audit.outcomes.clear()
  return requests.length > before ? '' : reasons.join('; ') || 'not forwarded'
}
