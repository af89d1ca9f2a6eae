import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from '../values.ts'
import { equal, isExtension, isLong, longOf } from '../values.ts'
import { EXTENSION_FUNCTIONS } from './functions.ts'

/** Applies one function; null for an evaluation error. Anything but an `EvaluationError` fails the test. */
function apply(name: string, a: Value, b?: Value): Value | null {
  const found = EXTENSION_FUNCTIONS.get(name)
  if (found === undefined) throw new Error(`no function ${name}`)
  try {
    const value = found.apply(a, b)
    // One number has one form.
    if (isLong(value)) expect(Object.is(value, longOf(BigInt(value)))).toBe(true)
    if (isExtension(value) && value.ms !== undefined)
      expect(Object.is(value.ms, longOf(BigInt(value.ms)))).toBe(true)
    return value
  } catch (error) {
    expect(error).toMatchObject({ name: 'EvaluationError' })
    return null
  }
}

type Verdict = 'true' | 'false' | 'error'

/** What cedar-wasm says of many expressions over `context.s0`, `context.s1`, …, in one call. */
function reference(expressions: readonly string[], texts: readonly string[]): readonly Verdict[] {
  const staticPolicies = Object.fromEntries(
    expressions.map((expression, i) => [
      `p${i}`,
      `permit(principal, action, resource) when { ${expression} };`,
    ]),
  )
  const uid = { type: 'T', id: '' }
  const answer = cedar.isAuthorized({
    principal: uid,
    action: { type: 'Action', id: '' },
    resource: uid,
    context: Object.fromEntries(texts.map((text, i) => [`s${i}`, text])),
    policies: { staticPolicies },
    entities: [],
  })
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join())
  const { reason, errors } = answer.response.diagnostics
  const holds = new Set(reason)
  const fails = new Set(errors.map(({ policyId }) => policyId))
  return expressions.map((_, i) => (fails.has(`p${i}`) ? 'error' : holds.has(`p${i}`) ? 'true' : 'false'))
}

function verdict(value: Value | null): Verdict {
  return value === null ? 'error' : value === true ? 'true' : 'false'
}

/** Every text is read, or refused, as cedar-wasm does. */
function expectSameReading(name: string, texts: readonly string[]): void {
  const made = texts.map((text) => apply(name, text))
  const expected = reference(
    texts.map((_, i) => `${name}(context.s${i}) == ${name}(context.s${i})`),
    texts,
  )
  expect(texts.map((text, i) => [text, made[i] === null ? 'error' : 'true'])).toEqual(
    texts.map((text, i) => [text, expected[i]]),
  )
}

/** Every pair of what the texts say has the same answer to `==` and to the methods of two operands. */
function expectSamePairs(
  name: string,
  methods: readonly string[],
  texts: readonly string[],
  isRight: (text: string) => boolean = () => true,
): void {
  const expressions: string[] = []
  const own: Verdict[] = []
  const asked: string[] = []
  texts.forEach((left, i) => {
    texts.forEach((right, j) => {
      if (!isRight(right)) return
      const a = apply(name, left)
      const b = apply(name, right)
      const [x, y] = [`${name}(context.s${i})`, `${name}(context.s${j})`]
      for (const method of methods) {
        asked.push(`${left} ${method} ${right}`)
        const plain = method === '==' || method === '<' || method === '<='
        expressions.push(plain ? `${x} ${method} ${y}` : `${x}.${method}(${y})`)
        if (a === null || b === null) own.push('error')
        else if (method === '==') own.push(verdict(equal(a, b)))
        else if (plain) own.push(verdict(compare(a, b, method)))
        else own.push(verdict(apply(method, a, b)))
      }
    })
  })
  const expected = reference(expressions, texts)
  expect(asked.map((each, i) => `${each}: ${own[i]}`)).toEqual(
    asked.map((each, i) => `${each}: ${expected[i]}`),
  )
}

