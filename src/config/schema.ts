import { z } from 'zod'
import { apiSettings } from './api-schema.ts'
import { decisionPoints } from './decision-points-schema.ts'
import { bindAddress, label, localPath, name, port } from './forms.ts'
import { issuerSettings } from './issuer-schema.ts'
import { signals } from './signal-schema.ts'
import { networks, timeZone } from './surroundings-schema.ts'
import { flows, zones } from './zone-schema.ts'

/**
 * sallyport.yaml: the one schema that types, the JSON Schema for editors, the reference page and validation come
 * from. Every key says its unit, default and why; unknown keys are errors.
 */

/** Attributes a decision may read (model/decision.ts) that a record only keeps when policies read them or this asks. */
export const RECORDABLE_ATTRIBUTES = [
  'principal.groups',
  'principal.roles',
  'principal.zone',
  'principal.client',
  'principal.tenant',
  'resource.params',
  'resource.owner',
  'resource.tenant',
  'context.scopes',
  'context.scopesMet',
  'context.issuer',
  'context.audience',
  'context.acr',
  'context.tokenAgeSeconds',
  'context.method',
  'context.path',
  'context.ip',
  'context.amr',
  'context.authAgeSeconds',
  'context.networks',
  'context.requestClasses',
  'context.answerClasses',
  'context.time',
  'context.device',
] as const

const listen = z.strictObject({
  host: bindAddress.default('127.0.0.1').describe('Address calls come in on; `0.0.0.0` or `::` for all.'),
  port: port.default(8080).describe('TCP port calls come in on; 0 takes a free one.'),
  threads: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe('Gate threads, all listening on the same port. Left out: one per core.'),
})

const management = z.strictObject({
  host: bindAddress.default('127.0.0.1').describe('Address of the read-only health and metrics port.'),
  port: port.default(9090).describe('TCP port of `/healthz`, `/readyz` and `/metrics`; 0 takes a free one.'),
})

const limits = z.strictObject({
  tokenBytes: z
    .int()
    .min(256)
    .max(65_536)
    .default(8192)
    .describe('Largest access token in bytes; larger ones are refused unread.'),
  fieldBytes: z
    .int()
    .min(1024)
    .max(262_144)
    .default(16_384)
    .describe(
      'Bytes that all header fields of a request may have together. A raised value takes effect at the next start.',
    ),
  fieldCount: z.int().min(8).max(2000).default(100).describe('Header fields a request may have.'),
})

const apiPattern = z.string().min(1).max(4096)

export const configSchema = z.strictObject({
  listen: listen.prefault({}).describe('Where calls come in.'),
  management: management
    .prefault({})
    .describe('Where health and metrics are read. Nothing can be changed there.'),
  decisionPoints: decisionPoints.prefault({}),
  identity: z
    .strictObject({
      issuers: z
        .record(name, issuerSettings)
        .default({})
        .describe('Who issues the tokens, by a name that APIs and policies use.'),
    })
    .prefault({})
    .describe('Who callers are.'),
  apis: z
    .union([z.record(name, apiSettings), apiPattern, z.array(apiPattern).min(1).max(100)])
    .describe(
      'The protected APIs by name; or files of one API each, as a pattern such as `./apis/*.yaml` or a list of them.',
    ),
  networks,
  zones,
  flows,
  timeZone,
  signals,
  policies: localPath
    .optional()
    .describe(
      'Folder of Cedar policies (`*.cedar`), links of their templates (`*.links.json`) and their tests (`*.test.yaml`), at most two levels deep. Left out: no policy, so enforced APIs deny every call.',
    ),
  failingForbid: z
    .enum(['deny', 'ignore'])
    .default('deny')
    .describe(
      'What a `forbid` does that fails to evaluate, by overflow say. `deny`: it denies the call, since it might have. `ignore`: it does not apply, as in plain Cedar.',
    ),
  store: localPath
    .default('./data')
    .describe('Folder of records, keys and bundles; made if absent, readable by its owner only.'),
  durability: z
    .enum(['os', 'disk'])
    .default('os')
    .describe(
      'When a record counts as written. `os`: handed to the system before release, on disk within 50 ms; survives a killed process. `disk`: on disk before release; survives power loss, costs waiting.',
    ),
  limits: limits.prefault({}).describe('What a request’s head may take, before anything else is looked at.'),
  audit: z
    .strictObject({
      attributes: z
        .array(z.enum(RECORDABLE_ATTRIBUTES))
        .default([])
        .describe(
          'Attributes that records keep although no policy reads them yet, so that future policies can be replayed over them.',
        ),
    })
    .prefault({})
    .describe('What records keep.'),
  environment: label
    .default('default')
    .describe('Name of the environment, recorded with every call: `production`, `staging`.'),
})

/** sallyport.yaml as read, defaults applied, with every API by name wherever it was written. */
export type ConfigFile = z.infer<typeof configSchema>
export type Config = Omit<ConfigFile, 'apis'>

/** JSON Schema (2020-12) of what a person writes, for editors and the reference page. */
export function configJsonSchema(schema: z.ZodType = configSchema): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', reused: 'inline' }) as Record<string, unknown>
}
