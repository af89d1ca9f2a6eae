import { describe, expect, it } from 'vitest'
import { DEFAULT_JSON_LIMITS } from '../syntax/json.ts'
import { joinSights, readSight, redactedExample, sightText } from '../syntax/value-sight.ts'
import { sightOf, sightOfContent, sightOfTexts } from './value-sight.ts'

describe('sightOf', () => {
  it.each<[unknown, string]>([
    [null, 'null'],
    [true, 'boolean'],
    [7, 'integer'],
    [1.5, 'number'],
    ['abc', 'string~4'],
    ['', 'string~1'],
    ['2026-01-01T00:00:00Z', 'string:date-time~32'],
    ['2026-01-01', 'string:date~16'],
    ['0b8a8e3c-91f5-4b5e-8f0e-6f0c1c9b3a11', 'string:uuid~64'],
    ['https://a.example/x', 'string:uri~32'],
    ['ana@example.org', 'string:email~16!pii.email'],
    ['2026-99-01', 'string~16'],
    [[], 'array'],
    [[1, null, 'a'], 'array<null|integer|string~1>'],
    [{ id: 1, 'first name': 'x' }, 'object{id:integer,"first name":string~1}'],
    [{}, 'object'],
  ])('tells %j as %s', (value, text) => {
    expect(sightOf(value)).toBe(text)
    const read = readSight(text)
    expect(read === null ? null : sightText(read)).toBe(text)
  })

  it('names no member whose name is data, nor one that is long', () => {
    expect(sightOf({ 'ana@example.org': 1, [`k${'x'.repeat(80)}`]: 1, a: 1 })).toBe('object{a:integer,…}')
  })

  it('is bounded in values, levels and length, whatever the value', () => {
    const wide = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`f${i}`, { a: [i, { b: 'x' }] }]),
    )
    let deep: unknown = 1
    for (let i = 0; i < 100; i++) deep = [{ deep }]
    for (const value of [wide, deep, Array.from({ length: 10_000 }, () => wide)]) {
      const text = sightOf(value)
      expect(text.length).toBeLessThan(10_000)
      expect(readSight(text)).not.toBeNull()
    }
  })

  it('tells what texts may stand for', () => {
    expect(sightOfTexts(['7'], 'q')).toBe('integer')
    expect(sightOfTexts(['7.5'], 'q')).toBe('number')
    expect(sightOfTexts(['true'], 'q')).toBe('boolean')
    expect(sightOfTexts(['007'], 'q')).toBe('string~4')
    expect(sightOfTexts(['1', 'a'], 'q')).toBe('array<integer|string~1>')
  })

  it('tells of whole content its media type, and types of JSON alone', () => {
    const seen = (type: string | undefined, text: string) =>
      sightOfContent(type, Buffer.from(text), DEFAULT_JSON_LIMITS)
    expect(seen('application/hal+json; x=y', '{"a":1}')).toEqual({
      mediaType: 'application/hal+json',
      type: 'object{a:integer}',
    })
    expect(seen('text/html', '<p>')).toEqual({ mediaType: 'text/html' })
    expect(seen('application/json', '{"a":')).toEqual({ mediaType: 'application/json' })
    expect(seen(undefined, '{}')).toEqual({})
  })
})

describe('a sight', () => {
  it.each([
    '',
    'int',
    'object{',
    'array<>',
    'object{a}',
    'string|',
    'object{a:integer',
    'string~',
    `${'array<'.repeat(50)}integer${'>'.repeat(50)}`,
  ])('is not read from %s', (text) => {
    expect(readSight(text)).toBeNull()
  })

  it('joins with another to what both were', () => {
    const joined = (a: string, b: string): string => {
      const [one, other] = [readSight(a), readSight(b)]
      return one === null || other === null ? '' : sightText(joinSights(one, other))
    }
    expect(joined('integer', 'number')).toBe('number')
    expect(joined('string:date~16', 'string:date~16')).toBe('string:date~16')
    expect(joined('string:date~16', 'string~64')).toBe('string~64')
    expect(joined('string:date~16', 'null')).toBe('null|string:date~16')
    expect(joined('object{a:integer}', 'object{a:string~4,b:null}')).toBe('object{a:integer|string~4,b:null}')
  })

  it('gives an example without a value', () => {
    const shown = (value: unknown): unknown => redactedExample(readSight(sightOf(value)) ?? { types: [] })
    expect(shown({ mail: 'ana@example.org', n: 5, list: ['secret text'], none: null })).toEqual({
      mail: '‹email›',
      n: '‹integer›',
      list: ['‹string of up to 16›'],
      none: null,
    })
  })
})
