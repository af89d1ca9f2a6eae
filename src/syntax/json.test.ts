import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { DEFAULT_JSON_LIMITS, type JsonLimits, type JsonRule, scanJson } from './json.ts'

/** A string is sent as UTF-8; an array gives the bytes, strings in it as UTF-8. */
type Sent = string | readonly (string | number)[]

const bytesOf = (sent: Sent): Uint8Array =>
  Buffer.concat([sent].flat().map((part) => Buffer.from(typeof part === 'string' ? part : [part])))

const limits = (changes: Partial<JsonLimits>): JsonLimits => ({ ...DEFAULT_JSON_LIMITS, ...changes })

const faultOf = (sent: Sent, bounds?: JsonLimits) => {
  const scan = scanJson(bytesOf(sent), bounds)
  return scan.ok ? 'accepted' : scan.fault
}

const rules: readonly {
  readonly rule: JsonRule
  readonly bounds?: Partial<JsonLimits>
  /** Each with the pointer and the offset of the fault. */
  readonly refused: readonly (readonly [Sent, string, number])[]
  readonly accepted: readonly Sent[]
}[] = [
  {
    rule: 'empty',
    refused: [
      ['', '', 0],
      [' \t\r\n', '', 4],
    ],
    accepted: [' 0 ', '""', '{}', '[]'],
  },
  {
    rule: 'bom',
    refused: [
      ['\ufeff{}', '', 0],
      [[0xef, 0xbb, 0xbf], '', 0],
    ],
    accepted: ['["\ufeff"]'],
  },
  {
    rule: 'invalid-utf8',
    refused: [
      [['{"a":"', 0xff, '"}'], '/a', 6],
      [['["', 0xc0, 0xaf, '"]'], '/0', 2], // overlong slash
      [['["', 0xe0, 0x80, 0xaf, '"]'], '/0', 2],
      [['["', 0xf0, 0x80, 0x80, 0xaf, '"]'], '/0', 2],
      [['["', 0xed, 0xa0, 0x80, '"]'], '/0', 2], // U+D800
      [['["', 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80, '"]'], '/0', 2], // a pair as CESU-8
      [['["', 0xf4, 0x90, 0x80, 0x80, '"]'], '/0', 2], // U+110000
      [['["', 0xf8, 0x88, 0x80, 0x80, 0x80, '"]'], '/0', 2],
      [['["é', 0x80, '"]'], '/0', 4],
      [['["', 0xe2, 0x82], '/0', 2],
      [['{"a":1}', 0x80], '', 7],
      [['12', 0xff], '', 2],
      [['{"', 0xff, '":1}'], '', 2],
      [[0xff, 0xfe, '{', 0, '}', 0], '', 0], // UTF-16 with its mark
    ],
    accepted: ['["/é€😀"]', '["\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}"]'],
  },
  {
    rule: 'syntax',
    refused: [
      ['{', '', 1],
      ['[', '/0', 1],
      ['[1', '', 2],
      ['{"a"', '/a', 4],
      ['{"a":', '/a', 5],
      ['{"a" 1}', '/a', 5],
      ['{"a":1', '', 6],
      ['{"a":1,}', '', 7],
      ['{,}', '', 1],
      ['[1,]', '/1', 3],
      ['[,1]', '/0', 1],
      ['[1 2]', '', 3],
      ['[1}', '', 2],
      ['{"a":1]', '', 6],
      ['{a:1}', '', 1],
      ["{'a':1}", '', 1],
      ['{1:1}', '', 1],
      ['NaN', '', 0],
      ['-Infinity', '', 1],
      ['[undefined]', '/0', 1],
      ['[truE]', '/0', 1],
      ['[tru', '/0', 1],
      ['nul', '', 0],
      ['[01]', '/0', 2],
      ['-00', '', 2],
      ['[+1]', '/0', 1],
      ['[.5]', '/0', 1],
      ['[5.]', '/0', 3],
      ['[1.e2]', '/0', 3],
      ['[1e]', '/0', 3],
      ['[1e+]', '/0', 4],
      ['-', '', 1],
      ['["a', '/0', 3],
      ['["\\', '/0', 2],
      ['["\\x"]', '/0', 2],
      ['["\\u12g4"]', '/0', 2],
      ['["\\u00', '/0', 2],
      ['["\\U0041"]', '/0', 2],
      [['["a', 0x00, '"]'], '/0', 3],
      ['["a\n"]', '/0', 3],
      ['["a\t"]', '/0', 3],
      [['["', 0x1f, '"]'], '/0', 2],
      ['{"a\n":1}', '', 3],
      ['// no\n1', '', 0],
      ['[1/**/]', '', 2],
      ['\u00a01', '', 0], // a space, but not one of JSON's four
      ['[1,\f2]', '/1', 3],
      [['{', 0, '}', 0], '', 1], // UTF-16 without a mark
    ],
    accepted: [
      ' { "a" : [ 1 , true , false , null , "x" , { } , [ ] ] }\r\n\t',
      '-0',
      '[0.5,10,-1.5,1e2,1E+2,1e-2,0e0]',
      '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\\u00e9\\u0000"',
      '"\u007f\u2028\u2029"',
    ],
  },
  {
    rule: 'trailing',
    refused: [
      ['{} {}', '', 3],
      ['1 2', '', 2],
      ['[]]', '', 2],
      ['{"a":1}\0', '', 7],
      ['12abc', '', 2],
      ['{},', '', 2],
    ],
    accepted: ['{} \n'],
  },
  {
    rule: 'duplicate-key',
    refused: [
      ['{"a":1,"a":1}', '/a', 7],
      ['{"a":1,"\\u0061":2}', '/a', 7],
      ['{"\\u0061":1,"a":2}', '/a', 12],
      ['{"/":1,"\\/":2}', '/~1', 7],
      ['{"😀":1,"\\ud83d\\ude00":2}', '/😀', 10],
      ['{"é":1,"é":2}', '/é', 8],
      ['{"":1,"":2}', '/', 6],
      ['[{"x":{"a":{"b":0},"c":[{}],"a":2}}]', '/0/x/a', 28],
      ['{"a":{"a":1},"a":1}', '/a', 13],
    ],
    accepted: [
      '{"a":1,"A":2}',
      '{"a":{"b":1},"b":2}',
      '{"é":1,"e\u0301":2}', // alike only after normalisation, which RFC 8259 §8.3 does not do
      '[{"a":1},{"a":2}]',
      '{"a":{"a":{"a":1}}}',
      '{"abc":1,"acb":2,"axc":3,"a":4}',
      '{"a\\u0000":1,"a":2}',
      '{"\\n":{"\\n":1},"n":[{"\\n":2}]}',
    ],
  },
  {
    rule: 'lone-surrogate',
    refused: [
      ['["\\ud800"]', '/0', 2],
      ['["\\uDC00"]', '/0', 2],
      ['["\\ud800\\ud800"]', '/0', 2],
      ['["\\ud800\\n"]', '/0', 2],
      ['["\\ud800\\ue000"]', '/0', 2],
      ['["\\ud800\\u0041"]', '/0', 2],
      ['["x\\ud83d', '/0', 3],
      ['["\\ude00\\ud83d"]', '/0', 2],
      ['{"a":{"\\ud800":1}}', '/a', 7],
    ],
    accepted: ['"\\ud83d\\ude00"', '"\\uD7FF\\uE000"', '"\\\\ud800"'],
  },
  {
    rule: 'forbidden-key',
    refused: [
      ['{"__proto__":1}', '/__proto__', 1],
      ['{"\\u005f_proto__":{"admin":true}}', '/__proto__', 1],
      ['[{"a":{"__proto__":null}}]', '/0/a/__proto__', 7],
    ],
    accepted: [
      '"__proto__"',
      '{"__proto_":1,"_proto__":2,"__PROTO__":3}',
      '{"constructor":{"prototype":{}}}',
    ],
  },
  {
    rule: 'number-precision',
    refused: [
      ['1e400', '', 0],
      ['{"a":[0,-1e309]}', '/a/1', 8],
      [`[${'9'.repeat(400)}]`, '/0', 1],
    ],
    accepted: ['1.7976931348623157e308', '1e-400', '0e999999999999', '9007199254740993'],
  },
  {
    rule: 'size',
    bounds: { maxBytes: 8 },
    refused: [['"1234567"', '', 8]],
    accepted: ['"123456"'],
  },
  {
    rule: 'depth',
    bounds: { maxDepth: 2 },
    refused: [
      ['[[[]]]', '/0/0', 2],
      ['{"a":[{"b":1}]}', '/a/0', 6],
    ],
    accepted: ['[[1],[2],{"a":3}]'],
  },
  {
    rule: 'nodes',
    bounds: { maxNodes: 4 },
    refused: [
      ['[1,2,3,4]', '/3', 7],
      ['{"a":1,"b":[],"c":{},"d":[]}', '/d', 25],
    ],
    accepted: ['[1,2,3]', '{"a":{"b":[1]}}'],
  },
  {
    rule: 'string-size',
    bounds: { maxStringBytes: 6 },
    refused: [
      ['["1234567"]', '/0', 1],
      ['["éééx"]', '/0', 1],
      ['["\\u0041x"]', '/0', 1],
      ['{"a":{"1234567":1}}', '/a', 6],
    ],
    accepted: ['["123456","ééé","\\u0041"]', '{"123456":1}'],
  },
  {
    rule: 'keys',
    bounds: { maxKeys: 2 },
    refused: [['[{"a":1,"b":2,"c":3}]', '/0', 14]],
    accepted: ['[{"a":1,"b":2},{"c":3,"d":{"e":4,"f":5}}]'],
  },
]

