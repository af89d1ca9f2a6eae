import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Chance } from '../../src/assurance/generate/chance.ts'
import { faultsOf } from '../../src/assurance/generate/fault.ts'
import type { Dialect, RawSchema } from '../../src/assurance/generate/schema-view.ts'
import { ValueMaker } from '../../src/assurance/generate/value.ts'
import { compileContract } from '../../src/contract/compile.ts'
import { ContractBuilder, type Operation } from '../../src/contract/instantiate.ts'
import { API } from '../contract-instance.ts'
import type { Judge } from './judge.ts'
import { type Message, messagesOf } from './messages.ts'
import { at, directed, upgrade } from './upgrade.ts'

/** How many were judged alike, and how many otherwise. */
export interface Tally {
  agreed: number
  differed: number
}

export interface Difference {
  readonly api: string
  readonly operation: string
  readonly pointer: string
  /** `valid`, or the fault. */
  readonly kind: string
  readonly path: string
  readonly gate: string
  readonly value: unknown
}

export interface Compared {
  readonly messages: number
  /** Messages for which no valid value was found, or whose schema the judge cannot read. */
  readonly without: number
  readonly valid: Tally
  readonly faulty: Record<string, Tally>
  /** The two other validators differ from one another. */
  readonly unclear: number
  readonly differences: readonly Difference[]
}

export interface Effort {
  readonly seed: number
  /** Valid values tried for each message. */
  readonly values: number
  /** Faults tried for each value. */
  readonly faults: number
  /** Every how many messages the slow validator is asked too. */
  readonly bothEvery: number
  /** At most so many messages, spread over the contract. */
  readonly messages: number
}

interface Trial {
  readonly kind: string
  readonly path: string
  readonly value: unknown
  readonly sealed: boolean
}

/**
 * Generates values for every JSON body of a contract, has other validators say which of them its schemas accept, and
 * compares with what the gate says. `asWritten`: the document as the gate is given it.
 */
export async function compare(
  api: string,
  asWritten: Record<string, unknown>,
  judge: Judge,
  effort: Effort,
): Promise<Compared> {
  const operations = operationsOf(api, asWritten)
  const old = String(asWritten['openapi']).startsWith('3.0')
  const modern = old ? upgrade(asWritten) : asWritten
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-oracle-'))
  const chance = new Chance(effort.seed)
  const faulty: Record<string, Tally> = {}
  const valid: Tally = { agreed: 0, differed: 0 }
  const differences: Difference[] = []
  let without = 0
  let unclear = 0
  let asked = 0
  try {
    const all = messagesOf(asWritten, api)
    const every = Math.max(1, Math.ceil(all.length / effort.messages))
    for (const direction of ['request', 'answer'] as const) {
      const file = join(folder, `${direction}.json`)
      writeFileSync(file, JSON.stringify(directed(modern, direction)))
      await judge.read(file)
      const dialect: Dialect = {
        old,
        direction,
        resolve: (ref) => at(asWritten, ref) as RawSchema | undefined,
      }
      const maker = new ValueMaker(dialect, chance)
      for (const [index, message] of all.entries()) {
        const operation = operations.get(message.operation)
        if (message.direction !== direction || index % every !== 0 || operation === undefined) continue
        const trials = trialsOf(message, maker, dialect, chance, effort)
        const both = asked++ % effort.bothEvery === 0
        const judged =
          trials.length === 0
            ? null
            : await judge.ask(
                message.pointer,
                trials.map(({ value }) => value),
                both,
              )
        if (judged === null || 'unreadable' in judged) {
          without++
          continue
        }
        for (const [at, trial] of trials.entries()) {
          const fits = judged.fast[at] === true
          if (judged.slow !== null && judged.slow[at] !== fits) {
            unclear++
            continue
          }
          // What others take, or cannot seal: no verdict on it from them.
          const expected = trial.kind === 'valid' ? true : trial.sealed ? false : fits ? null : false
          if (expected === null || (trial.kind === 'valid' && !fits)) continue
          const said = gateSays(operation, message, trial.value)
          const tally = trial.kind === 'valid' ? valid : tallyOf(faulty, trial.kind)
          if ((said === '') === expected) tally.agreed++
          else {
            tally.differed++
            const { kind, path, value } = trial
            const { operation: name, pointer } = message
            differences.push({ api, operation: name, pointer, kind, path, gate: said || 'accepted', value })
          }
        }
      }
    }
    return { messages: Math.ceil(all.length / every), without, valid, faulty, unclear, differences }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function tallyOf(tallies: Record<string, Tally>, kind: string): Tally {
  const tally = tallies[kind] ?? { agreed: 0, differed: 0 }
  tallies[kind] = tally
  return tally
}

function trialsOf(
  message: Message,
  maker: ValueMaker,
  dialect: Dialect,
  chance: Chance,
  effort: Effort,
): readonly Trial[] {
  const trials: Trial[] = []
  for (let i = 0; i < effort.values; i++) {
    const made = maker.make(message.schema)
    if (made === null) continue
    trials.push({ kind: 'valid', path: '', value: made.value, sealed: false })
    const faults = [...faultsOf(made.value, made.spots, dialect, chance)]
    for (let j = 0; j < effort.faults && faults.length > 0; j++) {
      const [fault] = faults.splice(chance.whole(0, faults.length - 1), 1)
      if (fault === undefined) break
      const { kind, value, path } = fault
      trials.push({ kind, path: path.join('/'), value, sealed: kind === 'extra-field' })
    }
  }
  return trials
}

/** What speaks against the message; empty: nothing. */
function gateSays(operation: Operation, { direction, type, status }: Message, value: unknown): string {
  const bytes = Buffer.from(JSON.stringify(value))
  if (direction === 'request') {
    const said = [operation.checkBody(type, bytes)]
      .flat()
      .flatMap((each) => ('findings' in each ? each.findings : each))
    return said.map(({ reason }) => `${reason.code} ${reason.forCaller ?? ''}`).join('; ')
  }
  const { findings, dropped } = operation.checkAnswer(status, type, bytes)
  return [
    ...findings.map(({ reason }) => `${reason.code} ${reason.forCaller ?? ''}`),
    ...dropped.map((each) => `dropped ${typeof each === 'string' ? each : JSON.stringify(each)}`),
  ].join('; ')
}

function operationsOf(api: string, document: Record<string, unknown>): ReadonlyMap<string, Operation> {
  const text = JSON.stringify(document)
  const compiled = compileContract({ api, text, file: `${api}.json`, objects: {}, credential: 'replace' })
  const builder = new ContractBuilder({ ...API, name: api })
  for (const { name, source } of compiled.modules) builder.addModule(name, source)
  for (const operation of compiled.operations) builder.addOperation(operation)
  return builder.finish().operations
}
