import type { OpenApiDocument } from '../contract/document.ts'
import { own } from '../contract/json-value.ts'
import { declaredPaths } from '../contract/operations.ts'
import { splitPlace } from '../contract/place.ts'
import type { DriftRow } from '../inventory/drift.ts'
import { parseMediaType } from '../syntax/media-type.ts'
import { joinSights, readSight, type Sight, UNSEEN } from '../syntax/value-sight.ts'
import { FieldPatch } from './field-patch.ts'
import { below, type Overlay, OverlayDraft } from './overlay.ts'
import { type PatchDraft, segmentsOf, tellShared } from './patch-draft.ts'
import { type Placed, SchemaPlaces } from './schema-places.ts'
import { SharedParts } from './shared-parts.ts'
import { schemaOfSight } from './sight-schema.ts'
import { TypePatch } from './type-patch.ts'

/** What would make a contract say what was seen: a proposal, to be read before it is applied. */
export interface ContractPatch {
  /** One for each file of the contract that changes; the contract's own first. */
  readonly overlays: readonly { readonly file: string; readonly overlay: Overlay }[]
  /** What a reader should know before applying it. */
  readonly notes: readonly string[]
  /** Differences for which there is no action, and why. */
  readonly left: readonly { readonly row: DriftRow; readonly why: string }[]
}

/** `method` and `template` of the operation a row names, as its contract has them. */
export interface PatchedOperation {
  readonly method: string
  readonly template: string
}

/** The operation of a row, as it stands in the contract. */
export interface PatchTarget {
  readonly at: Placed
  /** That holds the path's own parameters. */
  readonly item: Placed
}

/** Of old records, and of answers to requests that enforcing would have refused. */
export const UNTOLD = 'no record tells the type of what was seen yet'

/**
 * Turns drift into an Overlay.
 * @param rows Of the document's API alone.
 * @param operations By the key that rows have.
 */
export function contractPatch(
  document: OpenApiDocument,
  rows: readonly DriftRow[],
  operations: ReadonlyMap<string, PatchedOperation>,
): ContractPatch {
  const drafts = new Map<string, OverlayDraft>()
  const notes = new Set<string>()
  const patch: PatchDraft = {
    document,
    places: new SchemaPlaces(document),
    shared: new SharedParts(document),
    file: (place) => {
      const { part, pointer } = splitPlace(place)
      let draft = drafts.get(part)
      if (draft === undefined) {
        draft = new OverlayDraft(part === '' ? document.root : document.parts.rootOf(part))
        drafts.set(part, draft)
      }
      return { draft, pointer }
    },
    note: (text) => {
      notes.add(text)
    },
  }
  const targets = document.release === '2.0' ? new Map() : targetsOf(document)
  const fields = new FieldPatch(patch)
  const types = new TypePatch(patch)
  const left: { row: DriftRow; why: string }[] = []
  for (const row of rows) {
    const called = operations.get(row.operation)
    const target = called && targets.get(`${called.method} ${called.template}`)
    const why =
      document.release === '2.0'
        ? 'the contract is Swagger 2.0: overlays change OpenAPI 3; upgrade it first'
        : target === undefined
          ? 'the contract has no such operation now'
          : patchRow(row, target, patch, fields, types)
    if (why !== null) left.push({ row, why })
  }
  for (const row of fields.finish()) left.push({ row, why: UNTOLD })
  left.push(...types.finish())
  const last = rows.reduce((latest, { lastSeen }) => (lastSeen > latest ? lastSeen : latest), '')
  const info = { title: `What calls had until ${last} and the contract does not declare`, version: '1.0.0' }
  const overlays = [...drafts]
    .sort(([a], [b]) => (a === '' ? -1 : b === '' ? 1 : 0))
    .map(([part, { actions }]) => ({
      file: part === '' ? document.file : document.parts.fileOf(part),
      overlay: { overlay: '1.0.0' as const, info, actions },
    }))
    .filter(({ overlay }) => overlay.actions.length > 0)
  return { overlays, notes: [...notes], left }
}

function targetsOf(document: OpenApiDocument): Map<string, PatchTarget> {
  const targets = new Map<string, PatchTarget>()
  for (const { operations } of declaredPaths(document, () => undefined))
    for (const { template, method, value, pointer, item } of operations)
      targets.set(`${method} ${template}`, { at: { value, pointer }, item })
  return targets
}

