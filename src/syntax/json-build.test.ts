import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scanJson } from './json.ts'
import { buildJson, parseJson } from './json-build.ts'

/** Names that V8 then mistakes others for. */
function prime(): void {
  for (const name of ['\\', 'o\\', 'owner\\'])
    for (let i = 0; i < 3; i++) JSON.parse(`{"id":0,${JSON.stringify(name)}:1}`)
}

describe('member names with escapes', () => {
  it.each([
    ['\\u006fwner', 'owner'],
    ['o\\u0077ner', 'owner'],
    ['\\u2026', '…'],
    ['\\/orders', '/orders'],
    ['\\\\', '\\'],
    ['\\"', '"'],
  ])('%s are read as they are, whatever was read before', (written, name) => {
    prime()
    const text = `{"id":0,"${written}":{"${written}":[1]}}`
    const wanted = new Map<string, unknown>([
      ['id', 0],
      [name, Object.fromEntries([[name, [1]]])],
    ])
    expect(new Map(Object.entries(Object(parseJson(text))))).toEqual(wanted)
    const scan = scanJson(Buffer.from(text))
    expect(scan.ok && new Map(Object.entries(Object(scan.value)))).toEqual(wanted)
  })

  it('do not let a declared field pass for another one, however a caller prepares it', () => {
    for (let i = 0; i < 3; i++) scanJson(Buffer.from('{"id":0,"\\\\":1}'))
    const scan = scanJson(Buffer.from('{"id":0,"\\u006fwner":"ben"}'))
    expect(scan.ok && Object.keys(Object(scan.value))).toEqual(['id', 'owner'])
  })
})

describe('what JSON.parse reads', () => {
  it('is read alike', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(buildJson(text)).toEqual(JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  it.each(['', '{', '{"a"}', '{"a":1,}', '[1,]', '[1 2]', '"a', '"\\x"', '1.', 'tru', '{"a":1}x', '"\\"'])(
    'refuses %s as it does',
    (text) => {
      expect(() => JSON.parse(text)).toThrow(SyntaxError)
      expect(() => buildJson(text)).toThrow(SyntaxError)
    },
  )

  it('has a bound on depth, and takes long strings', () => {
    expect(() => buildJson('['.repeat(100_000))).toThrow(SyntaxError)
    const long = JSON.stringify({ 'a\\': '\\'.repeat(1_000_000) })
    expect(buildJson(long)).toEqual({ 'a\\': '\\'.repeat(1_000_000) })
    expect(Object.hasOwn(Object(buildJson('{"__proto__":1}')), '__proto__')).toBe(true)
  })
})
