import { describe, expect, it } from 'vitest'
import { ANA, sampleDecision, sampleRecord } from '../../test/exchange-records.ts'
import { explanation } from './explanation.ts'
import type { Rejudged } from './record-actions.ts'

const SAME: Rejudged = { result: 'same', missing: [], why: '', policies: [], trace: null }

function text(record: ReturnType<typeof sampleRecord>, rejudged: Rejudged = SAME): string {
  return explanation(record, rejudged).join('\n')
}

describe('an explanation', () => {
  it('says first how the call ended', () => {
    expect(text(sampleRecord())).toMatch(/^exchange \S+: allowed \(200\)/)
    expect(text(sampleRecord({ codes: ['token-missing'] }))).toContain(': denied (403)')
    expect(text(sampleRecord({ codes: ['token-missing'], mode: 'observe' }))).toContain(
      'enforcing would refuse it',
    )
    expect(text(sampleRecord({ outcome: 'unknown' }))).toContain('how it ended is not known')
    expect(text(sampleRecord({ outcome: null }))).toContain('not ended yet')
  })

  it('gives the token’s age at the call', () => {
    expect(text(sampleRecord({ wallMs: 1_500_000 }))).toMatch(/token\s+500 s old, 500 s left/)
  })

  it('lets nothing of a caller’s reach the terminal as a control sequence', () => {
    const record = sampleRecord({
      subject: { ...ANA, id: 'a\u001b[2Jna', client: 'x\r\ny' },
      intent: {
        method: 'G\u001bT',
        attributes: {
          checkpoint: 'head',
          action: 'shop.getOrder',
          principal: { type: 'User', id: 'corp/\u202eana' },
          resource: { api: 'shop', objectType: '', unknown: [] },
          context: { path: '/\u001b]0;x\u0007' },
          kept: ['context.path', 'resource.owner'],
        },
      },
    })
    const shown = text(record)
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/)
    expect(shown).toContain('not of this call  resource.owner')
  })

  it('shows policies by text where their bundle is there, else by id', () => {
    const record = sampleRecord({
      intent: { decisions: [sampleDecision(['policy-permits'], { policies: ['a', 'b'] })] },
    })
    const shown = text(record, {
      ...SAME,
      policies: [{ id: 'a', effect: 'permit', text: 'permit (\n  principal\n);' }],
    })
    expect(shown).toContain('  a (permit)\n      permit (\n        principal\n      );')
    expect(shown).toMatch(/b\s+its bundle is not in the store/)
  })

  it('names the template that a deciding policy is a link of, and what fills its slots', () => {
    const record = sampleRecord({
      intent: { decisions: [sampleDecision(['policy-permits'], { policies: ['ana-reads'] })] },
    })
    const args = { '?principal': 'User::"corp/ana"', '?resource': 'Api::"shop"' }
    const link = { template: 'reads', args }
    const policies = [{ id: 'ana-reads', effect: 'permit', text: 'permit (principal);', link }] as const
    expect(text(record, { ...SAME, policies })).toContain(
      'ana-reads (permit, template reads with ?principal User::"corp/ana" and ?resource Api::"shop")',
    )
  })

  it('names what went wrong with judging again', () => {
    expect(text(sampleRecord())).toContain('judged again by bundle bbbbbbbbbbbb: same')
    expect(text(sampleRecord(), { ...SAME, result: 'changed' })).toContain('CHANGED')
    expect(text(sampleRecord(), { ...SAME, result: 'undecidable', missing: ['context.ip'] })).toContain(
      'undecidable, not recorded: context.ip',
    )
  })

  it('gives of bodies their shape, digest and dropped names', () => {
    const record = sampleRecord({
      outcome: {
        released: {
          bytes: 12,
          mediaType: 'application/json',
          digest: 'abc',
          query: [],
          dropped: ['/secret'],
        },
        lookups: [{ operation: 'shop.getOrder', status: 0 }],
        timings: { total: 5_000, upstream: 1_000, gate: 1_000 },
      },
    })
    const shown = text({
      ...record,
      cut: { id: record.intent.id, at: record.intent.at, bytes: 5, why: 'left' },
    })
    expect(shown).toMatch(/released\s+200, 12 bytes of application\/json, digest abc/)
    expect(shown).toMatch(/dropped fields\s+\/secret/)
    expect(shown).toMatch(/look-up\s+shop\.getOrder under the gate’s identity: no answer/)
    expect(shown).toContain('waiting for the caller’s bytes 3.0 ms')
    expect(shown).toContain('after 5 bytes of the answer: left')
  })
})
