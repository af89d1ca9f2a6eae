import { z } from 'zod'
import { isToken } from '../syntax/http.ts'
import { besideFields } from './field-schema.ts'
import { jsonPointer, name, refuse, template } from './forms.ts'
import { claim } from './issuer-schema.ts'
import { answerMode, unknownFieldsMode } from './observe-schema.ts'

/** Object rules, in the one form they have wherever they stand: configuration, contract, or a file beside it. */

const parameter = z.string().min(1).max(256)

const requestPlace = z
  .strictObject({
    path: parameter.optional().describe('Name of a parameter of the rule’s path: `customerId`.'),
    query: parameter.optional().describe('Name of a query parameter. It counts only where it stands once.'),
    body: jsonPointer.optional().describe('JSON pointer into the request’s body: `/customerId`.'),
  })
  .superRefine((places, context) => {
    if (Object.keys(places).length === 1) return
    refuse(context, 'must name one place: path, query or body', 'For example { path: customerId }.')
  })

const one = z.union([jsonPointer, requestPlace])

const statement = z.union([
  jsonPointer,
  requestPlace,
  z
    .array(one)
    .min(1)
    .max(2)
    .superRefine((places, context) => {
      const pointers = places.filter((place) => typeof place === 'string').length
      if (pointers > 1 || places.length - pointers > 1)
        refuse(
          context,
          'must name at most one field of the object and one place of the request',
          'For example [{ path: customerId }, /customerId].',
        )
    }),
])

/** A JSON pointer that may name the whole answer. */
const arrayPlace = z
  .string()
  .max(1024)
  .regex(/^(?:\/(?:[^~]|~[01])*)?$/, 'must be a JSON pointer, or empty where the answer itself is the list')

const countField = z.strictObject({
  header: z
    .string()
    .max(128)
    .refine(isToken, 'must be the name of a header field: X-Total-Count')
    .describe('Name of an answer field that counts the items: `X-Total-Count`.'),
})

const listed = {
  items: arrayPlace
    .default('')
    .describe('JSON pointer to the list in the answer: `/items`. Left out: the answer itself is the list.'),
  id: jsonPointer
    .optional()
    .describe('JSON pointer to the id within an item, for policies that name single objects: `/id`.'),
  counts: z
    .array(z.union([jsonPointer, countField]))
    .max(16)
    .optional()
    .describe(
      'What of the answer counts the items: JSON pointers to numbers (`/total`), and fields (`{ header: X-Total-Count }`). They are set to the number released; left out, the upstream’s own numbers go through. Of a list that items were taken from, the usual fields that count it (`X-Total-Count`, `Content-Range` …) are left out; `Link` stays.',
    ),
}

const list = z.strictObject({
  operation: z
    .string()
    .min(1)
    .max(1280)
    .describe('The operation that answers the list: its operationId, or `GET /orders`.'),
  ...listed,
})

const ruled = {
  owner: statement
    .optional()
    .describe(
      'Where the owner stands: a JSON pointer into the object as the upstream answers it (`/customerId`), a place of the request (`{ path: customerId }`, `{ query: … }`, `{ body: /… }`), or both, which then have to agree.',
    ),
  tenant: statement.optional().describe('Where the tenant stands, in the same forms as `owner`.'),
  equals: z
    .union([
      z.literal('subject'),
      z.strictObject({ claim: claim.describe('A claim of the issuer’s tokens: `customer_id`.') }),
    ])
    .default('subject')
    .describe(
      'What the owner field holds: `subject`, the `sub` of the owner’s tokens, or `{ claim: customer_id }`, that claim of them.',
    ),
  issuer: name
    .optional()
    .describe(
      'Name of the issuer whose subjects the owner field holds, and whose tenants the tenant field. Needed where the API accepts several: for callers of another issuer the tenant is not known, so that what policies tie to it is denied them.',
    ),
  lookup: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe(
      'operationId of the GET on the same path that states the owner before a write. Left out: writes that policies tie to a field of the object are denied.',
    ),
  list: z
    .union([list, z.array(list).min(1).max(64)])
    .optional()
    .describe(
      'Operations that answer lists of these objects: policies judge each item, and what they deny is taken out.',
    ),
  hideAbsent: z
    .boolean()
    .default(false)
    .describe('Answer foreign and absent objects with the same bytes, so that ids cannot be tried out.'),
}

export const objectRule = z.strictObject({
  path: template.describe(
    'Path template of the object in the contract, below the base path: `/orders/{orderId}`. The rule covers every operation on it.',
  ),
  ...ruled,
})

/** The file beside a contract: `shop.sallyport.yaml` beside `shop.yaml`. */
export const besideFile = z.strictObject({
  objects: z
    .record(name, objectRule)
    .default({})
    .describe('Object rules by type, as under `apis.*.objects`.'),
  fields: besideFields,
})

/** `x-sallyport` at a path of a contract: the rule of the object that the path names. */
export const pathExtension = z.strictObject({
  object: z
    .strictObject({ type: name.describe('The object type: `order`.'), ...ruled })
    .describe('The object rule of this path.'),
})

/** `x-sallyport` at an operation: the list it answers, of objects whose rule stands elsewhere, and settings of its own. */
export const operationExtension = z.strictObject({
  list: z
    .strictObject({ of: name.describe('The type of the objects listed: `order`.'), ...listed })
    .optional()
    .describe('The list that this operation answers.'),
  mode: z
    .enum(['enforce', 'observe'])
    .optional()
    .describe('The operation’s own mode, as under `apis.*.operations`.'),
  answers: answerMode.optional().describe('The operation’s own, as under `apis.*.operations`.'),
  unknownFields: unknownFieldsMode.optional().describe('The operation’s own, as under `apis.*.operations`.'),
})

export type RuleSettings = z.infer<typeof objectRule>
export type ListSettings = z.infer<typeof list>