describe.each(rules)('$rule', ({ rule, bounds = {}, refused, accepted }) => {
  it.each(refused)('refuses %j', (sent, pointer, offset) => {
    expect(faultOf(sent, limits(bounds))).toEqual({ rule, pointer, offset })
  })

  it.each(accepted.map((sent) => [sent] as const))('accepts %j with the value of JSON.parse', (sent) => {
    const bytes = bytesOf(sent)
    const scan = scanJson(bytes, limits(bounds))
    expect(scan).toEqual({
      ok: true,
      value: JSON.parse(Buffer.from(bytes).toString()),
      exact: expect.any(Boolean),
    })
  })
})

describe('exact', () => {
  const exactOf = (sent: string) => {
    const scan = scanJson(bytesOf(sent))
    return scan.ok ? scan.exact : scan.fault
  }

  it.each([
    '9007199254740993',
    '-9007199254740993',
    '900719925474099.3e1',
    '[1,{"id":12345678901234567890}]',
    '123456789012345680000', // what JavaScript prints, but the double is ...683968
    '1e23',
    '1e-400',
    '0.12345678901234567890123',
    '3.14159265358979323846',
    '9007199254740992.5',
    '8.123456789012345',
  ])('is false for %s, which a double cannot hold', (sent) => expect(exactOf(sent)).toBe(false))

  it.each([
    '9007199254740991',
    '9007199254740992',
    '9007199254740994',
    '18446744073709551616',
    '1e22',
    '0.1',
    '19.99',
    '-0',
    '0e0',
    '0.0000000000000000000',
    '1.50000000000000000000000',
    '100000e-5',
    '-122.41941550000001',
    '5e-324',
    '1.7976931348623157e-300',
    '"9007199254740993"',
  ])('is true for %s', (sent) => expect(exactOf(sent)).toBe(true))
})