function compare(a: Value, b: Value, operator: string): boolean | null {
  if (!isExtension(a) || !isExtension(b) || a.ms === undefined || b.ms === undefined) return null
  return operator === '<' ? a.ms < b.ms : a.ms <= b.ms
}

const IPS =
  `127.0.0.1 127.0.0.1/0 127.0.0.1/7 127.0.0.1/8 127.255.255.255 126.0.0.1 128.0.0.0 224.0.0.1 224.0.0.0/4
224.0.0.0/3 239.255.255.255 240.0.0.0 ff00::/7 ff00::1 fe00::/8 ::7f00:1 ::ffff:7f00:1 ::1 ::1/64 ::1/127 ::2 1.2.3.4/32
1:2:3:4:5:6:7:: ::1:2:3:4:5:6:7 1:2:3:4::6:7:8 1:2:3:4:5:6:7:8 FFFF::aBcD ::/0 :: ::/128 0.0.0.0/0 0.0.0.0 10.0.0.1/8 10.0.0.2/8
10.0.0.0/9 10.128.0.0/9 255.255.255.255 255.255.255.255/31 2001:db8::/32 2001:db8::1 2001:db8:0:1::/64 2001:db8:0:1::5
2001:db8:0:1:8000::/65 2001:db8:0:1:7fff::1 2001:db8::/96 2001:db8::1:0:0/97 2001:0db8:0000:0000:0000:0000:0000:0001/128`.split(
    /\s+/,
  )
const NO_IPS = [
  ...`::ffff:127.0.0.1 01.2.3.4 1.2.3.04 1.2.3.4/032 1.2.3.4/33 1.2.3.4/ 1.2.3 1.2.3.4.5 1..3.4 .1.2.3 1.2.3. 256.1.1.1
1.2.3.4/32/32 1.2.3.4/1:1 0x7f.0.0.1 2130706433 1:2:3:4:5:6:7:8:: 1:2:3:4:5:6::7:8 1:2:3:4:5:6:7::8 ::1:2:3:4:5:6:7:8
1:2:3:4:5:6:7 1:2:3:4:5:6:7: :1:2:3:4:5:6:7 00001:: g:: ::/129 ::/00 ::/1a ::1%eth0 [::1] / ::: 1::2::3 : ::1: ::/ :/:
2001:0db8:0000:0000:0000:0000:0000:0001/0128 １.2.3.4 1.2.3.4/3２`.split(/\s+/),
  '',
  ' 1.2.3.4',
  '1.2.3.4 ',
  '1.2.3.4/ 1',
  '1.2.3.4/+1',
  '1.2.3.4\n',
]

describe('ip', () => {
  test('reads and refuses what Cedar does', () => {
    expectSameReading('ip', [...IPS, ...NO_IPS])
    for (const text of IPS) expect([text, apply('ip', text)]).not.toEqual([text, null])
    for (const text of NO_IPS) expect([text, apply('ip', text)]).toEqual([text, null])
  })

  test('says of each address what Cedar says', () => {
    for (const method of ['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast']) {
      const own = IPS.map((text) => verdict(apply(method, apply('ip', text) ?? false)))
      const expected = reference(
        IPS.map((_, i) => `ip(context.s${i}).${method}()`),
        IPS,
      )
      expect(IPS.map((text, i) => `${text} ${method} ${own[i]}`)).toEqual(
        IPS.map((text, i) => `${text} ${method} ${expected[i]}`),
      )
    }
  })

  test('says of each pair what Cedar says', () => {
    expectSamePairs('ip', ['==', 'isInRange'], IPS, (text) => text.includes('/'))
  })

  test('reads and refuses made-up texts as Cedar does', () => {
    const hex = fc.constantFrom('0', '1', 'ffff', 'aB', '00001', '')
    const texts = fc.oneof(
      fc.tuple(fc.ipV4(), fc.nat(40)).map(([ip, prefix]) => `${ip}/${prefix}`),
      fc.tuple(fc.ipV6(), fc.nat(140)).map(([ip, prefix]) => `${ip}/${prefix}`),
      fc.ipV6(),
      fc.array(hex, { maxLength: 9 }).map((groups) => groups.join(':')),
      fc
        .tuple(fc.array(hex, { maxLength: 8 }), fc.array(hex, { maxLength: 8 }))
        .map((each) => each.map((side) => side.join(':')).join('::')),
      fc
        .array(fc.constantFrom('0', '1', '25', '255', '256', '.', '/', '8', ''), { maxLength: 9 })
        .map((parts) => parts.join('')),
    )
    expectSameReadings('ip', texts)
  })
})

