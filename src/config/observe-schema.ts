import { z } from 'zod'

/** What of an enforcing API is only observed, so that enforcement is rolled out a step at a time. */

const STAGES = ['identity', 'contract', 'policy', 'zone', 'response'] as const
const MAX_OPERATION_SETTINGS = 2000

export const observedStages = z
  .array(z.enum(STAGES))
  .max(STAGES.length)
  .default([])
  .describe(
    'Stages whose refusals are recorded and have no effect yet, while the rest is enforced: `identity` (tokens and scopes), `contract` (parameters and body), `policy` (policies and object rules), `zone` (flows), `response` (answers).',
  )

/** What becomes of an answer that is not as its contract says (standards 7.11). */
export const answerMode = z.enum(['strip', 'block', 'observe'])

/** What becomes of request fields that the contract does not declare (standards 7.4). */
export const unknownFieldsMode = z.enum(['reject', 'strip', 'observe'])

const operationSettings = z.strictObject({
  mode: z
    .enum(['enforce', 'observe'])
    .optional()
    .describe('The operation’s own mode, whatever the API’s `mode` is.'),
  answers: answerMode.optional().describe('The operation’s own, whatever the API’s `answers` is.'),
  unknownFields: unknownFieldsMode
    .optional()
    .describe('The operation’s own, whatever the API’s `unknownFields` is.'),
})

export const operationModes = z
  .record(z.string().min(1).max(512), operationSettings)
  .default({})
  .refine(
    (settings) => Object.keys(settings).length <= MAX_OPERATION_SETTINGS,
    `must be ${MAX_OPERATION_SETTINGS} operations at most`,
  )
  .describe('Settings of single operations, by operationId or `GET /path` as in the contract.')
