import { isUtf8 } from 'node:buffer'
import type { Finding } from '../../model/fact.ts'
import type { JsonLimits } from '../../syntax/json.ts'
import type { MediaType } from '../../syntax/media-type.ts'
import type { BodyReading } from '../body.ts'
import type { ParameterType } from '../detail.ts'
import { malformed, reading, typed } from './reading.ts'

/** Character encodings that are read, by their names in the IANA registry. */
const CHARSETS: Readonly<Record<string, 'utf8' | 'ascii' | 'latin1'>> = {
  'utf-8': 'utf8',
  utf8: 'utf8',
  'us-ascii': 'ascii',
  ascii: 'ascii',
  'iso-8859-1': 'latin1',
  latin1: 'latin1',
}

/** The text, or why it is none. Without a charset it is UTF-8 (RFC 6657 §3 lets a type say so; all of use do). */
export function decodeText(media: MediaType, bytes: Uint8Array): { readonly text: string } | Finding {
  const charset = CHARSETS[media.parameters.get('charset')?.toLowerCase() ?? 'utf-8']
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (charset === undefined) return malformed('charset', 0)
  if (charset === 'utf8' && !isUtf8(source)) return malformed('invalid-utf8', 0)
  if (charset === 'ascii' && source.some((byte) => byte > 0x7f)) return malformed('charset', 0)
  // Some readers take it for text, some for a mark.
  if (charset === 'utf8' && source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf)
    return malformed('bom', 0)
  const nul = source.indexOf(0)
  if (nul >= 0) return malformed('nul', nul)
  return { text: source.toString(charset === 'utf8' ? 'utf8' : 'latin1') }
}

/** One text, by the types its schema lets it be. */
export function readTextBody(
  types: readonly ParameterType[],
  media: MediaType,
  bytes: Uint8Array,
  limits: JsonLimits,
): BodyReading | Finding {
  const read = decodeText(media, bytes)
  if ('reason' in read) return read
  const doubles = reading(limits, false)
  const value = typed(read.text, types, doubles)
  const digits = doubles.reading.rounded ? () => typed(read.text, types, reading(limits, true)) : null
  // One text is no object: nothing is ever taken out of it.
  return { value, digits, write: () => null }
}
