import { describe, expect, it } from 'vitest'
import { random, subjectOf } from '../../test/audit-entries.ts'
import { ANONYMOUS } from '../model/subject.ts'
import { MAX_ADDRESSES, MAX_SUBJECTS, SubjectTable } from './subject-table.ts'

const table = () =>
  new SubjectTable({
    segment: 1,
    wrap: { wrap: () => 'w'.repeat(80), unwrap: () => null },
    digest: () => 'd'.repeat(22),
    random,
  })

describe('the subjects of a segment', () => {
  it('give each address a key up to the bound, and share one beyond it', () => {
    const subjects = table()
    for (let i = 0; i < MAX_ADDRESSES; i++) {
      expect(subjects.introduce(ANONYMOUS, `2001:db8::${i}`).keyLine).not.toBe('')
    }
    const shared = subjects.introduce(ANONYMOUS, '198.51.100.1')
    expect(shared.keyLine).not.toBe('')
    for (let i = 0; i < 1_000; i++) {
      expect(subjects.find(ANONYMOUS, `198.51.100.${i}`)?.keyRef).toBe(shared.entry.keyRef)
    }
    expect(subjects.find(ANONYMOUS, '2001:db8::7')?.keyRef).toBe(8)
    expect(subjects.full).toBe(false)
  })

  it('are one key for one person, whatever the token, and another for another issuer’s', () => {
    const subjects = table()
    const first = subjects.introduce(subjectOf('ana'), 'a')
    const second = subjects.introduce(subjectOf('ana', { tokenDigest: 'other' }), 'b')
    expect(second.keyLine).toBe('')
    expect(second.entry.ref).not.toBe(first.entry.ref)
    expect(second.entry.keyRef).toBe(first.entry.keyRef)
    expect(subjects.introduce(subjectOf('ana', { iss: 'https://other.example' }), 'a').keyLine).not.toBe('')
    expect(subjects.find(subjectOf('ana'), 'c')).toBe(first.entry)
  })

  it('are forgotten where their line never landed', () => {
    const subjects = table()
    const subject = subjectOf('ana')
    subjects.introduce(subject, 'a')
    subjects.undo()
    expect(subjects.find(subject, 'a')).toBe(null)
    subjects.introduce(subject, 'a')
    subjects.commit()
    subjects.undo()
    expect(subjects.find(subject, 'a')).not.toBe(null)
  })

  it('fill the segment at the bound, so that it is rotated', () => {
    const subjects = table()
    for (let i = 0; i < MAX_SUBJECTS; i++) {
      if (i % 5_000 === 0) expect(subjects.full).toBe(false)
      subjects.introduce(subjectOf(`p${i}`), 'a')
    }
    expect(subjects.full).toBe(true)
  })
})
