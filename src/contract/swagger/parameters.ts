import type { ContractWarning } from '../detail.ts'
import { isRecord, type JsonRecord, own, textAt } from '../json-value.ts'
import type { SwaggerSchemas } from './schemas.ts'

/** A parameter of Swagger 2.0 where it stands, references followed. */
export interface SwaggerParameter {
  readonly value: JsonRecord
  readonly place: string
}

type Say = (code: ContractWarning['code'], place: string, message: string) => void

/** Swagger 2.0 §Parameter Object: what makes the schema of a parameter that is no body. */
const SCHEMA_KEYWORDS = [
  'type',
  'format',
  'items',
  'default',
  'enum',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'x-nullable',
] as const

interface Style {
  readonly style: string
  readonly explode: boolean
}
/** §Parameter Object, collectionFormat; `tsv` has no equal in OpenAPI 3. */
const QUERY_STYLES: Readonly<Record<string, Style>> = {
  csv: { style: 'form', explode: false },
  multi: { style: 'form', explode: true },
  ssv: { style: 'spaceDelimited', explode: false },
  pipes: { style: 'pipeDelimited', explode: false },
}

/** A query, path or header parameter as OpenAPI 3.0 writes it. */
export function plainParameter(
  { value, place }: SwaggerParameter,
  schemas: SwaggerSchemas,
  say: Say,
): JsonRecord {
  const where = textAt(value, 'in') ?? ''
  const { schema, style } = listSchema({ value, place }, where, schemas, say)
  const kept = Object.entries(value).filter(
    ([name]) =>
      !SCHEMA_KEYWORDS.some((keyword) => keyword === name && keyword !== 'x-nullable') &&
      name !== 'collectionFormat',
  )
  return { ...Object.fromEntries(kept), schema, ...(style ?? {}) }
}

/** The schema of a parameter or header, with how a list of it is written. */
export function listSchema(
  { value, place }: SwaggerParameter,
  where: string,
  schemas: SwaggerSchemas,
  say: Say,
): { readonly schema: unknown; readonly style: Style | null } {
  const schema = Object.fromEntries(
    SCHEMA_KEYWORDS.flatMap((keyword) => {
      const member = own(value, keyword)
      return member === undefined ? [] : [[keyword, member] as const]
    }),
  )
  if (value['type'] !== 'array') return { schema: schemas.convert(schema, place), style: null }
  const format = textAt(value, 'collectionFormat') ?? 'csv'
  const items = own(value, 'items')
  const nested = isRecord(items) && items['type'] === 'array'
  const inQuery = where === 'query' || where === 'formData'
  const style = inQuery
    ? QUERY_STYLES[format]
    : format === 'csv'
      ? { style: 'simple', explode: false }
      : undefined
  if (style !== undefined && !nested) return { schema: schemas.convert(schema, place), style }
  const how = nested ? 'a list of lists' : `collectionFormat ${format.slice(0, 20)} in the ${where}`
  say(
    'parameter-style',
    place,
    `${how} has no equal in OpenAPI 3: its value is taken as text and not checked`,
  )
  return { schema: { type: 'string' }, style: null }
}

export const FORM = 'application/x-www-form-urlencoded'
export const MULTIPART = 'multipart/form-data'

/** §Parameter Object, `in: formData`: the properties of one body. `path`: where that body's schema will stand. */
export function formSchema(
  fields: readonly SwaggerParameter[],
  schemas: SwaggerSchemas,
  say: Say,
): { readonly schema: JsonRecord; readonly encoding: JsonRecord; readonly hasFile: boolean } {
  const properties: [string, unknown][] = []
  const encoding: [string, Style][] = []
  const required: string[] = []
  let hasFile = false
  for (const field of fields) {
    const name = textAt(field.value, 'name')
    if (name === undefined) {
      say('parameter-invalid', field.place, 'the form field has no name and is left out')
      continue
    }
    const { schema, style } = listSchema(field, 'formData', schemas, say)
    hasFile ||= field.value['type'] === 'file'
    properties.push([name, schema])
    if (style !== null) encoding.push([name, style])
    if (field.value['required'] === true) required.push(name)
  }
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(properties),
      ...(required.length === 0 ? {} : { required }),
    },
    encoding: Object.fromEntries(encoding),
    hasFile,
  }
}
