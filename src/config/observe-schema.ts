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

const operationSettings = z.strictObject({
  mode: z.enum(['enforce', 'observe']).describe('The operation’s own mode, whatever the API’s `mode` is.'),
})

export const operationModes = z
  .record(z.string().min(1).max(512), operationSettings)
  .default({})
  .refine(
    (settings) => Object.keys(settings).length <= MAX_OPERATION_SETTINGS,
    `must be ${MAX_OPERATION_SETTINGS} operations at most`,
  )
  .describe('Settings of single operations, by operationId or `GET /path` as in the contract.')
