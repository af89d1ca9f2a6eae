import { isRecord, own } from '../contract/json-value.ts'
import type { DriftRow } from '../inventory/drift.ts'
import { joinSights, type Sight } from '../syntax/value-sight.ts'
import { type PatchDraft, segmentsOf, tellShared } from './patch-draft.ts'
import type { Placed } from './schema-places.ts'
import { classOf, schemaOfSight } from './sight-schema.ts'

interface Field {
  readonly schema: Placed
  readonly name: string
  sight: Sight
  readonly rows: DriftRow[]
  readonly requests: Set<string>
  readonly answers: Set<string>
}

/** Undeclared fields of bodies and answers: one property each, however many operations and calls had it. */
export class FieldPatch {
  readonly #patch: PatchDraft
  readonly #fields = new Map<string, Field>()

  constructor(patch: PatchDraft) {
    this.#patch = patch
  }

  /** @param start The schema of the content; null, or why no action declares the field. */
  add(row: DriftRow, start: Placed, sight: Sight): string | null {
    const segments = segmentsOf(row.place)
    const name = segments.at(-1)
    const { places } = this.#patch
    const found = name === undefined ? null : places.below(start, segments.slice(0, -1))
    const schema = found === null ? null : places.branch(found)
    if (name === undefined || schema === null) return 'no one schema describes the object it stood in'
    if (name === '*')
      return 'its name is a number or looks like data of a call: declare by hand what such names are'
    const known = places.stated(schema, name)
    if (known !== null) {
      const way =
        own(known.value, 'writeOnly') === true
          ? 'writeOnly'
          : own(known.value, 'readOnly') === true
            ? 'readOnly'
            : null
      return way === null
        ? 'a branch of the schema declares it already, beside others that do not'
        : `the contract declares it ${way}`
    }
    const key = `${schema.pointer} ${name}`
    const field = this.#fields.get(key)
    const noted = field ?? {
      schema,
      name,
      sight,
      rows: [],
      requests: new Set<string>(),
      answers: new Set<string>(),
    }
    if (field === undefined) this.#fields.set(key, noted)
    else field.sight = joinSights(field.sight, sight)
    const side = row.kind === 'request-field' ? noted.requests : noted.answers
    side.add(row.operation)
    noted.rows.push(row)
    return null
  }

  /** Writes what was added; gives back what cannot be, since nothing tells the type of it. */
  finish(): readonly DriftRow[] {
    const untold: DriftRow[] = []
    for (const field of this.#fields.values()) {
      if (field.sight.types.length === 0) untold.push(...field.rows)
      else this.#declare(field)
    }
    return untold
  }

  #declare({ schema, name, sight, requests, answers }: Field): void {
    const { document, places, shared, note, file } = this.#patch
    const reach = shared.reach(schema.pointer)
    const shown = `${schema.pointer}: ${name}`
    const kept = classOf(sight, name)
    const secret = kept === 'credential' || kept === 'secret'
    // What upstreams state of an object is not for callers to set, and the other way round.
    const readOnly = requests.size === 0 && reach.requests
    const writeOnly = answers.size === 0 && reach.answers && secret
    if (readOnly)
      note(`${shown} was seen in answers alone and requests have the same schema: it is proposed readOnly`)
    if (writeOnly) note(`${shown} is a ${kept} and answers have the same schema: it is proposed writeOnly`)
    if (kept !== null && answers.size > 0)
      note(`${shown} looks like ${kept}: is it meant to reach callers? It is proposed with this class`)
    tellShared(schema.pointer, this.#patch)
    const property = {
      ...schemaOfSight(sight, document.version, name),
      ...(readOnly ? { readOnly } : writeOnly ? { writeOnly } : {}),
    }
    const declared = { properties: Object.fromEntries([[name, property]]) }
    // The reference itself may have no keywords beside it (OpenAPI 3.0 §4.7.23): the schema was found through it.
    const { draft, pointer } = file(schema.pointer)
    draft.merge(pointer, declared)
    for (const layer of places.layers(schema)) {
      if (own(layer.value, 'additionalProperties') !== false) continue
      note(
        `${layer.pointer} is closed by its author (additionalProperties: false) and gets ${name} all the same`,
      )
      if (layer.pointer === schema.pointer) continue
      const closed = file(layer.pointer)
      if (isRecord(layer.value)) closed.draft.merge(closed.pointer, declared)
    }
  }
}
