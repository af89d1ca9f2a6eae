/**
 * The dialects of JSON Schema a contract may be written in: OpenAPI 3.0's own, and for 3.1 on what `jsonSchemaDialect`
 * or a schema's `$schema` names. All are rewritten to 2020-12; a dialect says which keywords it has and how.
 */
export type Kind =
  | 'schema'
  | 'schemas'
  | 'schemaMap'
  | 'count'
  | 'number'
  | 'names'
  | 'boolean'
  | 'any'
  /** Read in a place of its own. */
  | 'apart'

export interface Dialect {
  readonly kinds: ReadonlyMap<string, Kind>
  /** What stands beside `$ref` is ignored. */
  readonly refAlone: boolean
  /** The keyword that names a schema, or null where none does. */
  readonly id: 'id' | '$id' | null
  /** `#name` as an id is what `$anchor` became. */
  readonly idAnchors: boolean
  /** `exclusiveMinimum` and `exclusiveMaximum` are booleans beside the bound. */
  readonly booleanBounds: boolean
  /** `items` may be a list, with `additionalItems` for the rest. */
  readonly itemsList: boolean
  /** OpenAPI 3.0: `nullable`, and `type` is one name. */
  readonly openApi: boolean
  /** False where the metaschema's vocabularies leave out validation: its keywords then say nothing. */
  readonly asserts: boolean
}

type Words = readonly (readonly [Kind, string])[]

const OAS_30: Words = [
  ['number', 'multipleOf maximum minimum'],
  ['count', 'maxLength minLength maxItems minItems maxProperties minProperties'],
  ['boolean', 'uniqueItems'],
  ['names', 'required'],
  ['schema', 'items not additionalProperties'],
  ['schemaMap', 'properties'],
  ['schemas', 'allOf anyOf oneOf'],
]
const DRAFT_4: Words = [
  ...OAS_30,
  ['schemaMap', 'patternProperties'],
  ['apart', 'items additionalItems dependencies'],
]
const DRAFT_6: Words = [
  ...DRAFT_4,
  ['any', 'const'],
  ['number', 'exclusiveMaximum exclusiveMinimum'],
  ['schema', 'contains propertyNames'],
]
const DRAFT_7: Words = [...DRAFT_6, ['schema', 'if then else']]
const NEWER: Words = [
  ['count', 'maxContains minContains'],
  ['schema', 'unevaluatedProperties unevaluatedItems'],
  ['schemaMap', 'dependentSchemas'],
]
const DRAFT_2019: Words = [...DRAFT_7, ...NEWER]
// `dependencies` is no keyword of 2020-12, but its metaschema still describes it, and nothing else is meant by it.
const DRAFT_2020: Words = [...DRAFT_2019, ['schemas', 'prefixItems'], ['schema', 'items']]

/** Say nothing about validity, or are read in a place of their own whatever the dialect. */
const SILENT = (
  '$ref type nullable enum format pattern title description default example examples deprecated externalDocs xml ' +
  'readOnly writeOnly $comment $schema $defs definitions dependentRequired discriminator contentMediaType ' +
  'contentEncoding contentSchema exclusiveMaximum exclusiveMinimum $id id $anchor $dynamicAnchor $dynamicRef ' +
  '$recursiveAnchor $recursiveRef $vocabulary'
).split(' ')

function kindsOf(words: Words): ReadonlyMap<string, Kind> {
  const kinds = new Map<string, Kind>(SILENT.map((word) => [word, 'apart']))
  for (const [kind, list] of words) for (const word of list.split(' ')) kinds.set(word, kind)
  return kinds
}

function dialect(words: Words, more: Partial<Dialect>): Dialect {
  return {
    kinds: kindsOf(words),
    refAlone: false,
    id: '$id',
    idAnchors: false,
    booleanBounds: false,
    itemsList: false,
    openApi: false,
    asserts: true,
    ...more,
  }
}

const OLD: Partial<Dialect> = { refAlone: true, idAnchors: true, itemsList: true }

/** OpenAPI 3.0.3 §Schema Object. */
export const OPENAPI_30 = dialect(OAS_30, { refAlone: true, id: null, booleanBounds: true, openApi: true })
export const JSON_SCHEMA_2020 = dialect(DRAFT_2020, {})
const WITHOUT_VALIDATION: Dialect = { ...JSON_SCHEMA_2020, asserts: false }

const BY_METASCHEMA: ReadonlyMap<string, Dialect> = new Map([
  ['json-schema.org/draft-04/schema', dialect(DRAFT_4, { ...OLD, id: 'id', booleanBounds: true })],
  ['json-schema.org/draft-06/schema', dialect(DRAFT_6, OLD)],
  ['json-schema.org/draft-07/schema', dialect(DRAFT_7, OLD)],
  ['json-schema.org/draft/2019-09/schema', dialect(DRAFT_2019, { itemsList: true })],
  ['json-schema.org/draft/2020-12/schema', JSON_SCHEMA_2020],
])
// OpenAPI 3.1 §4.8.24.5 and 3.2: the base dialects add annotations only.
const OPENAPI_BASE = /^spec\.openapis\.org\/oas\/3\.[12]\/dialect\//

/** The dialect a metaschema's URI stands for, or null for one that is not known. */
export function dialectOf(uri: string): Dialect | null {
  const name = uri.replace(/^https?:\/\//, '').replace(/#$/, '')
  return BY_METASCHEMA.get(name) ?? (OPENAPI_BASE.test(name) ? JSON_SCHEMA_2020 : null)
}

/** JSON Schema core 2020-12 §8.1.2: a metaschema of one's own lists the vocabularies it is made of. */
export function dialectOfVocabularies(vocabularies: readonly string[]): Dialect {
  return vocabularies.some((uri) => /\/vocab\/validation$/.test(uri)) ? JSON_SCHEMA_2020 : WITHOUT_VALIDATION
}

/** The keywords below which schemas stand, whatever the dialect. */
export const SUBSCHEMAS: ReadonlyMap<string, 'schema' | 'schemas' | 'schemaMap'> = new Map(
  (
    [
      [
        'schema',
        'items additionalItems not additionalProperties contains propertyNames if then else unevaluatedProperties ' +
          'unevaluatedItems contentSchema',
      ],
      ['schemas', 'allOf anyOf oneOf prefixItems items'],
      ['schemaMap', 'properties patternProperties dependentSchemas dependencies $defs definitions'],
    ] as const
  ).flatMap(([kind, words]) => words.split(' ').map((word) => [word, kind] as const)),
)