const DECIMALS =
  `0.0 -0.0 1.0 1.0000 -1.0 -0.5 -0.0001 0.0001 12.34 12.3400 12.3401 900719925474.0991 900719925474.0992
-900719925474.0992 922337203685477.5806 922337203685477.5807 -922337203685477.5808 0000000000000000000000001.0`.split(
    /\s+/,
  )
const NO_DECIMALS = [
  ...`1 .1 1. 1.00000 +1.0 --1.0 1.-1 -.5 - . -. 1e5 1.0e5 1_0.0 1.0.0 １.0 ٣.0 922337203685477.5808 -922337203685477.5809
922337203685478.0 9999999999999999999999.0 -9223372036854775808.0 NaN Infinity`.split(/\s+/),
  '',
  ' 1.0',
  '1.0 ',
  '1.0\n',
]

describe('decimal', () => {
  test('reads and refuses what Cedar does', () => {
    expectSameReading('decimal', [...DECIMALS, ...NO_DECIMALS])
    for (const text of NO_DECIMALS) expect([text, apply('decimal', text)]).toEqual([text, null])
  })

  test('compares as Cedar does', () => {
    const methods = ['==', 'lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual']
    expectSamePairs('decimal', methods, DECIMALS)
  })

  test('has no `<`', () => {
    expect(compare(apply('decimal', '1.0') ?? false, apply('decimal', '2.0') ?? false, '<')).toBeNull()
  })

  test('reads and refuses made-up texts as Cedar does', () => {
    const digits = fc.constantFrom(
      '',
      '0',
      '7',
      '00',
      '12345',
      '922337203685477',
      '5807',
      '5808',
      '9999999999999999999',
    )
    const texts = fc
      .tuple(fc.constantFrom('', '-', '+'), digits, fc.constantFrom('.', '..', ''), digits)
      .map((parts) => parts.join(''))
    expectSameReadings('decimal', texts)
  })
})

const DATETIMES =
  `1970-01-01 2020-01-01 2020-02-29 2000-02-29 0000-01-01 0000-02-29 0099-12-31 9999-12-31 1969-12-31
2020-01-01T00:00:00Z 2020-01-01T23:59:59Z 2020-01-01T00:00:00.000Z 2020-01-01T00:00:00.999Z 2020-01-01T00:00:00+0000
2020-01-01T00:00:00-0000 2020-01-01T00:00:00+2359 2020-01-01T00:00:00.123-2359 2019-12-31T22:30:00-0130
1969-12-31T23:59:59.999Z 1970-01-01T01:00:00+0100`.split(/\s+/)
const NO_DATETIMES = [
  ...`2021-02-29 1900-02-29 2100-02-29 2020-02-30 2020-04-31 2020-13-01 2020-00-01 2020-01-00 2020-01-32 10000-01-01
+10000-01-01 -0001-01-01 2020-1-1 20200101 2020-01-01T 2020-01-01T00:00:00 2020-01-01T00:00Z 2020-01-01T23:59:60Z
2020-01-01T24:00:00Z 2020-01-01T00:60:00Z 2016-12-31T23:59:60Z 2020-01-01t00:00:00Z 2020-01-01T00:00:00z
2020-01-01T00:00:00.1Z 2020-01-01T00:00:00.1234Z 2020-01-01T00:00:00.Z 2020-01-01T00:00:00,000Z 2020-01-01T00:00:00.999
2020-01-01T00:00:00+00:00 2020-01-01T00:00:00+00 2020-01-01T00:00:00+2400 2020-01-01T00:00:00+1260 2020-01-01Z
2020-01-01T00:00:00ZZ ２020-01-01 2020-01-01T00:00:00.000Z+0000`.split(/\s+/),
  '',
  ' 2020-01-01',
  '2020-01-01 ',
  '2020-01-01\n',
  '2020-01-01 00:00:00Z',
]
const DURATIONS =
  `0ms -0ms 1d 1h 1m 1s 1ms 1d2h3m4s5ms 1d5ms 1m1ms -1d -1d1h 24h 01d 1001ms -1001ms -1ms 86399999ms
-86400001ms 000000000000000000000000001d 9007199254740991ms 9007199254740992ms -9007199254740993ms
9223372036854775807ms -9223372036854775808ms 106751991167d 106751991167d7h12m55s807ms -106751991167d7h12m55s808ms`.split(
    /\s+/,
  )