/** Null where the patch has it, or `types` is to write it; else why not. */
function patchRow(
  row: DriftRow,
  target: PatchTarget,
  patch: PatchDraft,
  fields: FieldPatch,
  types: TypePatch,
): string | null {
  const sight = readSight(row.sight) ?? UNSEEN
  const widen = (schema: Placed): null => {
    types.add(row, schema, sight)
    return null
  }
  const untold = sight.types.length === 0
  switch (row.kind) {
    case 'request-field':
    case 'answer-field': {
      if (row.place.endsWith('…')) return 'its name is too long to be recorded'
      const start = contentOf(row, target, patch)
      return start === null ? noContent(row) : fields.add(row, start, sight)
    }
    case 'request-type':
    case 'answer-type': {
      if (untold) return UNTOLD
      const start = contentOf(row, target, patch)
      if (start === null) return noContent(row)
      const schema = patch.places.below(start, segmentsOf(row.place))
      return schema === null ? 'no one schema describes this place' : widen(schema)
    }
    case 'parameter':
      return addParameter(row, target, sight, patch)
    case 'parameter-type':
      return untold ? UNTOLD : widenParameter(row, target, patch, widen)
    case 'parameter-field':
      return 'it is a member of a parameter: declare it in that parameter’s schema'
    case 'answer-header': {
      const response = responseOf(row, target, patch)
      const headers =
        response === null
          ? null
          : patch.places.at(own(response.value, 'headers'), below(response.pointer, 'headers'))
      const name =
        headers === null
          ? undefined
          : Object.keys(headers.value).find((each) => each.toLowerCase() === row.place.toLowerCase())
      if (untold || headers === null || name === undefined) return UNTOLD
      const header = patch.places.at(headers.value[name], below(headers.pointer, name))
      const schema =
        header === null ? null : patch.places.at(own(header.value, 'schema'), below(header.pointer, 'schema'))
      return schema === null ? 'the header has no schema' : widen(schema)
    }
    case 'request-media-type': {
      const media = mediaTypeOf(row.place, sight, patch)
      if (typeof media === 'string') return media
      const body = own(target.at.value, 'requestBody')
      const at = body === undefined ? null : patch.places.at(body, below(target.at.pointer, 'requestBody'))
      const { draft, pointer } = patch.file(at?.pointer ?? target.at.pointer)
      if (at !== null) tellShared(at.pointer, patch)
      draft.merge(at === null ? below(pointer, 'requestBody') : pointer, { content: media })
      return null
    }
    case 'answer-media-type': {
      const media = mediaTypeOf(row.place, sight, patch)
      if (typeof media === 'string') return media
      const response = responseOf(row, target, patch)
      if (response === null) return 'the contract declares no such status'
      const { draft, pointer } = patch.file(response.pointer)
      tellShared(response.pointer, patch)
      draft.merge(pointer, { content: media })
      return null
    }
    case 'answer-status': {
      const media = row.mediaType === '' ? null : mediaTypeOf(row.mediaType, sight, patch)
      if (typeof media === 'string') return media
      const { draft, pointer } = patch.file(target.at.pointer)
      const description = 'Seen in live traffic; say what it means.'
      const response = { description, ...(media === null ? {} : { content: media }) }
      draft.merge(below(pointer, 'responses'), Object.fromEntries([[row.place, response]]))
      return null
    }
  }
}

const noContent = ({ mediaType }: DriftRow): string =>
  `no one schema describes ${mediaType === '' ? 'this content' : mediaType} there`

/** Of a request or an answer, the schema of its content. */
function contentOf(row: DriftRow, { at }: PatchTarget, patch: PatchDraft): Placed | null {
  const request = row.kind.startsWith('request-')
  const owner = request
    ? patch.places.at(own(at.value, 'requestBody'), below(at.pointer, 'requestBody'))
    : responseOf(row, { at }, patch)
  return owner === null ? null : patch.places.content(owner, row.mediaType)
}

/** What the contract declares for a row's status (OpenAPI 3.1 §4.8.16). */
function responseOf(
  { status }: DriftRow,
  { at }: Pick<PatchTarget, 'at'>,
  { places }: PatchDraft,
): Placed | null {
  const responses = places.at(own(at.value, 'responses'), below(at.pointer, 'responses'))
  if (responses === null) return null
  for (const key of [String(status), `${Math.trunc(status / 100)}XX`, 'default']) {
    const declared = own(responses.value, key)
    if (declared !== undefined) return places.at(declared, below(responses.pointer, key))
  }
  return null
}

/** `{ "application/json": { schema } }`, or why there is none. */
function mediaTypeOf(
  name: string,
  sight: Sight,
  { document, note }: PatchDraft,
): Readonly<Record<string, unknown>> | string {
  if (parseMediaType(name) === null) return 'the records do not say which media type'
  if (sight.types.length > 0)
    return Object.fromEntries([[name, { schema: schemaOfSight(sight, document.version, '') }]])
  if (/[/+]json$/.test(name)) return UNTOLD
  note(`${name} is declared without a schema: the gate passes such content unread`)
  return Object.fromEntries([[name, {}]])
}

function addParameter(
  { place }: DriftRow,
  { at }: PatchTarget,
  sight: Sight,
  patch: PatchDraft,
): string | null {
  const mark = place.indexOf(' ')
  const name = place.slice(mark + 1)
  if (name.endsWith('…')) return 'its name is too long to be recorded'
  const scalars = { ...sight, types: sight.types.filter((type) => type !== 'array') }
  const listed = sight.types.includes('array')
  const one = listed ? joinSights(scalars, sight.items ?? UNSEEN) : scalars
  // A text fits every reading of one; of two readings of the same text, only that.
  const read: Sight = one.types.length === 1 ? one : { types: ['string'] }
  const { 'x-sallyport': stated, ...schema } = schemaOfSight(read, patch.document.version, name)
  const parameter = {
    name,
    in: place.slice(0, mark),
    description: 'Seen in live traffic; say what it means.',
    schema: listed ? { type: 'array', items: schema } : schema,
    ...(stated === undefined ? {} : { 'x-sallyport': stated }),
  }
  const { draft, pointer } = patch.file(at.pointer)
  draft.append(below(pointer, 'parameters'), parameter)
  return null
}

function widenParameter(
  row: DriftRow,
  target: PatchTarget,
  patch: PatchDraft,
  widen: (schema: Placed) => null,
): string | null {
  for (const owner of [target.at, target.item]) {
    const list = own(owner.value, 'parameters')
    for (const [index, each] of (Array.isArray(list) ? list : []).entries()) {
      const parameter = patch.places.at(each, below(owner.pointer, 'parameters', String(index)))
      if (parameter === null) continue
      if (`${String(parameter.value['in'])} ${String(parameter.value['name'])}` !== row.place) continue
      const schema = patch.places.at(own(parameter.value, 'schema'), below(parameter.pointer, 'schema'))
      return schema === null ? 'the parameter has no schema of its own' : widen(schema)
    }
  }
  return 'the parameter is not declared now'
}
