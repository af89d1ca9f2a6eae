import type { MediaType } from '../../syntax/media-type.ts'
import { isJson, parseMediaType } from '../../syntax/media-type.ts'
import type { ContractWarning, TextShape } from '../detail.ts'
import type { OpenApiDocument } from '../document.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt, textAt } from '../json-value.ts'
import { textShape } from '../parameters/text-shape.ts'
import { follow, type Located } from '../reference.ts'
import type { Schema, SchemaConverter } from '../schema.ts'
import { described, firstStated } from './described.ts'
import type { FormWriting, MediaDetail, MultipartDetail, PartDetail, PartField } from './detail.ts'
import { mediaKind } from './kind.ts'
import { xmlPlan } from './xml-plan.ts'

export type MediaPlan = MediaDetail<Schema>

interface Context {
  readonly document: OpenApiDocument
  readonly converter: SchemaConverter
  readonly warn: (warning: ContractWarning) => void
}

/** A list of lists is as deep as a form is read without brackets; deepObject reaches further. */
const REACH = 2
const DEEP_REACH = 5
/** RFC 7578: fields of a part that its Content-Disposition and Content-Type do not say. */
const OWN_FIELDS = new Set(['content-disposition', 'content-type', 'content-transfer-encoding'])

/**
 * How content of a range is read, from its Media Type Object; null where it is JSON only. A range with a wildcard is read
 * as whatever the Content-Type of the call says, as far as the schema can be held against that.
 */
export function mediaPlan(
  context: Context,
  range: MediaType,
  member: JsonRecord,
  schema: Schema,
  pointer: string,
): MediaPlan | null {
  const kind = mediaKind(range)
  if (kind === 'json') return null
  const any = range.subtype === '*'
  const text = textShape(schema, context.converter.components, hasDeep(member) ? DEEP_REACH : REACH)
  const place: Located = { value: own(member, 'schema') ?? true, pointer: `${pointer}/schema` }
  const plan: { -readonly [K in keyof MediaPlan]: MediaPlan[K] } = {}
  if ((kind === 'form' || (any && range.type !== 'text')) && text.members !== undefined)
    plan.form = { text, written: writings(member, text) }
  if (kind === 'multipart' || (any && range.type === '*'))
    Object.assign(plan, multipart(context, range, member, text, place, pointer))
  const scalar = text.types.length > 0
  const opaque = scalar && text.members === undefined && text.items === undefined
  if (kind === 'xml' && !opaque) {
    const xml = xmlPlan(context.document, context.converter, place)
    if (xml !== null) plan.xml = xml
  }
  // A form or XML that the schema takes for one text is held to its grammar all the same.
  if (opaque && (kind === 'form' || kind === 'xml')) plan.text = { types: ['string'] }
  if ((kind === 'text' || (any && range.type === '*')) && scalar) plan.text = { types: text.types }
  if ((kind === 'bytes' || any) && (scalar || schema === true)) plan.bytes = true
  return plan
}

/** What a plan leaves unread of its range, in words; null where nothing. */
export function unreadBy(plan: MediaPlan | null, range: MediaType): string | null {
  if (plan === null) return null
  const kind = mediaKind(range)
  if (range.subtype === '*') {
    const bounded = plan.bytes !== undefined
    return bounded ? null : 'content that is neither JSON nor a form is let through without a check'
  }
  return kind === 'json' || plan[kind] !== undefined || (kind !== 'bytes' && plan.text !== undefined)
    ? null
    : `content of ${range.essence} is let through without a check: its schema says nothing of it that can be held`
}

function hasDeep(member: JsonRecord): boolean {
  return Object.values(recordAt(member, 'encoding')).some(
    (each) => isRecord(each) && each['style'] === 'deepObject',
  )
}

/** OpenAPI 3.1 §4.8.15.1: style and explode hold where one of them is stated, else the content type. */
function writings(member: JsonRecord, text: TextShape): Readonly<Record<string, FormWriting>> {
  const encodings = recordAt(member, 'encoding')
  const out: Record<string, FormWriting> = Object.create(null)
  for (const [name, shape] of Object.entries(text.members ?? {})) {
    const stated = own(encodings, name)
    const encoding = isRecord(stated) ? stated : {}
    const style = textAt(encoding, 'style')
    const type = parseMediaType(textAt(encoding, 'contentType') ?? '')
    const styled = style !== undefined || typeof encoding['explode'] === 'boolean'
    const writing = writingOf(style)
    if (styled && writing !== undefined)
      out[name] = {
        writing,
        explode: typeof encoding['explode'] === 'boolean' ? encoding['explode'] : writing === 'form',
      }
    else if (
      (type !== null && isJson(type)) ||
      isObject(shape) ||
      (shape.items !== undefined && isObject(shape.items))
    )
      out[name] = { writing: 'json', explode: true }
  }
  return out
}

