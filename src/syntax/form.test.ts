import { describe, expect, it } from 'vitest'
import { parseForm, withoutPairs } from './form.ts'

const read = (text: string | Uint8Array): unknown => {
  const form = parseForm(typeof text === 'string' ? Buffer.from(text, 'latin1') : text)
  return form.ok ? form.pairs.map(({ name, value }) => [name, value]) : form.rule
}

describe('a form', () => {
  it.each([
    ['', []],
    ['a=1', [['a', '1']]],
    [
      'a=1&b=2&a=3',
      [
        ['a', '1'],
        ['b', '2'],
        ['a', '3'],
      ],
    ],
    ['a=', [['a', '']]],
    [
      '&a=1&&b=2&',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['a=b=c', [['a', 'b=c']]],
    ['a=x+y%20z%2B', [['a', 'x y z+']]],
    ['a%5Bb%5D=%25%34%31', [['a[b]', '%41']]],
    ['a=%E2%82%AC', [['a', '€']]],
    ['a=http://h/p?q#f,(x)!', [['a', 'http://h/p?q#f,(x)!']]],
  ])('%s', (text, pairs) => expect(read(text)).toEqual(pairs))

  it.each([
    ['a=1;b=2', 'semicolon'],
    ['a', 'no-equals'],
    ['a=1&b', 'no-equals'],
    ['=1', 'empty-name'],
    ['a=%', 'percent-encoding'],
    ['a=%4', 'percent-encoding'],
    ['a=%u0041', 'percent-encoding'],
    ['a=%00', 'nul'],
    ['a%00=1', 'nul'],
    ['a=%C0%80', 'invalid-utf8'],
    ['a=%FF', 'invalid-utf8'],
    ['a=%ED%A0%80', 'invalid-utf8'],
    ['a=1\r\n', 'character'],
    ['a=1 2', 'character'],
    ['a=\xff', 'character'],
    ['\xef\xbb\xbfa=1', 'character'],
    [`${'n'.repeat(257)}=1`, 'name-size'],
    [Array.from({ length: 1_001 }, (_, i) => `f${i}=1`).join('&'), 'too-many-pairs'],
  ])('is refused: %s', (text, rule) => expect(read(text)).toBe(rule))

  it('without some of its pairs is as it came but for them', () => {
    const bytes = Buffer.from('a=%31&b=2&&c=+3')
    const form = parseForm(bytes)
    if (!form.ok) throw new Error(form.rule)
    const left = form.pairs.filter(({ name }) => name !== 'b')
    expect(Buffer.from(withoutPairs(bytes, left)).toString()).toBe('a=%31&c=+3')
  })
})
