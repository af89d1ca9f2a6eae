import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checksum, quote, readEnvelope } from '../../src/audit/line.ts'
import { verifyAudit } from '../../src/audit/verify.ts'
import type { ReasonCode } from '../../src/model/reason.ts'
import { parseJson } from '../../src/syntax/json-build.ts'
import {
  attributesOf,
  decisionOf,
  exchangeId,
  intentOf,
  outcomeOf,
  recordsIn,
  subjectOf,
  temporaryFolder,
  writerIn,
} from '../audit-entries.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom(
    '\r\n',
    '"',
    '\\',
    '","c":"00000000"}',
    '\u2028',
    '\u0000',
    '\ud800',
    '}\n{"v":1,"n":2',
    '…',
  ),
)
const texts = fc.array(text, { maxLength: 5 })
const amount = fc.oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true }))

const entries = fc.record({
  word: text,
  list: texts,
  personal: fc.record({ address: text, path: text, userAgent: text, host: text }),
  subject: fc.record({ id: text, iss: text, client: text, groups: texts, tokenDigest: text, tenant: text }),
  params: fc.dictionary(
    text.filter((name) => name !== '__proto__'),
    text,
    { maxKeys: 4 },
  ),
  evidence: fc.dictionary(
    text.filter((name) => name !== '__proto__'),
    fc.oneof(text, fc.integer(), fc.boolean(), texts),
    { maxKeys: 4 },
  ),
  amount,
})

describe('the record', () => {
  it('gives back any strings as they were stated, and stays whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entries, { minLength: 1, maxLength: 4 }), async (all) => {
        const folder = temporaryFolder()
        try {
          const writer = writerIn(folder.path)
          const stated = all.map(({ word, list, personal, subject, params, evidence, amount }, number) => {
            const decision = decisionOf('deny', {
              policies: list,
              bundle: word,
              reasons: [{ code: 'route-unknown' as ReasonCode, source: 'route', evidence, forCaller: word }],
            })
            const intent = intentOf(number, {
              at: { wallMs: amount, monoMs: number },
              subject: subjectOf(subject.id, subject),
              personal,
              api: word,
              decisions: [decision, decisionOf()],
              request: { bytes: amount, mediaType: word, digest: '', query: [], fields: list },
              attributes: attributesOf({
                resource: { api: word, objectType: '', params, owner: word, unknown: [] },
              }),
            })
            const outcome = outcomeOf(number, {
              decisions: [decision],
              lookups: [{ operation: word, status: 404 }],
              notPlayed: list,
            })
            writer.intent(intent)
            writer.outcome(outcome)
            return { intent, outcome }
          })
          await writer.close()
          const records = await recordsIn(folder.path)
          expect(records).toHaveLength(stated.length)
          for (const [i, record] of records.entries()) {
            const { sealed, ...intent } = record.intent
            expect(sealed).toBe('open')
            expect({ intent, outcome: record.outcome }).toEqual(normal(stated[i]))
          }
          expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, faultCount: 0 })
        } finally {
          folder.remove()
        }
      }),
      { numRuns: 60 },
    )
  })

  it('has every single changed byte of a segment reported', async () => {
    const folder = temporaryFolder()
    const writer = writerIn(folder.path)
    for (let i = 0; i < 4; i++) writer.refusal(intentOf(i), outcomeOf(i))
    writer.cut({ id: exchangeId(1), at: { wallMs: 1, monoMs: 1 }, bytes: 1, why: 'left' })
    await writer.close()
    const path = join(folder.path, readdirSync(folder.path).find((name) => name.endsWith('.seg')) ?? '')
    const bytes = readFileSync(path)
    const begins = [0]
    bytes.forEach((byte, i) => {
      if (byte === 10) begins.push(i + 1)
    })
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ flip
        writeFileSync(path, changed)
        const { faults, ok } = await verifyAudit(folder.path)
        expect(ok).toBe(false)
        const line = begins.findLastIndex((begin) => begin <= at) + 1
        expect(faults.map((fault) => fault.line)).toContain(line)
      }),
      {
        numRuns: 600,
        examples: [
          [bytes.length - 1, 1],
          [bytes.length - 2, 1],
          [0, 1],
        ],
      },
    )
    folder.remove()
  })

  it('quotes any string as ASCII JSON of one line', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(quote(value)).toMatch(/^[\x20-\x7e]*$/)
        expect(JSON.parse(quote(value))).toBe(value)
      }),
    )
  })

  it('does not take a foreign line for its own', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.json()), (value) => {
        expect(readEnvelope(Buffer.from(value))).toBe(null)
        const forged = `{"v":1,"n":1,"p":"x"${value}`
        expect(readEnvelope(Buffer.from(`${forged},"c":"${checksum(Buffer.from(forged))}"}`))).toBe(null)
      }),
    )
  })
})

/** As JSON has it: negative zero is zero. */
function normal(value: unknown): unknown {
  // Not JSON.parse, which misreads names once one ended with a backslash (json-build.ts).
  return parseJson(JSON.stringify(value))
}
