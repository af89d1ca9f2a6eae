import { z } from 'zod'
import { bindAddress, fetchUrl, localPath, name, refuse, secretReference } from './forms.ts'

/** AuthZEN: where applications ask, and the policies they ask about. */

/** An entity type of Cedar: `Todo`, `Shop::Order`. */
const entityType = z
  .string()
  .max(256)
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*$/,
    'must be an entity type of the schema: Shop::Order',
  )

const domain = z.strictObject({
  policies: localPath.describe(
    'Folder of the domain’s Cedar policies (`*.cedar`), apart from the gate’s own.',
  ),
  schema: localPath.describe('Their schema, in Cedar’s readable form (`*.cedarschema`).'),
  entities: localPath
    .optional()
    .describe(
      'A JSON file of entities in Cedar’s form: what searches find, and what questions need not state. Left out: none.',
    ),
  types: z
    .record(z.string().min(1).max(256), entityType)
    .optional()
    .describe(
      'Entity types by the name questions have for them, `user: User`. Left out: the schema’s own names.',
    ),
})

/** The gate's own APIs, as a domain. */
export const OWN_DOMAIN = 'apis'

const MAX_CREDENTIALS = 100
const MAX_DOMAINS = 100

/** `peers` as every decision point has it. */
export const authzenPoint = <P extends z.ZodType>(peers: P) =>
  z.strictObject({
    host: bindAddress
      .default('127.0.0.1')
      .describe('Address questions come in on; `0.0.0.0` or `::` for all.'),
    port: z.int().min(1).max(65_535).default(9194).describe('TCP port.'),
    peers,
    origin: fetchUrl
      .superRefine((text, context) => {
        const url = URL.parse(text)
        if (url === null || (url.pathname === '/' && !text.endsWith('/') && url.search === '')) return
        refuse(context, 'must be scheme, host and port alone', 'For example https://pdp.example.')
      })
      .optional()
      .describe(
        'Where applications reach it, as its metadata say: the proxy that speaks TLS for it. Left out: host and port.',
      ),
    credentials: z
      .array(secretReference)
      .max(MAX_CREDENTIALS)
      .default([])
      .describe(
        'Bearer tokens of those who may ask, 16 characters or more, as `env:NAME` or `file:PATH`; several, so that one can be changed after another. May be left out only while host is a loopback address.',
      ),
    domains: z
      .record(name, domain)
      .default({})
      .refine((all) => Object.keys(all).length <= MAX_DOMAINS, `must hold at most ${MAX_DOMAINS} domains`)
      .describe(
        'Other applications’ policies by name, asked under `/<name>/access/v1/…`. Changes take effect at a reload. `apis` is taken: the gate’s own APIs.',
      ),
    default: name
      .default(OWN_DOMAIN)
      .describe('The domain asked at `/access/v1/…`. Left out: `apis`, the gate’s own APIs.'),
  })