const NO_DURATIONS = [
  ...`- 1 1d-2h 1h1d 1ms1s 1d1d +1d 1D 1.5h d dhms 1dms 1h1m1 --1d -1d-1h 1s2m 1mm 1sms １d 9223372036854775808ms
-9223372036854775809ms 106751991168d -106751991168d 106751991167d7h12m55s808ms -106751991167d7h12m55s809ms
18446744073709551616ms 9223372036854775807s 1d9223372036854775807ms`.split(/\s+/),
  '',
  ' 1d',
  '1 d',
  '1m 2s',
  '1d\n',
]

describe('datetime', () => {
  test('reads and refuses what Cedar does', () => {
    expectSameReading('datetime', [...DATETIMES, ...NO_DATETIMES])
    for (const text of NO_DATETIMES) expect([text, apply('datetime', text)]).toEqual([text, null])
  })

  test('compares as Cedar does', () => {
    expectSamePairs('datetime', ['==', '<', '<='], DATETIMES)
  })

  test('reckons as Cedar does, beyond its range too', () => {
    const datetimes = ['1970-01-01', '1969-12-31T23:59:59.999Z', '0000-01-01', '9999-12-31', '2020-02-29']
    const texts = [...datetimes, ...DURATIONS]
    const expressions: string[] = []
    const own: Verdict[] = []
    const epoch = apply('datetime', '1970-01-01') ?? false
    for (let i = 0; i < datetimes.length; i++) {
      for (let j = datetimes.length; j < texts.length; j++) {
        const [at, by] = [`datetime(context.s${i})`, `duration(context.s${j})`]
        const later = apply(
          'offset',
          apply('datetime', texts[i] ?? '') ?? false,
          apply('duration', texts[j] ?? '') ?? false,
        )
        const since = later === null ? null : apply('durationSince', later, epoch)
        const back = later === null ? null : apply('durationSince', epoch, later)
        const date = later === null ? null : apply('toDate', later)
        const time = later === null ? null : apply('toTime', later)
        for (const [made, expression] of [
          [since, `${at}.offset(${by}).durationSince(datetime("1970-01-01"))`],
          [back, `datetime("1970-01-01").durationSince(${at}.offset(${by}))`],
          [
            date === null ? null : apply('durationSince', date, epoch),
            `${at}.offset(${by}).toDate().durationSince(datetime("1970-01-01"))`,
          ],
          [time, `${at}.offset(${by}).toTime()`],
        ] as const) {
          const ms = made === null ? null : apply('toMilliseconds', made)
          own.push(ms === null ? 'error' : 'true')
          expressions.push(
            ms === null ? `${expression} == ${expression}` : `${expression} == duration("${ms}ms")`,
          )
        }
      }
    }
    const expected = reference(expressions, texts)
    expect(expressions.map((each, i) => `${each}: ${own[i]}`)).toEqual(
      expressions.map((each, i) => `${each}: ${expected[i]}`),
    )
  })

  test('reads and refuses made-up texts as Cedar does', () => {
    const two = fc.integer({ min: 0, max: 62 }).map((n) => String(n).padStart(2, '0'))
    const texts = fc
      .record({
        year: fc.integer({ min: 0, max: 9999 }).map((n) => String(n).padStart(4, '0')),
        month: fc.integer({ min: 0, max: 13 }).map((n) => String(n).padStart(2, '0')),
        day: fc.integer({ min: 0, max: 32 }).map((n) => String(n).padStart(2, '0')),
        time: fc.option(
          fc.tuple(two, two, two).map((parts) => `T${parts.join(':')}`),
          { nil: '' },
        ),
        ms: fc.constantFrom('', '.000', '.12', '.999'),
        zone: fc.oneof(
          fc.constantFrom('', 'Z'),
          fc.tuple(fc.constantFrom('+', '-'), two, two).map((parts) => parts.join('')),
        ),
      })
      .map(({ year, month, day, time, ms, zone }) => `${year}-${month}-${day}${time}${ms}${zone}`)
    expectSameReadings('datetime', texts)
  })
})

