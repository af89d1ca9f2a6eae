import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { opposes, type ReasonCode } from '../../src/model/reason.ts'
import { publishedContracts } from '../oracle/contracts.ts'
import { CLAUSES, decidedBy } from '../oracle/decided.ts'
import { EFFORT, SEED } from '../oracle/effort.ts'
import { judgingPython } from '../oracle/python.ts'
import { throughGate } from '../oracle/through-gate.ts'

/** Calls that schemathesis makes of real contracts: where it and the gate differ, a clause decides, or the test fails. */
const python = judgingPython()
const published = publishedContracts()
const counts = { positive: [0, 0], negative: [0, 0] }
const decided = new Map<string, number>()

describe.skipIf(published.length === 0 || python === null)('calls of schemathesis', () => {
  afterAll(() => {
    const { positive, negative } = counts
    console.log(
      `as schemathesis says: positive ${positive.join('/')}, negative ${negative.join('/')}; decided: ${[...decided].map(([clause, times]) => `${clause} ${times}`).join(', ')}`,
    )
  })

  it.each(published)(
    '$name',
    async ({ name, read }) => {
      const { judged } = await throughGate(name, read(), python ?? '', {
        seed: SEED % 1_000,
        ...EFFORT.schemathesis,
      })
      const open: unknown[] = []
      for (const each of judged) {
        const alike = each.forwarded === (each.mode === 'positive')
        const count = counts[each.mode]
        count[0] = (count[0] ?? 0) + (alike ? 1 : 0)
        count[1] = (count[1] ?? 0) + 1
        if (alike) continue
        const opposing = each.reasons.filter((text) => opposes(text.split(' ', 1)[0] as ReasonCode))
        const clause = decidedBy(each, opposing)
        if (clause !== null) decided.set(clause, (decided.get(clause) ?? 0) + 1)
        else {
          const { mode, why, method, target, headers, body } = each
          open.push({
            mode,
            why,
            method,
            target,
            headers,
            opposing,
            body: body?.toString('latin1').slice(0, 300),
          })
        }
      }
      expect(open.slice(0, 3)).toEqual([])
    },
    EFFORT.timeoutMs,
  )

  it('each clause is in the docs', () => {
    const page = readFileSync(
      resolve(import.meta.dirname, '../../docs/reference/contract-agreement.md'),
      'utf8',
    )
    for (const clause of CLAUSES) expect(page).toContain(`\`${clause}\``)
  })
})
