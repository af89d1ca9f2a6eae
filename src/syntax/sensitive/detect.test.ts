import { randomUUID } from 'node:crypto'
import { countrySpecs } from 'ibantools'
import { isValidPhoneNumber } from 'libphonenumber-js/max'
import { describe, expect, it } from 'vitest'
import { luhn, mod11And10, mod97, weighted } from './check-digits.ts'
import { detect } from './detect.ts'
import { withoutSecrets } from './hidden-text.ts'
import { ibanIn } from './numbers.ts'

// Labelled samples: what must be found by each detector, made with other means than the detector's own where there are
// any, beside values of ordinary answers that are none of it. docs/how-to/sensitive-fields.md has the table.

/** Reproducible (mulberry32). */
let seed = 20261122
const random = (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}
const int = (below: number): number => Math.floor(random() * below)
const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T
const of = (alphabet: string, length: number): string =>
  Array.from({ length }, () => pick([...alphabet])).join('')
const DIGITS = '0123456789'
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const BASE64URL = `${UPPER}${UPPER.toLowerCase()}${DIGITS}-_`
const two = (n: number): string => String(n).padStart(2, '0')
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

function withCheck(body: string, fits: (digits: string) => boolean, letters = DIGITS): string {
  for (const last of letters) if (fits(body + last)) return body + last
  return withCheck(of(DIGITS, body.length), fits, letters)
}