describe('duration', () => {
  test('reads and refuses what Cedar does', () => {
    expectSameReading('duration', [...DURATIONS, ...NO_DURATIONS])
    for (const text of NO_DURATIONS) expect([text, apply('duration', text)]).toEqual([text, null])
  })

  test('compares as Cedar does', () => {
    expectSamePairs('duration', ['==', '<', '<='], DURATIONS)
  })

  test('counts whole units as Cedar does', () => {
    for (const method of ['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays']) {
      const expressions = DURATIONS.map((text, i) => {
        const count = apply(method, apply('duration', text) ?? false)
        // Cedar has no literal for the least number.
        return count === -9223372036854775808n
          ? `duration(context.s${i}).${method}() == -9223372036854775807 - 1`
          : `duration(context.s${i}).${method}() == ${count}`
      })
      expect(reference(expressions, DURATIONS)).toEqual(DURATIONS.map(() => 'true'))
    }
  })

  test('reads and refuses made-up texts as Cedar does', () => {
    const amount = fc.oneof(
      fc.nat(99).map(String),
      fc.constantFrom('', '0', '106751991167', '9223372036854775807', '9223372036854775808'),
    )
    const part = fc
      .tuple(amount, fc.constantFrom('d', 'h', 'm', 's', 'ms', ''))
      .map((parts) => parts.join(''))
    const texts = fc
      .tuple(fc.constantFrom('', '', '-'), fc.array(part, { maxLength: 5 }))
      .map(([sign, parts]) => sign + parts.join(''))
    expectSameReadings('duration', texts)
  })
})

describe('arguments of another type', () => {
  test('are errors', () => {
    const values: Value[] = [
      true,
      1,
      'x',
      ...['ip', 'decimal', 'datetime', 'duration'].flatMap((name) => apply(name, SAMPLE[name] ?? '') ?? []),
    ]
    expect(values).toHaveLength(7)
    for (const { name, arity, style, apply: raw } of EXTENSION_FUNCTIONS.values()) {
      const own = values.filter((a) =>
        values.some((b) => apply(name, a, arity === 2 ? b : undefined) !== null),
      )
      expect([name, own.length]).toEqual([name, style === 'method' ? 1 : 0])
      expect(() => raw(1, undefined)).toThrow()
    }
  })
})

const SAMPLE: Readonly<Record<string, string>> = {
  ip: '10.0.0.1',
  decimal: '1.5',
  datetime: '2026-11-21',
  duration: '1h',
}

/** Batches of texts, so that one call of cedar-wasm compares many. */
function expectSameReadings(name: string, text: fc.Arbitrary<string>): void {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 60 }), (texts) => expectSameReading(name, texts)),
    { numRuns: 12 },
  )
}
