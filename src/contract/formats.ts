import { fullFormats } from 'ajv-formats/dist/formats.js'
import { parseMediaType } from '../syntax/media-type.ts'
import { isHostname, isIdnHostname } from './format-host.ts'
import { isDate, isDateTime, isDuration, isHttpDate, isTime } from './format-time.ts'
import { isIpv6, isIri, isIriReference, isUri, isUriReference, isUriTemplate } from './format-uri.ts'
import { burn } from './fuel.ts'

export interface Format {
  readonly type: 'string' | 'number'
  readonly validate: ((value: string) => boolean) | ((value: number) => boolean)
}

/**
 * No address, date or identifier is longer, and the checks' expressions see no more than this. Content encoded as
 * text is not such a value and has no bound here.
 */
const MAX_CHARACTERS = 8_192
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
/** RFC 4648 §5, with its padding or without. */
const BASE64URL = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}(?:==)?|[A-Za-z0-9_-]{3}=?)?$/
const UUID = /^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$/

/** RFC 5321 §4.1.2 */
const ATOMS = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const QUOTED = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"$/
const IDN_QUOTED = /^"(?:[^\x00-\x1f\x22\x5c\x7f]|\\[\x20-\x7e])*"$/u
/** RFC 6531 §3.3: any character beyond ASCII may stand in an atom. */
const IDN_ATOMS =
  /^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\x00-\x7f\s])+(?:\.(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\x00-\x7f\s])+)*$/u
const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/

function isEmail(
  text: string,
  [atoms, quoted]: readonly [RegExp, RegExp],
  isHost: (host: string) => boolean,
): boolean {
  const at = text.lastIndexOf('@')
  const [local, host] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || local.length > 64 || !(atoms.test(local) || quoted.test(local))) return false
  if (!host.startsWith('[')) return isHost(host)
  const literal = /^\[(?:IPv6:([^\]]*)|([^\]]*))\]$/i.exec(host)
  if (literal === null) return isHost(host)
  return literal[1] === undefined ? IPV4.test(literal[2] ?? '') : isIpv6(literal[1])
}

/** The OpenAPI format registry and JSON Schema validation 2020-12 §7.3, as far as they say something checkable. */
const TEXTS: Readonly<Record<string, (value: string) => boolean>> = {
  date: isDate,
  time: isTime,
  'date-time': isDateTime,
  duration: isDuration,
  'http-date': isHttpDate,
  email: (text) => isEmail(text, [ATOMS, QUOTED], isHostname),
  'idn-email': (text) => isEmail(text.normalize('NFC'), [IDN_ATOMS, IDN_QUOTED], isIdnHostname),
  hostname: isHostname,
  'idn-hostname': isIdnHostname,
  ipv4: (text) => IPV4.test(text),
  ipv6: isIpv6,
  uri: isUri,
  'uri-reference': isUriReference,
  'uri-template': isUriTemplate,
  iri: isIri,
  'iri-reference': isIriReference,
  uuid: (text) => UUID.test(text),
  'json-pointer': stated('json-pointer'),
  'relative-json-pointer': stated('relative-json-pointer'),
  regex: weighed(stated('regex')),
  'media-range': (text) => parseMediaType(text) !== null,
  char: (text) => text.length <= 2 && [...text].length === 1,
  'sf-token': (text) => /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/.test(text),
  'sf-string': (text) => /^[\x20-\x7e]*$/.test(text),
}

/** Whole numbers from one to the other, by their digits because a double does not hold them all. */
export const INTEGER_FORMATS: ReadonlyMap<string, readonly [least: string, most: string]> = new Map([
  ...[8, 16, 32, 64].flatMap((bits): [string, readonly [string, string]][] => [
    [`int${bits}`, [String(-(2n ** BigInt(bits - 1))), String(2n ** BigInt(bits - 1) - 1n)]],
    [`uint${bits}`, ['0', String(2n ** BigInt(bits) - 1n)]],
  ]),
  ['double-int', [String(-(2n ** 53n - 1n)), String(2n ** 53n - 1n)]] as const,
  // RFC 9651 §3.3.1
  ['sf-integer', ['-999999999999999', '999999999999999']] as const,
])

/** Say nothing that JSON's own types do not. */
const UNBOUNDED = new Set(
  'binary password double decimal decimal128 commonmark html sf-binary sf-boolean sf-decimal'.split(' '),
)

export const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ...Object.entries(TEXTS).map(([name, check]): [string, Format] => [
    name,
    { type: 'string', validate: (value: string) => value.length <= MAX_CHARACTERS && check(value) },
  ]),
  ['byte', { type: 'string', validate: (value: string) => BASE64.test(value) }],
  ['base64url', { type: 'string', validate: (value: string) => BASE64URL.test(value) }],
  ['float', { type: 'number', validate: (value: number) => Number.isFinite(Math.fround(value)) }],
])

/** Names of the formats that are honoured: checked, or saying nothing checkable. */
export function isKnownFormat(name: string): boolean {
  return FORMATS.has(name) || INTEGER_FORMATS.has(name) || UNBOUNDED.has(name)
}

/** Those of ajv-formats that are as their standards have them. */
function stated(name: 'json-pointer' | 'relative-json-pointer' | 'regex'): (value: string) => boolean {
  const format: unknown = fullFormats[name]
  if (format instanceof RegExp) return (value) => format.test(value)
  if (typeof format === 'function') return format as (value: string) => boolean
  throw new TypeError(`no check for format ${name}`)
}

/** A class of characters by their properties is worked out where it is read, 0.3 ms each; sets are sorted as they grow. */
const PROPERTY_FUEL = 3_000
const SQUARE_PER_FUEL = 100

/** Reading an expression costs more than its characters: taken from the check's fuel first. */
function weighed(check: (value: string) => boolean): (value: string) => boolean {
  return (value) => {
    const properties = value.split(/\\p/i).length - 1
    burn(10 + value.length + (value.length * value.length) / SQUARE_PER_FUEL + PROPERTY_FUEL * properties)
    return check(value)
  }
}
