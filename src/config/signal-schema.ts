import { z } from 'zod'
import { name, secretReference, upstreamUrl } from './forms.ts'

/** What others know of a call and the gate asks them for. */

const signal = z.strictObject({
  kind: z.enum(['authzen']).describe('An AuthZEN decision point that is asked about every call.'),
  url: upstreamUrl.describe(
    'Its base URL, as its metadata have it under `policy_decision_point`; `/access/v1/evaluation` is added.',
  ),
  credential: secretReference
    .optional()
    .describe('The bearer token it is asked with, as `env:NAME` or `file:PATH`. Left out: none is sent.'),
  timeoutMs: z
    .int()
    .min(10)
    .max(10_000)
    .default(200)
    .describe(
      'Milliseconds from asking to the answer’s last byte; a call waits no longer, and is then denied.',
    ),
  allowPlainHttp: z
    .boolean()
    .default(false)
    .describe('Accept plain `http:` beyond loopback: who sits between can then permit every call.'),
})

export const signals = z
  .record(name, signal)
  .default({})
  .describe('Decision sources outside the gate, by a name that APIs use. They can only deny, never permit.')

const MAX_SIGNALS = 8

/** `apis.*.signals` */
export const askedSignals = z
  .array(name)
  .max(MAX_SIGNALS)
  .default([])
  .describe(
    'Names under `signals` that are asked about every call of the API, after its caller is known. One that denies, fails or is too slow denies the call.',
  )

export type Signals = z.infer<typeof signals>
