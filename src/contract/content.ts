import { isJson, isUtf8, type MediaType, matchesRange, parseMediaType } from '../syntax/media-type.ts'
import type { ContentDetail, ItemFraming } from './detail.ts'
import type { LinkedMedia } from './media/read.ts'
import type { Check } from './runtime.ts'
import type { LinkedShape } from './sealed-walk.ts'

/** One media range of a body or answer, linked to what checks it. */
export interface LinkedContent {
  readonly range: MediaType
  readonly check: Check | null
  readonly shape: LinkedShape | null
  /** How content that is not JSON is read; left out where it is not. */
  readonly media?: LinkedMedia
  /** Of a sequence of items (`application/jsonl`, `text/event-stream`): check and shape are of one item. */
  readonly items?: ItemFraming
}

export interface ChosenContent {
  readonly media: MediaType
  readonly content: LinkedContent
  /** The bytes are JSON and are to be checked as such. */
  readonly json: boolean
}

/** Only a few texts are in use; the bound is for those who make them up. */
const MAX_CACHED = 256
const cache = new Map<string, MediaType | null>()

/** `parseMediaType` of a text that is known by now, nearly always. */
export function readMediaType(text: string): MediaType | null {
  const known = cache.get(text)
  if (known !== undefined) return known
  const media = parseMediaType(text)
  if (cache.size >= MAX_CACHED) cache.clear()
  cache.set(text, media)
  return media
}

export function linkContent(
  details: readonly ContentDetail[],
  link: (detail: ContentDetail) => Pick<LinkedContent, 'check' | 'shape' | 'media'>,
): readonly LinkedContent[] {
  const linked = details.flatMap((detail) => {
    const range = rangeOf(detail.range)
    const { items } = detail
    return range === null ? [] : [{ range, ...link(detail), ...(items === undefined ? {} : { items }) }]
  })
  // OpenAPI 3.1 §4.8.14.1: the most specific range applies.
  return linked.sort((a, b) => specificity(b.range) - specificity(a.range))
}

/** What JSON always is, and what every call chooses anew, tells no contents apart. */
function rangeOf(text: string): MediaType | null {
  const range = parseMediaType(text)
  if (range === null || range.parameters.size === 0) return range
  const parameters = new Map(range.parameters)
  if (isJson(range) && isUtf8(range)) parameters.delete('charset')
  if (range.type === 'multipart') parameters.delete('boundary')
  return { ...range, parameters }
}

const specificity = (range: MediaType): number =>
  (range.type === '*' ? 0 : 2) + (range.subtype === '*' ? 0 : 4) + (range.parameters.size > 0 ? 1 : 0)

/** The declared content a Content-Type falls under; null where there is none, or its text is no media type. */
export function chooseContent(
  contents: readonly LinkedContent[],
  contentType: string | undefined,
): ChosenContent | null {
  const media = contentType === undefined ? null : readMediaType(contentType)
  if (media === null) return null
  for (const content of contents) {
    if (!matchesRange(media, content.range)) continue
    const json = isJson(media)
    return json && !isUtf8(media) ? null : { media, content, json }
  }
  return null
}
