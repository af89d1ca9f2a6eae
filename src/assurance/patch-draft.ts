import type { OpenApiDocument } from '../contract/document.ts'
import type { OverlayDraft } from './overlay.ts'
import type { SchemaPlaces } from './schema-places.ts'
import type { SharedParts } from './shared-parts.ts'

/** The parts of one patch in the making, as those that know one kind of difference write it. */
export interface PatchDraft {
  readonly document: OpenApiDocument
  readonly places: SchemaPlaces
  readonly shared: SharedParts
  /** At a place, which may be in another file than the contract's own. */
  file(place: string): { readonly draft: OverlayDraft; readonly pointer: string }
  note(text: string): void
}

/** The names of a place, without their escapes. */
export const segmentsOf = (place: string): readonly string[] =>
  place
    .split('/')
    .slice(1)
    .map((each) => each.replaceAll('~1', '/').replaceAll('~0', '~'))

/** Who else is described by what changes. */
export function tellShared(place: string, { shared, note }: PatchDraft): void {
  const { operations } = shared.reach(place)
  if (operations.length < 2) return
  const shown = operations.slice(0, 8).join(', ')
  const more = operations.length > 8 ? ` and ${operations.length - 8} more` : ''
  note(`${place} is shared by ${operations.length} operations: ${shown}${more}`)
}
