import type { Finding } from '../../model/fact.ts'
import { parseForm } from '../../syntax/form.ts'
import type { JsonLimits } from '../../syntax/json.ts'
import { isUtf8 } from '../../syntax/media-type.ts'
import { DEFAULT_XML_LIMITS, parseXml } from '../../syntax/xml.ts'
import type { BodyReading } from '../body.ts'
import type { ChosenContent } from '../content.ts'
import type { Check } from '../runtime.ts'
import type { MediaDetail } from './detail.ts'
import { readFormBody } from './form.ts'
import { mediaKind } from './kind.ts'
import { readMultipartBody } from './multipart.ts'
import { malformed } from './reading.ts'
import { readTextBody } from './text.ts'
import { readXmlBody } from './xml.ts'

export type LinkedMedia = MediaDetail<Check | null>

/** Content that is not JSON as the value its schema speaks of; null where nothing of it can be held. Never throws. */
export function readMedia(
  { media, content }: ChosenContent,
  bytes: Uint8Array,
  limits: JsonLimits,
): BodyReading | Finding | null {
  const detail = content.media
  if (detail === undefined) return null
  const kind = mediaKind(media)
  // Escapes are undone in it by some (Django, Tomcat) and in UTF-8 by others.
  if (kind === 'form' && !isUtf8(media)) return malformed('charset', 0)
  if (kind === 'form' && detail.form !== undefined) return readFormBody(detail.form, bytes, limits)
  if (kind === 'multipart' && detail.multipart !== undefined)
    return readMultipartBody(detail.multipart, media, bytes, limits)
  if (kind === 'xml') {
    const charset = media.parameters.get('charset')
    if (charset !== undefined && !/^utf-8$/i.test(charset)) return malformed('charset', 0)
    if (detail.xml !== undefined) return readXmlBody(detail.xml, bytes, limits)
  }
  if (detail.text !== undefined && kind !== 'bytes' && kind !== 'multipart') {
    const fault = kind === 'xml' ? xmlFault(bytes) : kind === 'form' ? formFault(bytes) : null
    return fault ?? readTextBody(detail.text.types, media, bytes, limits)
  }
  if (detail.bytes !== true) return null
  // A character a byte: what `maxLength` of a binary string counts (OpenAPI 3.0.4 §4.7.14.2).
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  return { value, digits: null, write: () => null }
}

function xmlFault(bytes: Uint8Array): Finding | null {
  const read = parseXml(bytes, DEFAULT_XML_LIMITS)
  return read.ok ? null : malformed(read.rule, read.offset)
}

function formFault(bytes: Uint8Array): Finding | null {
  const read = parseForm(bytes)
  return read.ok ? null : malformed(read.rule, read.offset)
}
