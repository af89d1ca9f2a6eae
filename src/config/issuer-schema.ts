import { z } from 'zod'
import { parsePointer } from '../syntax/json-pointer.ts'
import { fetchUrl, refuse } from './forms.ts'

/** RFC 7518 §3.1 and RFC 8037, asymmetric only: a secret shared with the issuer would let the gate forge tokens. */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

const keys = z.strictObject({
  refreshSeconds: z
    .int()
    .min(10)
    .max(86_400)
    .default(300)
    .describe('Seconds after which control fetches the key set again, so that withdrawn keys leave.'),
  cooldownSeconds: z
    .int()
    .min(1)
    .max(3600)
    .default(10)
    .describe(
      'Seconds between two fetches that unknown key ids cause: random ids must not flood the issuer.',
    ),
  maxStaleSeconds: z
    .int()
    .min(60)
    .max(604_800)
    .default(86_400)
    .describe('Seconds that known keys go on being used while the issuer cannot be reached.'),
  waitMs: z
    .int()
    .min(0)
    .max(30_000)
    .default(2000)
    .describe('Milliseconds that a call with an unknown key id waits for the fetch, before it gets 503.'),
})

/** A claim by name, or by JSON pointer where it lies deeper: names of claims never begin with `/`. */
export const claim = z
  .string()
  .min(1)
  .max(256)
  .superRefine((text, context) => {
    if (!text.startsWith('/')) return
    try {
      parsePointer(text)
    } catch {
      refuse(context, 'must be a claim or a JSON pointer', 'For example groups, or /realm_access/roles.')
    }
  })

export const issuerSettings = z.strictObject({
  issuer: z
    .string()
    .min(1)
    .max(1024)
    .superRefine((text, context) => {
      if (/[\s\p{Cc}]/u.test(text)) refuse(context, 'must not contain spaces', 'Write it as in the tokens.')
    })
    .describe('The `iss` of its tokens, character by character: a trailing slash counts (RFC 7519 §4.1.1).'),
  jwks: fetchUrl
    .optional()
    .describe('URL of its key set (RFC 7517 §5). Left out: found by OpenID discovery below `issuer`.'),
  algorithms: z
    .array(z.enum(ALGORITHMS))
    .min(1)
    .default(['RS256', 'PS256', 'ES256', 'EdDSA'])
    .describe(
      'Signature algorithms accepted from this issuer; only asymmetric ones exist here (RFC 8725 §3.1).',
    ),
  types: z
    .array(z.string().regex(/^[A-Za-z0-9!#$&^_.+/-]{1,64}$/, 'must be a media type name such as JWT'))
    .max(16)
    .default([])
    .describe(
      'Values of `typ` accepted besides `at+jwt` (RFC 9068 §4), for issuers that send `JWT`. Widens what passes for an access token.',
    ),
  groupsClaim: claim
    .default('groups')
    .describe(
      'Claim that holds the groups of the subject: its name, or where it lies deeper a JSON pointer (RFC 6901) such as `/realm_access/groups`.',
    ),
  rolesClaim: claim
    .optional()
    .describe(
      'Claim that holds the roles of the subject, named likewise: `roles`, `/realm_access/roles`. Left out: nobody has roles.',
    ),
  deviceClaim: claim
    .optional()
    .describe(
      'Claim that states the device: its id as a string, or an object `{id, compliant, managed}`. Left out: no device is known.',
    ),
  tenantClaim: claim
    .optional()
    .describe(
      'Claim that holds the tenant of the subject. Left out: every subject has the tenant `default`.',
    ),
  subjects: z
    .literal('workload')
    .optional()
    .describe(
      '`workload`: every subject of this issuer is software with an identity of its own (a SPIFFE id, say). Left out: a person, or where `sub` is the client itself, that client.',
    ),
  skewSeconds: z
    .int()
    .min(0)
    .max(60)
    .default(30)
    .describe('Seconds by which the clocks of issuer and gate may differ.'),
  keys: keys.prefault({}).describe('How its keys are kept fresh.'),
  allowPlainHttp: z
    .boolean()
    .default(false)
    .describe(
      'Accept plain `http:` for `issuer` and `jwks` beyond loopback: who sits between can then forge any token.',
    ),
})

export type IssuerSettings = z.infer<typeof issuerSettings>
