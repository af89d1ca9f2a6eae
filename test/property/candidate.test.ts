import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OutcomeEntry } from '../../src/model/record.ts'
import type { ConfigFolder } from '../config-folder.ts'
import type { MemoryGate } from '../memory-gate.ts'
import { CALLS, gateOf, outcomeOf, SETTINGS, settingsFolder, tokens } from '../settings-gate.ts'

// What a candidate says beside the bundle in force is what it does when it is in force itself.

let folder: ConfigFolder
beforeAll(() => {
  folder = settingsFolder()
})
afterAll(() => folder.remove())

const gates: MemoryGate[] = []
const alone = new Map<string, MemoryGate>()
afterAll(() => {
  for (const gate of gates) gate.close()
})

function opened(name: string, beside?: string): MemoryGate {
  const gate = gateOf(folder, name, beside)
  gates.push(gate)
  return gate
}

describe('a candidate beside the bundle in force', () => {
  const names = [
    'plain',
    'staff',
    'nobody',
    'scoped',
    'strict',
    'audience',
    'groups',
    'maker',
    'observed',
    'watched',
    'moved',
    'fewfields',
  ]
  const pairs = ['plain', 'staff', 'nobody', 'maker', 'observed'].flatMap((live) =>
    names.filter((other) => other !== live).map((other) => [live, other] as const),
  )

  it.each(pairs)('%s: says of %s what that does', async (live, other) => {
    const beside = opened(live, other)
    const real = alone.get(other) ?? opened(other)
    alone.set(other, real)
    const observed = SETTINGS[live]?.mode === 'observe' && SETTINGS[other]?.mode === 'observe'
    const wrong: unknown[] = []
    let undecided = 0
    for (const token of tokens()) {
      for (const call of CALLS) {
        const [said, did] = [await outcomeOf(beside, token, call), await outcomeOf(real, token, call)]
        const { candidate } = said
        if (candidate === undefined) throw new Error('the candidate was not asked')
        if (candidate.undecided) {
          undecided++
          // Only of calls that ended before what would have decided, and of objects looked up by another rule.
          if (
            said.action === 'forwarded' &&
            !said.wouldDeny &&
            (SETTINGS[live]?.owner === SETTINGS[other]?.owner || call[0] !== 'DELETE')
          )
            wrong.push(['undecided', call, candidate])
          continue
        }
        const refuses = (outcome: OutcomeEntry) =>
          outcome.action === 'refused' || (observed && outcome.wouldDeny)
        const [expected, before] = [refuses(did), refuses(said)]
        // What the upstream would have answered to a call that ended before it, nobody knows.
        if (before && did.decisions.at(-1)?.reasons[0]?.code.startsWith('response-')) continue
        if ((candidate.effect !== 'allow') !== expected || candidate.changed !== (expected !== before))
          wrong.push(
            [
              ...call,
              token?.length,
              candidate.effect,
              candidate.changed,
              candidate.reasons[0]?.code,
              'live',
              said.action,
              said.wouldDeny,
              'real',
              did.action,
              did.wouldDeny,
              did.decisions.at(-1)?.reasons[0]?.code,
            ].join(' '),
          )
      }
    }
    expect(wrong).toEqual([])
    expect(undecided).toBeLessThan(CALLS.length * 8)
    expect([...beside.faults, ...real.faults].filter(({ stage }) => stage === 'candidate')).toEqual([])
  })

  it('changes nothing of the call, whatever goes wrong in it', async () => {
    const gate = opened('plain', 'staff')
    const [token] = tokens().slice(1)
    const counted: string[] = []
    const broken = {
      ...gate.gate,
      candidateTokens: {
        verify: () => {
          throw new TypeError('spoilt')
        },
      } as never,
      count: (name: string, _by: number, ...labels: readonly string[]) =>
        void counted.push([name, ...labels].join()),
    }
    const outcome = await outcomeOf({ ...gate, gate: broken }, token ?? null, ['GET', '/v1/things/a'])
    expect([outcome.action, outcome.candidate]).toEqual(['forwarded', undefined])
    expect(counted).toContain('sallyport_candidate_total,failed')
    expect(gate.faults).toMatchObject([{ stage: 'candidate' }])
  })
})
