import { SallyportError } from '../model/errors.ts'
import type { OpenApiDocument } from './document.ts'
import { placeOf, splitPlace } from './place.ts'

const NO_ORIGINS: ReadonlyMap<string, string> = new Map()

export const invalid = (
  file: string,
  message: string,
  data: Readonly<Record<string, string | number>> = {},
): SallyportError => new SallyportError('contract-invalid', `${file}: ${message}`, { file, ...data })

/** A file, and what tells the user's places of one made from it. */
export type FaultSource = Pick<OpenApiDocument, 'text' | 'file'> &
  Partial<Pick<OpenApiDocument, 'parts' | 'origins'>>

/** Where a place of the document stands in the user's files. */
export function originOf(
  source: FaultSource,
  place: string,
): { readonly file: string; readonly pointer: string; readonly text: string | null } {
  const { part, pointer } = splitPlace(startOf(source.origins ?? NO_ORIGINS, place))
  if (part === '' || source.parts === undefined) return { file: source.file, pointer, text: source.text }
  return { file: source.parts.fileOf(part), pointer, text: source.parts.textOf(part) }
}

function startOf(origins: ReadonlyMap<string, string>, place: string): string {
  for (let end = place.length; end > 0; end = place.lastIndexOf('/', end - 1)) {
    const origin = origins.get(place.slice(0, end))
    if (origin !== undefined) return origin + place.slice(end)
  }
  return place
}

/** A fault at a place; the line and column are looked up now, which costs seconds on the largest contracts. */
export function faultAt(source: FaultSource, place: string, message: string): SallyportError {
  const { file, pointer, text } = originOf(source, place)
  const at = text === null ? null : placeOf(text, pointer)
  const where = at === null ? file : `${file}:${at.line}:${at.column}`
  const shown = `${where}: ${message} (at ${pointer === '' ? '/' : pointer})`
  return new SallyportError('contract-invalid', shown, { file, pointer, ...(at ?? {}) })
}
