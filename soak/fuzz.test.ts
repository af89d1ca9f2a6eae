import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { JudgeInput } from '../src/decision/decide.ts'
import { decide } from '../src/decision/decide.ts'
import type { DecisionInput } from '../src/model/decision.ts'
import { parseAuthority } from '../src/syntax/http.ts'
import { parseIp } from '../src/syntax/ip.ts'
import { scanJson } from '../src/syntax/json.ts'
import { parseJws } from '../src/syntax/jws.ts'
import { parseMediaType } from '../src/syntax/media-type.ts'
import { parseQuery, parseTarget } from '../src/syntax/uri.ts'
import { Compiled, judgedByWasm } from '../test/cedar-both.ts'
import { cedarCase, scopeCase } from '../test/cedar-case.ts'
import { hostileInput, probedEngine } from '../test/hostile-input.ts'
import { tapes } from '../test/tape.ts'
import { keepResult, SOAK_SECONDS } from './duration.ts'

/**
 * Parsers of outside bytes and what decides over them, for as long as the soak lasts: none throws, and each says yes
 * only to what it means.
 */
const share = (SOAK_SECONDS / 4) * 1_000

it('scans any bytes as strictly as it says', () => {
  const seeds = [
    '{"a":[1,2.5e3,"\\u0041"],"b":{"c":null}}',
    '[[[[]]]]',
    '"\\ud83d\\ude00"',
    '{"__proto__":1}',
    '9007199254740993',
  ]
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(64), fc.nat(255)), { maxLength: 4 }))
    .map(([seed, edits]) => {
      const bytes = Buffer.from(seed)
      for (const [at, byte] of edits) bytes[at % bytes.length] = byte
      return bytes
    })
  const runs = timed(share, fc.oneof(mutated, fc.uint8Array({ maxLength: 512 })), (bytes) => {
    const scan = scanJson(bytes)
    if (scan.ok) expect(scan.value).toEqual(JSON.parse(Buffer.from(bytes).toString('utf8')))
  })
  keepResult('fuzz-json', { runs })
})

it('reads any head without throwing', () => {
  const text = fc.string({ unit: 'binary', maxLength: 200 })
  const runs = timed(
    share,
    fc.oneof(
      text,
      text.map((tail) => `/v1/${tail}`),
      text.map((tail) => `http://h/${tail}`),
    ),
    (value) => {
      const target = parseTarget(value)
      // What is judged is what is forwarded: the canonical form is its own canonical form.
      if (target.ok) expect(parseTarget(target.path)).toMatchObject({ ok: true, path: target.path })
      parseQuery(value)
      parseAuthority(value)
      parseMediaType(value)
      parseIp(value)
      parseJws(value)
    },
  )
  keepResult('fuzz-heads', { runs })
})

it('decides as cedar-wasm does', () => {
  let requests = 0
  const cases = fc.oneof(tapes(900).map(cedarCase), tapes(1_500).map(scopeCase))
  const runs = timed(
    share,
    cases,
    (made) => {
      const compiled = new Compiled(made)
      for (const request of made.requests) {
        const { plain, strict } = judgedByWasm(made, request)
        expect(compiled.judged(request, false)).toEqual(plain)
        expect(compiled.judged(request, true)).toEqual(strict)
        requests++
      }
    },
    20,
  )
  keepResult('fuzz-cedar', { runs, requests })
})

it('decides over anything without throwing', () => {
  const engine = probedEngine()
  const runs = timed(share, fc.tuple(hostileInput, fc.anything()), ([input, anything]) => {
    expect(engine.evaluate(input).verdict).toMatch(/^(allow|deny|pending)$/)
    expect(engine.evaluate(anything as DecisionInput).verdict).toBe('deny')
    expect(decide(anything as JudgeInput).effect).toBe('deny')
  })
  keepResult('fuzz-decide', { runs })
})

/** Runs the property over fresh values until the time is over; gives the number of values tried. */
function timed<T>(
  forMs: number,
  values: fc.Arbitrary<T>,
  property: (value: T) => void,
  numRuns = 1_000,
): number {
  const end = performance.now() + forMs
  let runs = 0
  while (performance.now() < end) {
    fc.assert(fc.property(values, property), { numRuns })
    runs += numRuns
  }
  return runs
}
