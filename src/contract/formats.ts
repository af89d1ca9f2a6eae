import { fullFormats } from 'ajv-formats/dist/formats.js'

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

/**
 * `url` is left out because its expression backtracks quadratically and it is no registered format; `byte` is our own
 * because that of ajv-formats accepts a text of which only one line is base64.
 */
const TEXT_FORMATS = [
  'date',
  'time',
  'date-time',
  'duration',
  'uri',
  'uri-reference',
  'uri-template',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'regex',
  'uuid',
  'json-pointer',
  'relative-json-pointer',
] as const

/** Say nothing that JSON's own types do not. */
const UNBOUNDED = new Set(['binary', 'password', 'float', 'double'])

export const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ...TEXT_FORMATS.map((name): [string, Format] => [name, { type: 'string', validate: textCheck(name) }]),
  ['byte', { type: 'string', validate: (value: string) => BASE64.test(value) }],
  ['int32', { type: 'number', validate: (value: number) => value === (value | 0) }],
  ['int64', { type: 'number', validate: isInt64 }],
])

/** Names of the formats that are honoured: checked, or saying nothing checkable. */
export function isKnownFormat(name: string): boolean {
  return FORMATS.has(name) || UNBOUNDED.has(name)
}

function textCheck(name: (typeof TEXT_FORMATS)[number]): (value: string) => boolean {
  const stated = fullFormats[name]
  const check =
    stated instanceof RegExp
      ? (value: string) => stated.test(value)
      : typeof stated === 'function'
        ? stated
        : typeof stated === 'object' && 'validate' in stated && typeof stated.validate === 'function'
          ? (stated.validate as (value: string) => boolean)
          : undefined
  if (check === undefined) throw new TypeError(`no check for format ${name}`)
  return (value) => value.length <= MAX_CHARACTERS && check(value)
}

/** As far as a double can say: 2^63 itself is what every too large literal nearby is rounded to. */
function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63
}