const writingOf = (style: string | undefined): FormWriting['writing'] | undefined =>
  style === undefined || style === 'form'
    ? 'form'
    : style === 'spaceDelimited' || style === 'pipeDelimited' || style === 'deepObject'
      ? style
      : undefined

/** Of a part whose schema says nothing. */
const BYTES: PartDetail<Schema> = { kind: 'bytes', list: false, types: ['string'], ranges: [], fields: [] }

/** Nothing one text could be. */
const isObject = (shape: TextShape): boolean =>
  shape.members !== undefined && !shape.types.some((type) => type !== 'null')

function multipart(
  context: Context,
  range: MediaType,
  member: JsonRecord,
  text: TextShape,
  place: Located,
  pointer: string,
): { readonly multipart?: MultipartDetail<Schema> } {
  const at = described(context.document, [place])
  if (text.members === undefined) {
    if (text.items === undefined)
      return own(member, 'schema') === undefined && range.subtype === 'form-data'
        ? { multipart: { named: {}, others: BYTES } }
        : {}
    const prefix = listAt(member, 'prefixEncoding').map((encoding, index) =>
      part(context, encoding, text.items ?? text, at.items, `${pointer}/prefixEncoding/${index}`),
    )
    const item = part(context, own(member, 'itemEncoding'), text.items, at.items, `${pointer}/itemEncoding`)
    return { multipart: { named: {}, prefix, item } }
  }
  const named: Record<string, PartDetail<Schema>> = Object.create(null)
  for (const [name, shape] of Object.entries(text.members)) {
    const encoding = own(recordAt(member, 'encoding'), name)
    named[name] = part(context, encoding, shape, at.members.get(name) ?? [], `${pointer}/encoding/${name}`)
  }
  const others =
    text.others === undefined ? {} : { others: part(context, undefined, text.others, [], pointer) }
  return { multipart: { named, ...others } }
}

function part(
  context: Context,
  stated: unknown,
  shape: TextShape,
  places: readonly Located[],
  pointer: string,
): PartDetail<Schema> {
  const encoding = isRecord(stated) ? stated : {}
  const list = shape.items !== undefined && !shape.types.some((type) => type !== 'null')
  const own = list ? (shape.items ?? shape) : shape
  const at = described(context.document, places)
  const inner = list ? described(context.document, at.items) : at
  const ranges = (textAt(encoding, 'contentType') ?? '')
    .split(',')
    .map((range) => range.trim())
    .filter((range) => range !== '')
  const binary =
    firstStated(inner, 'format') === 'binary' ||
    (firstStated(inner, 'contentMediaType') !== undefined &&
      firstStated(inner, 'contentEncoding') === undefined) ||
    (inner.stated.length > 0 &&
      inner.stated.every(({ value }) =>
        Object.keys(value).every((key) => key === 'description' || key === '$ref'),
      ))
  const only = ranges.length === 1 ? parseMediaType(ranges[0] ?? '') : null
  const texts = own.types.some((type) => type !== 'null')
  // OpenAPI 3.1 §4.8.15.1: what says nothing of its type is bytes.
  const anything = ['string', 'number', 'boolean'].every((type) => own.types.some((each) => each === type))
  const json = !texts || (only !== null && isJson(only))
  const kind = json ? 'json' : anything || binary ? 'bytes' : 'text'
  return { kind, list, types: own.types, ranges, fields: fields(context, encoding, pointer) }
}

function fields(context: Context, encoding: JsonRecord, pointer: string): readonly PartField<Schema>[] {
  return Object.entries(recordAt(encoding, 'headers')).flatMap(([name, stated]) => {
    const lower = name.toLowerCase()
    // OpenAPI 3.1 §4.8.15.1: Content-Type is described separately and is ignored here.
    if (OWN_FIELDS.has(lower)) return []
    const { value, pointer: at } = follow(context.document, stated, `${pointer}/headers/${name}`)
    const raw = own(value, 'schema')
    const check = raw === undefined ? true : context.converter.convert(raw, `${at}/schema`)
    const { types } = textShape(check, context.converter.components, 0)
    return [{ name: lower, required: value['required'] === true, types, check }]
  })
}
