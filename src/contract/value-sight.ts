import { type JsonLimits, scanJson } from '../syntax/json.ts'
import { readPointer } from '../syntax/json-pointer.ts'
import { isJson, parseMediaType } from '../syntax/media-type.ts'
import { detect } from '../syntax/sensitive/detect.ts'
import { joinSights, type Sight, type SightType, sightText } from '../syntax/value-sight.ts'
import { isRawNumber, numberText } from './exact-json.ts'
import { FORMATS } from './formats.ts'

/** Values of one message that are looked at, at every level: what differs is a sample for people, and never decides. */
const MAX_VALUES = 96
/** Members of one object that are named. */
const MAX_NAMED = 32
const MAX_LEVELS = 6
/** A longer name is more likely a key of data than a field. */
const MAX_NAME = 64
/** Longer texts have no format worth telling, and detectors look at no more of one. */
const MAX_FORMATTED = 256

/** Looks at the values of one message, as far as its budget goes. */
export class Sighting {
  #left = MAX_VALUES

  /** Nothing more below the first level is looked at. */
  get spent(): boolean {
    return this.#left <= 0
  }

  /** @param name Of the field it stands in; empty where it has none. */
  text(value: unknown, name: string): string {
    return sightText(this.see(value, name, 0))
  }

  see(value: unknown, name: string, level: number): Sight {
    this.#left--
    if (value === null) return { types: ['null'] }
    if (typeof value === 'string') return textSight(value, name)
    if (typeof value === 'boolean') return { types: ['boolean'] }
    if (typeof value === 'number') return { types: [Number.isInteger(value) ? 'integer' : 'number'] }
    if (typeof value !== 'object') return { types: [] }
    if (isRawNumber(value)) return { types: [numberType(numberText(value))] }
    return Array.isArray(value) ? this.#list(value, name, level) : this.#object(value, level)
  }

  #list(list: readonly unknown[], name: string, level: number): Sight {
    if (list.length === 0) return { types: ['array'] }
    if (level >= MAX_LEVELS || this.#left <= 0) return { types: ['array'], more: true }
    let items: Sight | undefined
    for (const each of list) {
      if (this.#left <= 0) break
      const seen = this.see(each, name, level + 1)
      items = items === undefined ? seen : joinSights(items, seen)
    }
    return { types: ['array'], ...(items === undefined ? { more: true } : { items }) }
  }

  #object(object: object, level: number): Sight {
    const members = new Map<string, Sight>()
    let more = false
    for (const [name, value] of Object.entries(object)) {
      // Names are the sender's, and may be as telling as values.
      const untold =
        this.#left <= 0 || level >= MAX_LEVELS || members.size >= MAX_NAMED || name.length > MAX_NAME
      if (untold || !name.isWellFormed() || detect(name, '') !== null) more = true
      else members.set(name, this.see(value, name, level + 1))
    }
    return { types: ['object'], members, ...(more ? { more } : {}) }
  }
}

/** The types of a value and of what is in it, never a value; see `Sight`. Bounded in values, levels and names. */
export function sightOf(value: unknown, name = ''): string {
  return new Sighting().text(value, name)
}

/** Of texts that stand for a value: a query parameter's, each time it is given. */
export function sightOfTexts(texts: readonly string[], name: string): string {
  let sight: Sight | undefined
  for (const text of texts.slice(0, MAX_NAMED)) {
    const type: SightType | null =
      text === 'true' || text === 'false' ? 'boolean' : NUMBER.test(text) ? numberType(text) : null
    const seen: Sight = type === null ? textSight(text, name) : { types: [type] }
    sight = sight === undefined ? seen : joinSights(sight, seen)
  }
  if (sight === undefined) return ''
  return sightText(texts.length > 1 ? { types: ['array'], items: sight } : sight)
}

const NUMBER = /^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?$/

const numberType = (text: string): SightType => (/[.eE]/.test(text) ? 'number' : 'integer')

function textSight(text: string, name: string): Sight {
  const format = text.length > MAX_FORMATTED ? undefined : formatOf(text)
  const found = format === 'uuid' ? null : detect(text.slice(0, MAX_FORMATTED), name)
  return {
    types: ['string'],
    ...(format === undefined ? {} : { format }),
    length: lengthClass(text.length),
    ...(found === null ? {} : { detected: { class: found.class, kind: found.kind } }),
  }
}

/** Only what a glance makes likely is tried: the formats' own checks say whether it is so. */
function formatOf(text: string): string | undefined {
  const { length } = text
  const likely =
    length === 36 && text[8] === '-'
      ? 'uuid'
      : length >= 20 && text[4] === '-' && text[10] === 'T'
        ? 'date-time'
        : length === 10 && text[4] === '-'
          ? 'date'
          : /^[a-z][a-z0-9+.-]{0,15}:\/\//i.test(text)
            ? 'uri'
            : text.includes('@')
              ? 'email'
              : undefined
  if (likely === undefined) return undefined
  const format = FORMATS.get(likely)
  return format?.type === 'string' && (format.validate as (value: string) => boolean)(text)
    ? likely
    : undefined
}

/** The least power of two that holds it. */
const lengthClass = (length: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, length)))

/** The value's types where a check's instance path leads; null where it leads nowhere. */
export function sightAt(value: unknown, instancePath: string): string | null {
  const segments = instancePath
    .split('/')
    .slice(1)
    .map((each) => each.replaceAll('~1', '/').replaceAll('~0', '~'))
  const at = segments.length === 0 ? value : readPointer(value, segments)
  return at === undefined ? null : sightOf(at, segments.at(-1) ?? '')
}

/** What a whole message was that no contract declares: its media type, and the types of JSON. */
export function sightOfContent(
  contentType: string | undefined,
  bytes: Uint8Array,
  limits: JsonLimits,
): { readonly mediaType?: string; readonly type?: string } {
  const media = contentType === undefined ? null : parseMediaType(contentType)
  if (media === null) return {}
  const mediaType = media.essence.slice(0, MAX_FORMATTED)
  if (!isJson(media) || bytes.byteLength === 0) return { mediaType }
  const scan = scanJson(bytes, limits)
  return scan.ok ? { mediaType, type: sightOf(scan.value) } : { mediaType }
}
