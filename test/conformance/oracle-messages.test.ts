import { afterAll, describe, expect, it } from 'vitest'
import { compare, type Tally } from '../oracle/compare.ts'
import { ownContracts, publishedContracts } from '../oracle/contracts.ts'
import { EFFORT, SEED } from '../oracle/effort.ts'
import { Judge } from '../oracle/judge.ts'
import { judgingPython } from '../oracle/python.ts'
import { upgrade } from '../oracle/upgrade.ts'

/**
 * JSON bodies of requests and answers of real contracts: what validators of others (Python's jsonschema, Rust's
 * jsonschema) accept, the gate accepts; what has one fault, it refuses. Both by at least 99.9 %.
 */
const python = judgingPython()
const published = publishedContracts()
const totals = new Map<string, Tally>()
let unclear = 0
let without = 0

function add(kind: string, { agreed, differed }: Tally): void {
  const total = totals.get(kind) ?? { agreed: 0, differed: 0 }
  totals.set(kind, { agreed: total.agreed + agreed, differed: total.differed + differed })
}

const cases = [
  ...published.map((each) => ({ ...each, as: 'as written' })),
  ...published.map((each) => ({ name: each.name, as: 'upgraded to 3.1', read: () => upgrade(each.read()) })),
  ...ownContracts().map((each) => ({ ...each, as: 'our own' })),
]

describe.skipIf(published.length === 0 || python === null)('messages beside other validators', () => {
  const judge = python === null ? null : new Judge(python)
  afterAll(() => {
    judge?.close()
    const text = [...totals]
      .map(([kind, { agreed, differed }]) => `${kind} ${agreed}/${agreed + differed}`)
      .join(', ')
    console.log(
      `judged alike: ${text}; ${unclear} left out where the two differ, ${without} messages without a value`,
    )
  })

  it.each(cases)(
    '$name, $as',
    async ({ name, read }) => {
      if (judge === null) return
      const compared = await compare(name, read(), judge, { seed: SEED, bothEvery: 10, ...EFFORT.messages })
      add('valid', compared.valid)
      for (const [kind, tally] of Object.entries(compared.faulty)) add(kind, tally)
      unclear += compared.unclear
      without += compared.without
      expect(compared.differences.slice(0, 5)).toEqual([])
    },
    EFFORT.timeoutMs,
  )
})