const card = (): string => {
  const [prefix, length] = pick([
    ['4', 16],
    ['51', 16],
    ['55', 16],
    ['2223', 16],
    ['34', 15],
    ['37', 15],
    ['6011', 16],
    ['3530', 16],
    ['62', 16],
    ['36', 14],
  ] as const)
  const digits = withCheck(prefix + of(DIGITS, length - 1 - prefix.length), luhn)
  return length === 16 && random() < 0.5 ? digits.replace(/(.{4})(?=.)/g, pick(['$1 ', '$1-'])) : digits
}
const iban = (): string => {
  const [country, body] = pick([
    ['DE', of(DIGITS, 18)],
    ['GB', of(UPPER, 4) + of(DIGITS, 14)],
    ['FR', of(DIGITS, 23)],
    ['NL', of(UPPER, 4) + of(DIGITS, 10)],
    ['ES', of(DIGITS, 20)],
  ] as const)
  const check = two(98 - mod97(`${body}${country}00`))
  const text = `${country}${check}${body}`
  return random() < 0.5 ? text : text.replace(/(.{4})(?=.)/g, '$1 ')
}
const nir = (): string => {
  const body = `${pick(['1', '2'])}${two(int(100))}${two(1 + int(12))}${two(1 + int(95))}${of(DIGITS, 6)}`
  return body + two(97 - Number(BigInt(body) % 97n))
}
const dni = (): string => {
  const digits = of(DIGITS, 8)
  return digits + 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(digits) % 23]
}
const pesel = (): string => {
  const body = `${two(40 + int(59))}${two(1 + int(12))}${two(1 + int(28))}${of(DIGITS, 4)}`
  return body + String((10 - (weighted(body, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10)
}
const personnummer = (): string => {
  const date = `${two(int(100))}${two(1 + int(12))}${two(1 + int(28))}`
  return `${date}-${withCheck(date + of(DIGITS, 3), luhn).slice(6)}`
}
const nhs = (): string =>
  withCheck(of(DIGITS, 9), (digits) => weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0)
const bsn = (): string =>
  withCheck(of(DIGITS, 8), (digits) => weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0)

/** Nine of the ten digits, one of them twice, none leading that is 0. */
const steuerId = (): string => {
  const digits = [...DIGITS]
  digits.splice(int(10), 1)
  digits.push(pick(digits))
  for (let at = digits.length - 1; at > 0; at--) {
    const other = int(at + 1)
    const [one = '', two = ''] = [digits[at], digits[other]]
    digits[at] = two
    digits[other] = one
  }
  const body = digits.join('')
  return body.startsWith('0') ? steuerId() : withCheck(body, mod11And10)
}

/** Published examples. */
const FISCAL = ['RSSMRA85T10A562S', 'MRTMTT91D08F205J', 'RSSMRA80A01H501U']

interface Sample {
  readonly value: string
  readonly name: string
}
const bare = (value: string): Sample => ({ value, name: 'value' })

const MUST: Readonly<Record<string, () => Sample>> = {
  card: () => bare(card()),
  iban: () => bare(iban()),
  email: () =>
    bare(
      pick([
        `${of('abcdefgh', 6)}.${of('xyz', 3)}@example.${pick(['com', 'co.uk', 'org'])}`,
        `Write to ${of('abc', 5)}+tag@mail.example.net, please`,
      ]),
    ),
  phone: () =>
    pick([
      () => bare(`+49 30 ${of(DIGITS, 7)}`),
      () => bare(`+1 (${2 + int(8)}${of(DIGITS, 2)}) ${2 + int(8)}${of(DIGITS, 2)}-${of(DIGITS, 4)}`),
      () => bare(`+4479${of(DIGITS, 8)}`),
      () => bare(`+33 6 ${of(DIGITS, 2)} ${of(DIGITS, 2)} ${of(DIGITS, 2)} ${of(DIGITS, 2)}`),
      () => ({ value: `030 ${of(DIGITS, 3)} ${of(DIGITS, 4)}`, name: 'phone' }),
    ])(),
  'us-ssn': () => bare(`${pick(['123', '451', '665', '801'])}-${two(1 + int(99))}-${1000 + int(8999)}`),
  'uk-nino': () => bare(`${pick(['AB', 'CE', 'JG', 'PW'])}${of(DIGITS, 6)}${pick([...'ABCD'])}`),
  'fr-nir': () => bare(nir()),
  'es-dni': () => bare(dni()),
  'it-codice-fiscale': () => bare(pick(FISCAL)),
  'pl-pesel': () => bare(pesel()),
  'se-personnummer': () => bare(personnummer()),
  'nl-bsn': () => ({ value: bsn(), name: 'bsn' }),
  'de-steuer-id': () => ({ value: steuerId(), name: pick(['steuerId', 'taxId', 'idnr']) }),
  'uk-nhs': () => ({ value: nhs(), name: 'nhsNumber' }),
  jwt: () => bare(`eyJ${of(BASE64URL, 30)}.eyJ${of(BASE64URL, 80)}.${of(BASE64URL, 43)}`),
  'aws-key': () => bare(`${pick(['AKIA', 'ASIA'])}${of(`${UPPER}234567`, 16)}`),
  'google-key': () => bare(`AIza${of(BASE64URL, 35)}`),
  'github-token': () =>
    bare(pick([`ghp_${of(UPPER + DIGITS, 36)}`, `github_pat_${of(UPPER, 22)}_${of(UPPER + DIGITS, 59)}`])),
  'slack-token': () => bare(`xoxb-${of(DIGITS, 12)}-${of(UPPER, 24)}`),
  'stripe-key': () => bare(`sk_${'live'}_${of(UPPER + DIGITS, 24)}`),
  'azure-sas': () =>
    bare(`https://a.blob.example/c?sv=2022-11-02&se=2026-01-01&sig=${of(UPPER + DIGITS, 43)}%3D`),
  'private-key': () =>
    bare(`-----BEGIN ${pick(['', 'RSA ', 'EC ', 'OPENSSH '])}PRIVATE KEY-----\n${of(BASE64URL, 60)}`),
}

const nonLuhn = (): string => {
  const digits = `${pick(['4', '51', '62'])}${of(DIGITS, 15)}`.slice(0, 16)
  return luhn(digits) ? nonLuhn() : digits
}

/** Ordinary values; some are deliberately close. */
const PASS: Readonly<Record<string, () => Sample>> = {
  'order number': () => ({ value: `ORD-${20200000 + int(99999)}-${of(DIGITS, 6)}`, name: 'orderNumber' }),
  'seconds since the epoch': () => ({ value: String(1_600_000_000 + int(200_000_000)), name: 'createdAt' }),
  'milliseconds since the epoch': () => ({
    value: String(1_600_000_000_000 + int(200_000_000) * 1000 + int(1000)),
    name: 'updated',
  }),
  'date and time': () => bare(new Date(1.6e12 + int(2e9) * 100).toISOString()),
  uuid: () => bare(randomUUID()),
  'sha-256': () => bare(of('0123456789abcdef', 64)),
  'object id': () => bare(of('0123456789abcdef', 24)),
  price: () => bare(`${int(10_000)}.${two(int(100))}`),
  '16 digits without a check digit': () => bare(nonLuhn()),
  'product code': () => bare(`${of(UPPER, 3)}-${of(DIGITS, 4)}-${of(UPPER, 2)}${of(DIGITS, 2)}`),
  'id of 9 digits': () => ({ value: of(DIGITS, 9), name: 'id' }),
  'id of 10 digits': () => ({ value: of(DIGITS, 10), name: 'id' }),
  'id of 11 digits': () => ({ value: of(DIGITS, 11), name: 'trackingId' }),
  'id of 15 digits': () => ({ value: `9${of(DIGITS, 14)}`, name: 'id' }),
  'snowflake id': () => ({ value: `${1 + int(9)}${of(DIGITS, 17)}`, name: 'id' }),
  'version and host': () => bare(`v${int(20)}.${int(30)}.${int(9)}+build.${int(9999)}`),
  handle: () => bare(`@${of('abcdefgh', 8)}`),
  'time zone offset': () => bare(`+0${int(9)}:00`),
  coordinates: () => bare(`${int(90)}.${of(DIGITS, 6)}, ${int(180)}.${of(DIGITS, 6)}`),
  sentence: () =>
    bare(`Delivered ${int(30)} parcels to depot ${int(999)} on ${two(1 + int(12))}/${two(1 + int(28))}`),
  base64: () => bare(`${of(BASE64URL, 40)}==`),
  slug: () => bare(`${of('abcdef', 5)}-${of('ghijk', 7)}-${int(1000)}`),
}

const EACH = 200
const wanted = Object.entries(MUST).flatMap(([kind, make]) => times(EACH, () => ({ kind, ...make() })))
const ordinary = Object.entries(PASS).flatMap(([kind, make]) => times(EACH, () => ({ kind, ...make() })))

describe('detectors', () => {
  it('find what is there and pass what is not, detector by detector', () => {
    const falseBy = new Map<string, number>()
    const said = [...wanted, ...ordinary].map((sample) => ({
      sample,
      found: detect(sample.value, sample.name)?.kind,
    }))
    for (const { sample, found } of said)
      if (found !== undefined && found !== sample.kind) falseBy.set(found, (falseBy.get(found) ?? 0) + 1)
    const table = Object.keys(MUST).map((kind) => {
      const hits = said.filter(({ sample, found }) => sample.kind === kind && found === kind).length
      const wrong = falseBy.get(kind) ?? 0
      return { kind, recall: hits / EACH, precision: hits / Math.max(1, hits + wrong) }
    })
    if (process.env['SALLYPORT_TABLES'] !== undefined) console.table(table)
    for (const { kind, recall, precision } of table) {
      expect(recall, `recall of ${kind}`).toBeGreaterThanOrEqual(0.97)
      expect(precision, `precision of ${kind}`).toBeGreaterThanOrEqual(0.9)
    }
    const wrong = said.filter(({ sample, found }) => Object.hasOwn(PASS, sample.kind) && found !== undefined)
    expect(wrong.length / ordinary.length).toBeLessThan(0.02)
  })

  it('agree with ibantools about the length of accounts', () => {
    const differ = Object.entries(countrySpecs).filter(([country, { chars, IBANRegistry }]) => {
      if (!IBANRegistry || typeof chars !== 'number') return false
      const body = '0'.repeat(chars - 4)
      const text = `${country}${two(98 - mod97(`${body}${country}00`))}${body}`
      return !ibanIn(text)
    })
    // Territories, whose banks give out accounts of France and Finland.
    expect(differ.map(([country, { chars }]) => `${country}${chars}`)).toEqual(
      'AX18 GF27 GP27 MF27 MQ27 NC27 PF27 PM27 RE27 TF27 WF27 YT27'.split(' '),
    )
  })

  it('take most numbers with a + for telephone numbers that libphonenumber takes too', () => {
    const numbers = times(500, () => MUST['phone']?.().value ?? '').filter((value) => value.startsWith('+'))
    const valid = numbers.filter((value) => isValidPhoneNumber(value))
    expect(valid.filter((value) => detect(value, '')?.kind === 'phone').length / valid.length).toBe(1)
  })

  it.each([
    ['card in a text', 'paid with 4111 1111 1111 1111 today', 'card'],
    ['token in a text', `see Bearer eyJhbGciOiJI.eyJzdWIiOiI.${'a'.repeat(20)} there`, 'jwt'],
    ['a word and a number', 'Invoice 2024-0000123', undefined],
    ['all the same digit', '4444444444444444', undefined],
    ['nothing', '', undefined],
  ])('%s', (_, text, kind) => {
    expect(detect(text, '')?.kind).toBe(kind)
  })

  it('are linear: a hostile text of 100 kB takes no longer than its beginning', () => {
    for (const part of ['eyJ', '4', '4 ', 'a@', 'AB12', '+1', 'AKIA', '-----BEGIN ', 'a.']) {
      const started = performance.now()
      detect(part.repeat(100_000), 'phone')
      expect(performance.now() - started, part).toBeLessThan(200)
    }
  })
})

describe('a path without secrets', () => {
  it.each([
    ['/orders/1', '/orders/1'],
    ['/cards/4111111111111111/limit', '/cards/[redacted]/limit'],
    [`/reset/eyJhbGciOiJI.eyJzdWIiOiI.${'a'.repeat(20)}`, '/reset/[redacted]'],
    [`/AKIAABCDEFGHIJKLMNOP`, '/[redacted]'],
    ['/orders/01981b80-5f0e-7c3a-9d62-0b4c1f6f6a11', '/orders/01981b80-5f0e-7c3a-9d62-0b4c1f6f6a11'],
  ])('%s', (path, shown) => {
    expect(withoutSecrets(path)).toBe(shown)
  })
})
