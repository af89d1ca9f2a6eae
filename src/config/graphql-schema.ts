import { z } from 'zod'
import { fieldClasses } from './field-schema.ts'
import { localPath } from './forms.ts'

/** A GraphQL API: `apis.*.graphql`, in place of `contract`. */

const count = (most: number) => z.int().min(1).max(most)
const NAME = /^[_A-Za-z][_0-9A-Za-z]*$/
const graphqlName = z.string().max(256).regex(NAME, 'must be a GraphQL name')
const COORDINATE = /^[_A-Za-z][_0-9A-Za-z]*(?:\.[_A-Za-z][_0-9A-Za-z]*)?$/
const coordinate = z.string().max(512).regex(COORDINATE, 'must be a type, Order, or a field, Order.notes')
const member = z.string().min(1).max(64)

const limits = z.strictObject({
  tokens: count(100_000).default(2_000).describe('Lexical tokens of one document.'),
  depth: count(64).default(12).describe('Fields inside one another.'),
  breadth: count(10_000).default(100).describe('Fields of one selection set, fragments spread.'),
  fields: count(100_000)
    .default(500)
    .describe('Fields of one call, fragments spread: one that is spread twice counts twice.'),
  aliases: count(10_000).default(30).describe('Aliases of one call, fragments spread.'),
  directives: count(10_000).default(30).describe('Directives of one call, fragments spread.'),
  rootFields: count(10_000)
    .default(20)
    .describe('Fields of queries and mutations themselves, aliases and every request of a batch counted.'),
  fragments: count(2_000).default(50).describe('Fragment definitions of one document.'),
  operations: count(1_000).default(10).describe('Operations of one document.'),
  cost: count(1_000_000_000).default(5_000).describe('Cost of one call; see `listSize` and `costs`.'),
  batch: count(1_000)
    .default(1)
    .describe(
      'Requests in one body. 1: no array of requests is taken. All limits hold for a batch as a whole.',
    ),
  inputDepth: count(64).default(8).describe('Objects and lists inside one another in one variable.'),
  stringLength: count(1_048_576).default(16_384).describe('Characters of one string in the variables.'),
  listLength: count(100_000).default(500).describe('Entries of one list in the variables.'),
})

const trustedDocuments = z.strictObject({
  file: localPath.describe(
    'The manifest: a JSON object of documents by id, or Apollo’s. An id that is a SHA-256 must be its document’s.',
  ),
  mode: z
    .enum(['only', 'also'])
    .default('only')
    .describe('`only`: no other document is taken. `also`: others are, within the limits.'),
  forward: z
    .enum(['text', 'id'])
    .default('text')
    .describe(
      'What goes upstream of a document asked for by its id: its registered text, or the request as it came.',
    ),
})

const access = z.strictObject({
  need: z
    .enum(['required', 'optional', 'anonymous'])
    .default('required')
    .describe('Whether callers need a token: `optional` verifies one that is there, `anonymous` reads none.'),
  scopes: z
    .array(z.string().min(1).max(256))
    .max(64)
    .default([])
    .describe('Scopes every call needs. No policy lowers this.'),
})

export const graphqlSettings = z.strictObject({
  schema: localPath.describe('The schema: SDL, or the JSON answer of an introspection query.'),
  path: z
    .string()
    .max(256)
    .regex(/^(?:\/[A-Za-z0-9_~.-]+)+$/, 'must be a path like /graphql')
    .refine((path) => !/\/\.{1,2}(?:\/|$)/.test(path), 'must not have dot segments')
    .default('/graphql')
    .describe('The endpoint, below the base path.'),
  security: access.prefault({}).describe('What every call needs whatever it asks for.'),
  allowGet: z.boolean().default(false).describe('Take queries, never mutations, by GET too.'),
  introspection: z
    .enum(['off', 'policy'])
    .default('off')
    .describe(
      'Who may ask for the schema: nobody, or whom a policy permits `<api>.Query.__schema` and `<api>.Query.__type`.',
    ),
  limits: limits.prefault({}).describe('What one call may ask for.'),
  listSize: count(1_000_000)
    .default(10)
    .describe('Entries a list is taken to have that no argument and no `@listSize` bounds.'),
  sizeArguments: z
    .array(graphqlName)
    .max(32)
    .default(['first', 'last', 'limit'])
    .describe('Arguments that bound a list.'),
  sizedFields: z
    .array(graphqlName)
    .max(32)
    .default(['edges', 'nodes', 'items'])
    .describe('Lists that such an argument of the field around them bounds.'),
  costs: z
    .record(coordinate, z.number().min(0).max(1_000_000))
    .default({})
    .describe('Weight of a type or field where it is not 1. Comes before `@cost` of the schema.'),
  fieldActions: z
    .array(coordinate)
    .max(1_000)
    .default([])
    .describe(
      'Types, `Order`, and fields, `Order.notes`, that are actions of their own, besides those that policies name.',
    ),
  fields: z
    .record(
      coordinate,
      z.strictObject({
        class: fieldClasses.describe(
          'What it holds: `pii`, `phi`, `pci`, `credential`, `secret`, a word of your own, or a list; `none` where its name misleads.',
        ),
      }),
    )
    .default({})
    .describe(
      'Classes of fields and scalars: `User.email: { class: pii }`. Comes before `@sallyport(class: "pii")` of the schema.',
    ),
  trustedDocuments: trustedDocuments.optional().describe('Documents that are registered beforehand.'),
  answerExtensions: z
    .array(member)
    .max(64)
    .default([])
    .describe('Members of an answer’s `extensions` that callers get; others are left out.'),
  errorExtensions: z
    .array(member)
    .max(64)
    .default(['code'])
    .describe('Members of an error’s `extensions` that callers get; others are left out.'),
})

export type GraphqlSettings = z.infer<typeof graphqlSettings>
