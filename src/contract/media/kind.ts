import { isJson, type MediaType } from '../../syntax/media-type.ts'

export type MediaKind = 'json' | 'form' | 'multipart' | 'xml' | 'text' | 'bytes'

/** By which grammar content of a media type is read. */
export function mediaKind(media: MediaType): MediaKind {
  if (isJson(media)) return 'json'
  if (media.essence === 'application/x-www-form-urlencoded') return 'form'
  if (media.type === 'multipart') return 'multipart'
  // RFC 7303 §9: application/xml, text/xml and every +xml.
  if (media.subtype === 'xml' || media.subtype.endsWith('+xml')) return 'xml'
  return media.type === 'text' ? 'text' : 'bytes'
}
