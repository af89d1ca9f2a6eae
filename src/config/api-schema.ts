import { z } from 'zod'
import { sensitivitySettings } from './field-schema.ts'
import { basePath, fieldName, host, label, line, localPath, name, upstreamUrl } from './forms.ts'
import { graphqlSettings } from './graphql-schema.ts'
import { objectRule } from './object-schema.ts'
import { answerMode, observedStages, operationModes, unknownFieldsMode } from './observe-schema.ts'
import { askedSignals } from './signal-schema.ts'
import { urlSettings } from './url-schema.ts'

const audience = z.string().min(1).max(1024)

const identity = z.strictObject({
  accept: z
    .array(name)
    .min(1)
    .max(64)
    .describe('Names under `identity.issuers` whose tokens the API accepts.'),
  audience: z
    .union([audience, z.array(audience).min(1).max(16)])
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .describe(
      'The `aud` that tokens for this API carry, one or several. A token meant for another API is refused, whoever issued it.',
    ),
  maxTokenAgeSeconds: z
    .int()
    .min(1)
    .max(31_536_000)
    .optional()
    .describe(
      'Seconds since `iat` after which a token is refused although it has not expired. Left out: no such bound.',
    ),
})

const timeouts = z.strictObject({
  connectMs: z.int().min(10).max(120_000).default(5000).describe('Milliseconds to connect to the upstream.'),
  headMs: z
    .int()
    .min(10)
    .max(600_000)
    .default(30_000)
    .describe('Milliseconds from the request’s last byte to the head of the upstream’s answer.'),
  bodyMs: z
    .int()
    .min(10)
    .max(600_000)
    .default(30_000)
    .describe(
      'Milliseconds between two parts of the upstream’s answer. An answer that is held to be checked may take four times as long in all, a look-up headMs and bodyMs together.',
    ),
  requestMs: z
    .int()
    .min(10)
    .max(600_000)
    .default(30_000)
    .describe('Milliseconds in which the whole request body has to arrive.'),
})

const bytes = z.int().min(1).max(268_435_456)

export const apiSettings = z.strictObject({
  contract: localPath
    .optional()
    .describe(
      'The OpenAPI file, relative to the file that names it. Left out: the API is ungoverned and can only be observed.',
    ),
  graphql: graphqlSettings
    .optional()
    .describe('A GraphQL API, in place of `contract`: its schema, and what one call may ask for.'),
  upstream: upstreamUrl.describe(
    'URL of the service. Without a path the base path is kept; a path, a lone `/` too, replaces it.',
  ),
  hosts: z.array(host).min(1).max(256).optional().describe('Host names the API answers on. Left out: any.'),
  basePath: basePath
    .optional()
    .describe('What every path of the API begins with: `/v1`. Left out: the path of the contract’s servers.'),
  owner: line.optional().describe('Who answers for the API: a team, a person. Shown and recorded.'),
  identity: identity
    .optional()
    .describe(
      'Whose tokens the API accepts. Left out: callers are anonymous and the API can only be observed.',
    ),
  mode: z
    .enum(['enforce', 'observe'])
    .optional()
    .describe(
      'Whether refusals take effect or are only recorded. Left out: `enforce` with contract and identity, else `observe`.',
    ),
  credential: z
    .enum(['replace', 'pass'])
    .default('replace')
    .describe(
      'What goes upstream as Authorization: `replace` sends the gate’s short-lived assertion, `pass` the caller’s own, for a service that checks it itself.',
    ),
  stripHeaders: z
    .array(fieldName)
    .max(64)
    .default([])
    .describe(
      'Further request fields that only the gate’s side may state: a caller’s own never go upstream, also where the contract declares them. What proxies and login services are known to send is removed anyway, unless the contract declares it as a header parameter.',
    ),
  zone: name.optional().describe('The trust zone the API stands in, of `zones`. Needed once there is one.'),
  observe: observedStages,
  operations: operationModes,
  signals: askedSignals,
  sensitivity: sensitivitySettings,
  onAuditFailure: z
    .enum(['deny', 'allow'])
    .default('deny')
    .describe('What becomes of calls that cannot be recorded. `allow` leaves calls without evidence.'),
  objects: z
    .record(name, objectRule)
    .optional()
    .describe('Whose the objects of the API are, by object type: what policies read as `resource.owner`.'),
  overlay: localPath
    .optional()
    .describe(
      'A file of further object rules and of fields’ classes, in the form `objects: { … }` and `fields: { … }`, so that the contract stays its vendor’s. Left out: the file beside the contract, `shop.sallyport.yaml` beside `shop.yaml`, where there is one.',
    ),
  timeouts: timeouts.prefault({}).describe('How long the gate waits.'),
  maxRequestBytes: bytes
    .default(1_048_576)
    .describe('Largest request body in bytes; bodies are held in memory to be checked whole.'),
  maxAnswerBytes: bytes
    .default(4_194_304)
    .describe(
      'Largest answer in bytes that the gate holds in memory to check; of larger ones `largeAnswers` says what becomes.',
    ),
  requestCodings: z
    .array(z.enum(['gzip', 'deflate', 'br', 'zstd']))
    .max(4)
    .optional()
    .describe(
      'Content codings that request bodies may come in. They are undone to be checked, and go upstream without. An empty list takes none. Left out: all four.',
    ),
  unknownFields: unknownFieldsMode
    .optional()
    .describe(
      'What becomes of request fields and query parameters that the contract does not declare: `reject` refuses the call, `strip` takes them out before it goes upstream, `observe` passes them on and records what rejecting would have refused. Left out: `reject`.',
    ),
  answers: answerMode
    .optional()
    .describe(
      'What becomes of an answer that is not as the contract says: `strip` takes out undeclared fields and refuses what else does not fit, `block` refuses undeclared fields too, `observe` only records. Left out: `strip`.',
    ),
  largeAnswers: z
    .enum(['refuse', 'pass'])
    .default('refuse')
    .describe(
      'What becomes of answers larger than maxAnswerBytes. `pass` sends them on unread and counts them, but for those that a rule or policy has to read: these are refused all the same.',
    ),
  urls: urlSettings.optional(),
  tenant: label.default('default').describe('The tenant the API belongs to.'),
  environment: label
    .optional()
    .describe('The environment the API belongs to. Left out: the top-level `environment`.'),
  allowPlainHttp: z
    .boolean()
    .default(false)
    .describe(
      'Accept plain `http:` for `upstream` beyond loopback: who sits between can then read and change every call.',
    ),
})

/** A file of its own for one API, so that a repository owns its part. */
export const apiFile = apiSettings.extend({
  name: name.optional().describe('Name of the API. Left out: the file’s name without its ending.'),
})

export type ApiSettings = z.infer<typeof apiSettings>
