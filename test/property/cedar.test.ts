import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Compiled, judgedByWasm } from '../cedar-both.ts'
import { type CedarCase, cedarCase, scopeCase } from '../cedar-case.ts'
import { tapes } from '../tape.ts'

/** What the compared requests came to: a comparison of nothing but plain denials would show little. */
interface Seen {
  requests: number
  allowed: number
  forbidden: number
  failing: number
  /** Allowed by plain Cedar, denied where an erroring forbid denies. */
  overridden: number
}

function compare(made: CedarCase, seen: Seen): void {
  const compiled = new Compiled(made)
  for (const request of made.requests) {
    const { plain, strict } = judgedByWasm(made, request)
    expect(compiled.judged(request, false)).toEqual(plain)
    expect(compiled.judged(request, true)).toEqual(strict)
    seen.requests++
    if (plain.decision === 'allow') seen.allowed++
    else if (plain.policies.length > 0) seen.forbidden++
    if (plain.errors.length > 0) seen.failing++
    if (plain.decision !== strict.decision) seen.overridden++
  }
}

function compareAll(cases: fc.Arbitrary<CedarCase>, numRuns: number): void {
  const seen: Seen = { requests: 0, allowed: 0, forbidden: 0, failing: 0, overridden: 0 }
  fc.assert(
    fc.property(cases, (made) => compare(made, seen)),
    { numRuns },
  )
  console.log(`compared with cedar-wasm: ${JSON.stringify(seen)}`)
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0)
}

test('expressions: decision, determining policies and errors are cedar-wasm’s', () => {
  compareAll(tapes(900).map(cedarCase), 200)
}, 120_000)

test('scopes: of many policies, those apply that cedar-wasm says', () => {
  compareAll(tapes(1500).map(scopeCase), 60)
}, 120_000)
