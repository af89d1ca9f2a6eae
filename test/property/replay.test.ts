import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compare, replayRecord } from '../../src/decision/replay/judge-record.ts'
import type { ReplayBundle } from '../../src/decision/replay/replayed.ts'
import { reason } from '../../src/model/reason.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { bundleParts, compileBundle } from '../../src/roles/compile-bundle.ts'
import { readReplayBundle } from '../../src/roles/replay-bundle.ts'
import { writeBundle } from '../../src/store/bundle-files.ts'
import type { ConfigFolder } from '../config-folder.ts'
import type { MemoryGate } from '../memory-gate.ts'
import { CALLS, gateOf, outcomeOf, SETTINGS, settingsFolder, tokens } from '../settings-gate.ts'

// What a replay says of a recorded call is what happens to that call under the other bundle, or it says nothing.

let folder: ConfigFolder
beforeAll(() => {
  folder = settingsFolder()
})
const gates = new Map<string, MemoryGate>()
const bundles = new Map<string, ReplayBundle>()
afterAll(() => {
  for (const gate of gates.values()) gate.close()
  folder.remove()
})

function gate(name: string): MemoryGate {
  const found = gates.get(name) ?? gateOf(folder, name)
  gates.set(name, found)
  return found
}

function bundle(name: string): ReplayBundle {
  const known = bundles.get(name)
  if (known !== undefined) return known
  const { file, hash } = writeBundle(
    folder.path,
    bundleParts(compileBundle(join(folder.path, `${name}.yaml`))),
  )
  const read = readReplayBundle(file, hash)
  bundles.set(name, read)
  return read
}

async function recordOf(name: string, token: string | null, call: (typeof CALLS)[number]) {
  const { audit } = gate(name)
  const outcome = await outcomeOf(gate(name), token, call)
  const intent = audit.intents.get(outcome.id)
  if (intent === undefined) throw new Error('no intent')
  const place = { node: 'n', boot: 'b', thread: 0, sequence: 1 }
  const record: ExchangeRecord = { v: 1, place, intent: { ...intent, sealed: 'open' }, outcome, cut: null }
  return { record, acted: outcome.action === 'refused' ? 'deny' : 'allow' }
}

describe('a replay of what one configuration recorded by another', () => {
  const names = Object.keys(SETTINGS)
  const made = ['plain', 'observed', 'public', 'checkpoint', 'listed', 'stagepolicy', 'dropping', 'notingall']
  const pairs = made.flatMap((one) => names.map((other) => [one, other] as const))

  it.each(pairs)('%s by %s', async (one, other) => {
    const between = compare(bundle(one).outline, bundle(other))
    const wrong: string[] = []
    for (const token of tokens()) {
      for (const call of CALLS) {
        const [was, is] = [await recordOf(one, token, call), await recordOf(other, token, call)]
        const replayed = replayRecord(was.record, between)
        if (replayed.kind === 'undecidable') continue
        const said = replayed.kind === 'same' ? was.acted : replayed.to
        // What the recorded call did not get to is named, and may still refuse it.
        if (replayed.kind === 'changed' && said === 'allow' && replayed.unplayed.length > 0) continue
        if (said !== is.acted || (one === other && replayed.kind !== 'same'))
          wrong.push(`${call.join(' ')} ${token?.length}: ${replayed.kind}, ${said}, but ${is.acted}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('what a contract does not declare, under another rule for it', () => {
  const odd = ['POST', '/v1/things', '{"note":"fine","role":"admin"}'] as const
  const even = ['POST', '/v1/things', '{"note":"fine"}'] as const
  const told = async (one: string, other: string, call: (typeof CALLS)[number]): Promise<string> => {
    const { record } = await recordOf(one, tokens()[1] ?? null, call)
    return replayRecord(record, compare(bundle(one).outline, bundle(other))).kind
  }

  it('is never called the same', async () => {
    for (const [one, other] of [
      ['plain', 'dropping'],
      ['dropping', 'plain'],
      ['dropping', 'noting'],
      ['noting', 'opdropping'],
    ] as const) {
      expect(await told(one, other, odd), `${one} by ${other}`).toBe('undecidable')
      expect(await told(one, other, even), `${one} by ${other}`).toBe('same')
    }
    const wide = ['GET', '/v1/things/w'] as const
    for (const other of ['blocking', 'notingall'])
      expect(await told('plain', other, wide)).toBe('undecidable')
    expect(await told('plain', 'notingall', ['GET', '/v1/things/a'])).toBe('same')
  })
})

describe('a call that somebody else carries on', () => {
  const free = (made: string) => recordOf(made, null, ['GET', '/v1/free'])

  async function asked(made: string, by: string, refused: boolean) {
    const { record } = await free(made)
    const { intent, outcome } = record
    const [first] = intent.decisions
    if (first === undefined || outcome === null || outcome === 'unknown') throw new Error('no decision')
    const found = reason('field-not-strippable', 'hygiene', { fields: ['x-more'] })
    const decisions = [...intent.decisions, { ...first, effect: 'deny' as const, reasons: [found] as const }]
    const stated: ExchangeRecord = {
      ...record,
      intent: { ...intent, entrance: 'forward-auth', ...(refused ? { decisions } : {}) },
      outcome: refused ? { ...outcome, action: 'refused', effect: 'deny' } : outcome,
    }
    return replayRecord(stated, compare(bundle(made).outline, bundle(by)))
  }

  it('stays refused for its fields only where the other configuration looks at them alike', async () => {
    expect(await asked('plain', 'plain', true)).toEqual({ kind: 'same', effect: 'deny' })
    expect(await asked('plain', 'nobody', true)).toEqual({ kind: 'same', effect: 'deny' })
    expect(await asked('stripping', 'plain', true)).toEqual({
      kind: 'undecidable',
      missing: ['stripHeaders'],
    })
    expect(await asked('plain', 'observed', true)).toEqual({ kind: 'undecidable', missing: ['mode'] })
  })

  it('does not go on for sure where other fields are to be taken out', async () => {
    expect(await asked('plain', 'plain', false)).toEqual({ kind: 'same', effect: 'allow' })
    expect(await asked('plain', 'stripping', false)).toEqual({
      kind: 'undecidable',
      missing: ['stripHeaders'],
    })
  })
})