describe('values', () => {
  it('are plain objects and arrays, whatever kind of byte array they came in', () => {
    const whole = new TextEncoder().encode('xx{"a":[{"b":"é"}]}xx')
    const scan = scanJson(whole.subarray(2, -2))
    expect(scan).toStrictEqual({ ok: true, value: { a: [{ b: 'é' }] }, exact: true })
  })

  it('do not come from an earlier call', () => {
    expect(faultOf('{"a":{"b":{"c":1,"c":2}}}')).toMatchObject({ rule: 'duplicate-key', pointer: '/a/b/c' })
    expect(faultOf('{"c":1,"b":{"a":1}}')).toBe('accepted')
  })
})

describe('objects with many keys', () => {
  const names = Array.from({ length: 1_000 }, (_, n) => `${n * 65_536}`)
  const object = (keys: readonly string[]) => `{${keys.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`

  it.each([2, 31, 32, 33, 34, 500, 1_000])('refuses the first key again as number %i + 1', (length) => {
    const keys = names.slice(0, length)
    expect(faultOf(object(keys))).toBe('accepted')
    expect(faultOf(object([...keys, '0']))).toMatchObject({ rule: 'duplicate-key', pointer: '/0' })
    expect(faultOf(object([...keys, names[length - 1] ?? '']))).toMatchObject({ rule: 'duplicate-key' })
  })

  it('tells nested ones apart', () => {
    const inner = object(names)
    expect(faultOf(`{"0":${inner},"65536":[${inner},${inner}],"é":${inner}}`)).toBe('accepted')
    expect(faultOf(`{"a":${inner},"b":{"a":${inner},"a":0}}`)).toMatchObject({ pointer: '/b/a' })
  })
})

describe('hostile bodies', () => {
  const unbounded: JsonLimits = {
    maxBytes: 1e9,
    maxDepth: 1e9,
    maxNodes: 1e9,
    maxStringBytes: 1e9,
    maxKeys: 1e9,
  }
  const deep = '['.repeat(100_000)

  it('nested 100,000 times are refused at the limit', () => {
    expect(faultOf(deep)).toMatchObject({ rule: 'depth', offset: DEFAULT_JSON_LIMITS.maxDepth })
    expect(faultOf('{"a":'.repeat(100_000))).toMatchObject({ rule: 'depth' })
  })

  it('cost no call stack even without limits', () => {
    expect(faultOf(deep, unbounded)).toMatchObject({ rule: 'syntax', offset: 100_000 })
    expect(faultOf(deep + ']'.repeat(100_000), unbounded)).toBe('accepted')
  })

  it('get a pointer of at most 256 characters, never cut within one', () => {
    const fault = (key: string) => faultOf(`{${JSON.stringify(key)}:x}`)
    expect(fault('k'.repeat(255))).toMatchObject({ pointer: `/${'k'.repeat(255)}` })
    expect(fault('k'.repeat(256))).toMatchObject({ pointer: `/${'k'.repeat(254)}…` })
    expect(fault('😀'.repeat(5_000))).toMatchObject({ pointer: `/${'😀'.repeat(127)}…` })
    expect(fault(`k${'😀'.repeat(5_000)}`)).toMatchObject({ pointer: `/k${'😀'.repeat(126)}…` })
    expect(faultOf(deep, unbounded)).toMatchObject({ pointer: `${'/0'.repeat(127)}/…` })
  })

  it('never have a value in the fault', () => {
    expect(JSON.stringify(faultOf('{"a~/b":["secret","secret\\ud800"]}'))).toBe(
      '{"rule":"lone-surrogate","pointer":"/a~0~1b/1","offset":25}',
    )
  })
})
