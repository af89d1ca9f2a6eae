import { type Expression, PatternFault, parsePattern } from '../../contract/pattern-syntax.ts'
import type { Chance } from './chance.ts'
import type { SchemaView } from './schema-view.ts'

/** What each format takes; of formats that are not here any text is tried. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  date: ['2026-11-20', '1999-02-28', '2024-02-29'],
  'date-time': ['2026-11-20T09:30:00Z', '1999-12-31T23:59:59.123+02:00'],
  time: ['09:30:00Z', '23:59:59+01:00'],
  duration: ['P1D', 'PT15M', 'P1Y2M3DT4H5M6S'],
  uuid: ['6f1c0b1e-7d3a-4c52-9b1d-2f0f8f0a1b2c', '00000000-0000-4000-8000-000000000001'],
  email: ['ada@shop.example', 'a.b+c@mail.shop.example'],
  hostname: ['shop.example', 'a-1.b2.example'],
  ipv4: ['192.0.2.1', '198.51.100.254'],
  ipv6: ['2001:db8::1', '2001:db8:0:1:1:1:1:1'],
  uri: ['https://shop.example/a?b=c#d', 'urn:isbn:0451450523'],
  'uri-reference': ['/a/b', 'https://shop.example/'],
  url: ['https://shop.example/a'],
  'uri-template': ['https://shop.example/{a}'],
  byte: ['aGVsbG8=', 'AAECAw=='],
  base64: ['aGVsbG8='],
  base64url: ['aGVsbG8', '_-8'],
  'idn-email': ['ada@shop.example'],
  'idn-hostname': ['shop.example'],
  iri: ['https://shop.example/a'],
  'iri-reference': ['/a/b'],
  decimal: ['19.99'],
  char: ['a'],
  'media-range': ['text/html'],
  'http-date': ['Sun, 06 Nov 1994 08:49:37 GMT'],
  regex: ['^a+$'],
  'json-pointer': ['/a/b'],
  'relative-json-pointer': ['1/a'],
}

/** What each format refuses, whatever else it may mean. */
const SPOILT: Readonly<Record<string, string>> = {
  date: '2026-13-45',
  'date-time': '2026-11-20 at noon',
  time: '25:61:00Z',
  uuid: 'not-a-uuid',
  email: 'nobody at nowhere',
  hostname: '-bad-.example-',
  ipv4: '192.0.2.256',
  ipv6: '2001:db8::1::2',
  uri: 'no scheme at all',
  byte: '***',
}

const ATTEMPTS = 20
/** An endless repetition is stopped here. */
const MAX_REPEATED = 6

/** A text that fits, or null where none was found. */
export function textFor(view: SchemaView, chance: Chance): string | null {
  const most = Math.min(view.maxLength, Math.max(view.minLength, 12) + 4)
  if (most < view.minLength) return null
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const text = candidate(view, chance, most)
    if (text === null) return null
    const { length } = [...text]
    if (length >= view.minLength && length <= view.maxLength && matches(text, view.patterns)) return text
  }
  return null
}

/** A text its format refuses; null where none is known. */
export function spoiltFormat(view: SchemaView): string | null {
  const [format] = view.formats
  return view.formats.length === 1 && format !== undefined ? (SPOILT[format] ?? null) : null
}

function candidate(view: SchemaView, chance: Chance, most: number): string | null {
  const [pattern] = view.patterns
  if (pattern !== undefined) {
    try {
      return fromPattern(parsePattern(pattern), chance, Math.max(view.minLength, MAX_REPEATED))
    } catch (error) {
      if (error instanceof PatternFault) return null
      throw error
    }
  }
  const [format] = view.formats
  const samples = format === undefined ? undefined : SAMPLES[format]
  if (samples !== undefined) return chance.pick(samples)
  const length = chance.whole(view.minLength, most)
  return Array.from({ length }, () => chance.pick([...'abcdefghijklmnopqrstuvwxyz0123456789'])).join('')
}

function matches(text: string, patterns: readonly string[]): boolean {
  return patterns.every((pattern) => {
    try {
      return new RegExp(pattern, 'u').test(text)
    } catch {
      return false
    }
  })
}

/** Anchors take no room: a pattern that has others in its middle gives texts that are tried and thrown away. */
function fromPattern(expression: Expression, chance: Chance, most: number): string {
  switch (expression.kind) {
    case 'set': {
      const printable = expression.set.flatMap(([from, to]) => {
        const low = Math.max(from, 0x21)
        const high = Math.min(to, 0x7e)
        return low <= high ? [[low, high] as const] : []
      })
      const all = printable.length > 0 ? printable : expression.set
      const [from, to] = chance.pick(all)
      return String.fromCodePoint(chance.whole(from, Math.min(to, from + 200)))
    }
    case 'sequence':
      return expression.items.map((item) => fromPattern(item, chance, most)).join('')
    case 'choice':
      return fromPattern(chance.pick(expression.branches), chance, most)
    case 'repeat': {
      const times = chance.whole(expression.min, Math.min(expression.max, Math.max(expression.min, most)))
      return Array.from({ length: Math.min(times, 2_000) }, () =>
        fromPattern(expression.item, chance, most),
      ).join('')
    }
    default:
      return ''
  }
}
