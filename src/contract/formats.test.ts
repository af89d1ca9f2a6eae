import { describe, expect, it } from 'vitest'
import { FORMATS, isKnownFormat } from './formats.ts'
import { grantFuel } from './fuel.ts'

function fits(name: string, value: string): boolean {
  const format = FORMATS.get(name)
  if (format?.type !== 'string') throw new Error(`no text format ${name}`)
  return (format.validate as (value: string) => boolean)(value)
}

describe('formats', () => {
  const cases: readonly [name: string, good: readonly string[], bad: readonly string[]][] = [
    [
      'date',
      ['2024-02-29', '2000-02-29'],
      ['2023-02-29', '1900-02-29', '2024-13-01', '2024-1-01', '２024-01-01'],
    ],
    [
      'time',
      ['23:59:60Z', '15:59:60-08:00', '01:29:60.5+01:30'],
      ['22:59:60Z', '24:00:00Z', '12:00:00', '12:00:00+1'],
    ],
    [
      'date-time',
      ['1998-12-31T23:59:60Z', '2026-01-01t00:00:00z'],
      ['2026-01-01 00:00:00Z', '2026-01-01T00:00:00'],
    ],
    ['duration', ['P1Y2M3D', 'PT36H', 'P2W'], ['P', 'PT', 'P1W1D', 'P1Y1D', '1D']],
    [
      'http-date',
      ['Sun, 06 Nov 1994 08:49:37 GMT'],
      ['Mon, 06 Nov 1994 08:49:37 GMT', 'Sun, 31 Nov 1994 08:49:37 GMT'],
    ],
    ['email', ['a@b', '"a b"@c.example', 'a@[127.0.0.1]'], ['a@', 'a@-b', 'a@b@c', 'a b@c', 'a@b\n']],
    ['idn-email', ['実例@実例.example', 'a@b.example'], ['実例', '@a']],
    [
      'hostname',
      ['a.b-c.d', 'xn--bcher-kva.example'],
      ['a.', '-a', 'a_b', 'xn--X', `${'a'.repeat(64)}`, 'a..b'],
    ],
    ['idn-hostname', ['bücher.example', '실례.테스트'], ['〮a', 'a_b', '']],
    [
      'ipv4',
      ['0.0.0.0', '255.255.255.255'],
      ['01.0.0.0', '1.2.3', '1.2.3.4.', '256.0.0.0', '0x7f.0.0.1', '١.2.3.4'],
    ],
    ['ipv6', ['::', '::ffff:1.2.3.4'], ['1::2::3', 'fe80::1%eth0', '::ffff:01.2.3.4', '']],
    [
      'uri',
      ['https://a:80/b?c#d', 'urn:x:y', 'http://[::1]/'],
      ['//a', 'a b:c', 'http://a:b', 'http://[1/', 'http://a/"'],
    ],
    ['uri-reference', ['', '//a/b', './a:b', '#x'], ['a:b:c d', '1:b', '[x]', '\\\\a']],
    ['iri', ['https://例え.jp/パス'], ['例え', 'https://a b']],
    ['uri-template', ['/a/{b}{?c*,d:3}'], ['/a/{b', '/{}', '/a b']],
    ['uuid', ['7b0e6c7e-8f5f-4ad2-9d4c-0242ac120002'], ['urn:uuid:7b0e6c7e-8f5f-4ad2-9d4c-0242ac120002', '']],
    ['json-pointer', ['', '/a~1b'], ['a', '/~2']],
    ['relative-json-pointer', ['0', '1/a', '2#'], ['', '-1', '01']],
    ['regex', ['^a$'], ['(']],
    ['byte', ['', 'aGk='], ['a', 'aGk=\n']],
    ['base64url', ['aGk', 'aGk=', '_-8'], ['a', 'a+b/']],
    ['char', ['a', '\u{1F600}'], ['', 'ab']],
    ['media-range', ['text/*;q=0.5', '*/*'], ['text']],
    ['sf-token', ['*a/b'], ['1a', '']],
    ['sf-string', ['a b'], ['é']],
  ]
  it.each(cases)('%s', (name, good, bad) => {
    for (const value of good) expect(fits(name, value), value).toBe(true)
    for (const value of bad) expect(fits(name, value), value).toBe(false)
  })

  it('take linear time and bounded length', () => {
    const start = performance.now()
    for (const [name, { type }] of FORMATS) {
      if (type === 'number') continue
      for (const part of [
        'a',
        'a.',
        '1',
        '1.',
        ':',
        '%20',
        '{a}',
        '{a,',
        '/a',
        '(a',
        '"',
        '実',
        'xn--a.',
        'P1',
      ]) {
        grantFuel(8_000)
        fits(name, part.repeat(8_000 / part.length))
        fits(name, `a@${part.repeat(8_000 / part.length)}`)
      }
      if (name !== 'byte' && name !== 'base64url') expect(fits(name, 'a'.repeat(9_000))).toBe(false)
    }
    expect(performance.now() - start).toBeLessThan(2_000)
  })

  it('of the registry are known, whether they say something checkable or not', () => {
    for (const name of [
      'password',
      'binary',
      'html',
      'commonmark',
      'decimal128',
      'double',
      'uint64',
      'float',
    ]) {
      expect(isKnownFormat(name)).toBe(true)
    }
    expect(isKnownFormat('iban')).toBe(false)
  })
})
