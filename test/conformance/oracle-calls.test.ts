import { afterAll, describe, expect, it } from 'vitest'
import type { Tally } from '../oracle/compare.ts'
import { compareCalls } from '../oracle/compare-calls.ts'
import { ownContracts, publishedContracts } from '../oracle/contracts.ts'
import { EFFORT, SEED } from '../oracle/effort.ts'
import { Judge } from '../oracle/judge.ts'
import { judgingPython } from '../oracle/python.ts'

/**
 * Whole requests of real contracts through the whole page: those whose values other validators accept reach the
 * upstream, those with one fault in a parameter, its presence or the content type do not.
 */
const python = judgingPython()
const published = publishedContracts()
const totals = new Map<string, Tally>()

describe.skipIf(published.length === 0 || python === null)('requests beside other validators', () => {
  const judge = python === null ? null : new Judge(python)
  afterAll(() => {
    judge?.close()
    const text = [...totals]
      .map(([kind, { agreed, differed }]) => `${kind} ${agreed}/${agreed + differed}`)
      .join(', ')
    console.log(`judged alike: ${text}`)
  })

  it.each([...published, ...ownContracts()])(
    '$name',
    async ({ name, read }) => {
      if (judge === null) return
      const compared = await compareCalls(name, read(), judge, { seed: SEED, ...EFFORT.calls })
      for (const [kind, { agreed, differed }] of Object.entries({
        valid: compared.valid,
        ...compared.faulty,
      })) {
        const total = totals.get(kind) ?? { agreed: 0, differed: 0 }
        totals.set(kind, { agreed: total.agreed + agreed, differed: total.differed + differed })
      }
      expect(compared.differences.slice(0, 5)).toEqual([])
    },
    EFFORT.timeoutMs,
  )
})
