import { z } from 'zod'
import { jsonPointer, refuse } from './forms.ts'

/** Classes of fields and who sees them, in the file beside a contract; in the contract itself as `x-sallyport`. */

const MAX_STATEMENTS = 5_000
const className = z
  .string()
  .max(32)
  .regex(
    /^[A-Za-z][A-Za-z0-9-]*$/,
    'must be a word of letters, digits and hyphens: pii, phi, pci, credential, secret …',
  )
  .transform((text) => text.toLowerCase())

export const fieldClasses = z
  .union([className, z.array(className).min(1).max(16)])
  .transform((stated) => [...new Set([stated].flat())].sort())
  .superRefine((names, context) => {
    if (names.includes('none') && names.length > 1)
      refuse(context, 'must be none alone, or classes', 'For example class: [pii, phi].')
  })
  .transform((names) => (names[0] === 'none' ? [] : names))

const qualified = z
  .array(
    z
      .string()
      .max(256)
      .regex(/^[^/]+\/./, 'must be named as in policies, with its issuer: corp/cashier'),
  )
  .max(64)
  .default([])

export const fieldVisibility = z.strictObject({
  visibleTo: z
    .strictObject({
      roles: qualified.describe('Roles that see it: `[corp/cashier]`.'),
      groups: qualified.describe('Groups that see it.'),
      scopes: z
        .array(z.string().min(1).max(256))
        .max(64)
        .default([])
        .describe('Scopes of tokens that see it.'),
    })
    .prefault({})
    .describe('Who sees the field: whoever has one of these. Left out: nobody.'),
  otherwise: z
    .enum(['drop', 'redact', 'mask'])
    .default('drop')
    .describe(
      'What everybody else meets: no field, a value that tells nothing, or its last four characters.',
    ),
})

const stated = {
  class: fieldClasses
    .optional()
    .describe(
      'What the field holds: `pii`, `phi`, `pci`, `credential`, `secret`, a word of your own, or a list; `none` where its name misleads.',
    ),
  field: fieldVisibility.optional().describe('Who sees the field.'),
}

const byPointer = z.record(jsonPointer, z.strictObject(stated))

const entry = z.strictObject({
  ...stated,
  request: byPointer.optional().describe('Of an operation: by JSON pointer into the request’s body.'),
  answer: byPointer
    .optional()
    .describe(
      'Of an operation: by JSON pointer into the answer, `*` for any index or name: `/items/*/email`.',
    ),
})

const PLACE = /^#(?:\/(?:[^~/]|~[01])*)+$/

/**
 * A place of the contract (`#/components/schemas/Customer/properties/email`) has `class` or `field`, an operation (its
 * operationId, or `GET /orders`) `request` or `answer`, which have statements by pointer.
 */
export const besideFields = z
  .record(z.string().min(1).max(2048), entry)
  .default({})
  .superRefine((fields, context) => {
    if (Object.keys(fields).length > MAX_STATEMENTS)
      refuse(context, `must have ${MAX_STATEMENTS} entries at most`, '')
    for (const [key, value] of Object.entries(fields)) {
      const ofPlace = value.class !== undefined || value.field !== undefined
      const ofOperation = value.request !== undefined || value.answer !== undefined
      const fits = key.startsWith('#') ? PLACE.test(key) && ofPlace && !ofOperation : ofOperation && !ofPlace
      if (fits) continue
      const shown = JSON.stringify(key.slice(0, 100))
      refuse(
        context,
        `${shown} must be a place of the contract with class or field, or an operation with request or answer`,
        'For example "#/components/schemas/Customer/properties/email": { class: pii }.',
      )
    }
  })
  .describe(
    'Classes of fields and who sees them: by place in the contract, `"#/components/schemas/Customer/properties/email": { class: pii }`, or by operation, `getCustomer: { answer: { /email: { class: pii } } }`.',
  )

export const sensitivitySettings = z
  .strictObject({
    names: z
      .boolean()
      .default(true)
      .describe(
        'Whether names and formats of fields tell their classes too (`email`, `cardNumber`). What contract or overlay state holds either way.',
      ),
    sample: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe(
        'Share of the answers in whose values classes are looked for that the contract does not state; 0.01 is one in a hundred. What is found stands in records and metrics and decides nothing.',
      ),
    maxValues: z.int().min(1).max(10_000).default(200).describe('Values of one answer that are looked at.'),
  })
  .prefault({})
  .describe('Which fields hold what.')

export type FieldsBeside = z.infer<typeof besideFields>
export type FieldSettings = Pick<FieldsBeside[string], 'class' | 'field'>
