import { describe, expect, it } from 'vitest'
import type { FieldObligation } from '../../model/decision.ts'
import { parseExact, stringifyExact } from '../exact-json.ts'
import { editFields, fieldEdits } from './edit-fields.ts'
import { LabelLinker } from './linked-labels.ts'
import { maskText } from './masking.ts'

const linker = new LabelLinker()
linker.add({
  1: { p: { email: 2, card: 3, score: 4, tags: 5, gone: 7 }, m: ['score'] },
  2: { c: ['pii'] },
  3: { c: ['pci'], z: 1 },
  4: { c: ['risk'] },
  5: { i: 6 },
  6: { c: ['pii'] },
  7: { c: ['risk'] },
})
const labels = linker.label(1)
const asked = (kind: FieldObligation['kind'], ...fields: string[]): FieldObligation => ({
  kind,
  fields,
  policy: 'p',
})
const edit = (value: unknown, ...obligations: FieldObligation[]): unknown =>
  editFields(value, labels, fieldEdits(obligations, undefined)).value

describe('fields by class', () => {
  it.each([
    ['a text', { email: 'a' }, asked('redact', 'class:pii'), { email: '[redacted]' }],
    ['what may be null', { card: '4111' }, asked('redact', 'class:pci'), { card: null }],
    ['a required number', { score: 3 }, asked('redact', 'class:risk'), { score: 0 }],
    ['a number that is not required', { gone: 3 }, asked('redact', 'class:risk'), {}],
    ['each of a list', { tags: ['abcd1', 'b'] }, asked('drop', 'class:pii'), { tags: [] }],
    ['null', { email: null }, asked('mask', 'class:pii'), { email: null }],
    ['a number, masked', { score: 12345 }, asked('mask', 'class:risk'), { score: 0 }],
    ['nothing of another class', { email: 'a' }, asked('drop', 'class:phi'), { email: 'a' }],
  ])('%s', (_, value, obligation, expected) => {
    expect(edit(value, obligation)).toEqual(expected)
  })

  it('drop beats redact, redact beats mask, in whatever order', () => {
    const all = [asked('mask', 'class:pii'), asked('drop', '/email'), asked('redact', 'class:pii')]
    expect(edit({ email: 'a', tags: ['b'] }, ...all)).toEqual({ tags: ['[redacted]'] })
    expect(edit({ email: 'a', tags: ['b'] }, ...all.reverse())).toEqual({ tags: ['[redacted]'] })
  })
})

describe('fields by pointer', () => {
  it('reach names and indexes, and say what was changed without indexes', () => {
    const value = { a: [{ b: 'x' }, { b: 'y', c: 1 }], email: 'z' }
    const edited = editFields(value, null, fieldEdits([asked('drop', '/a/*/b')], undefined))
    expect(edited).toEqual({
      value: { a: [{}, { c: 1 }], email: 'z' },
      changes: [{ kind: 'drop', pointer: '/a/*/b' }],
    })
    expect(value.a[0]).toEqual({ b: 'x' })
  })

  it('of a list name fields of its items too', () => {
    const edits = fieldEdits([asked('redact', '/b')], ['items'])
    expect(editFields({ b: 'x', items: [{ b: 'y' }] }, null, edits).value).toEqual({
      b: '[redacted]',
      items: [{ b: '[redacted]' }],
    })
  })

  it('keep what stays as it is: names of every kind, numbers by their digits', () => {
    const text = '{"__proto__":1,"n":1.10,"big":12345678901234567890,"s":"x"}'
    const { value } = editFields(
      parseExact(Buffer.from(text)),
      null,
      fieldEdits([asked('drop', '/s')], undefined),
    )
    expect(stringifyExact(value)).toBe('{"__proto__":1,"n":1.10,"big":12345678901234567890}')
  })

  it('give the same value back where nothing is meant', () => {
    const value = { a: { b: [1] } }
    expect(editFields(value, null, fieldEdits([asked('drop', '/x', '/a/c')], undefined)).value).toBe(value)
  })
})

it('items have edits of their own, and what is around them those of the whole', () => {
  const own = [fieldEdits([asked('drop', '/id')], ['items']), null]
  const { value } = editFields(
    { id: 'l', items: [{ id: '1' }, { id: '2' }] },
    null,
    fieldEdits([asked('redact', '/id')], undefined),
    { at: ['items'], of: (index) => own[index] ?? null },
  )
  expect(value).toEqual({ id: '[redacted]', items: [{}, { id: '2' }] })
})

it.each([
  ['4111 1111 1111 1111', '**** **** **** 1111'],
  ['DE89370400440532013000', '******************3000'],
  ['ana.smith@example.com', 'a***@example.com'],
  ['12345678', '********'],
  ['', ''],
  [`${'word '.repeat(20)}end`, '****dend'],
])('masks %s', (text, masked) => {
  expect(maskText(text)).toBe(masked)
})
