import { join } from 'node:path'
import { callInMemory } from '../src/enforcement/entrances/memory.ts'
import { SallyportError } from '../src/model/errors.ts'
import type { OutcomeEntry } from '../src/model/record.ts'
import { systemRandom } from '../src/roles/system.ts'
import { type ConfigFolder, configFolder } from './config-folder.ts'
import { type MemoryGate, memoryGate, memoryUpstream } from './memory-gate.ts'
import { accessToken, testKey } from './token-issuer.ts'

// One API under many configurations, and calls that these judge in different ways.

const ISSUER = 'https://idp.example'
const KEY = testKey('ES256')

const contract = (read: string, note = 8) => `openapi: 3.1.0
info: { title: things, version: 1.0.0 }
paths:
  /free: { get: { operationId: getFree, security: [], responses: { '200': { $ref: '#/components/responses/Thing' } } } }
  /things:
    get: { operationId: listThings, security: [{ oauth: [${read}] }], responses: { '200': { description: ok, content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Thing' } } } } } } }
    post:
      operationId: addThing
      security: [{ oauth: [write] }]
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
      responses: { '200': { $ref: '#/components/responses/Thing' } }
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string, maxLength: 4 } }]
    get: { operationId: getThing, security: [{ oauth: [${read}] }], responses: { '200': { $ref: '#/components/responses/Thing' }, '404': { description: none } } }
    delete: { operationId: deleteThing, security: [{ oauth: [write] }], responses: { '200': { $ref: '#/components/responses/Thing' }, '404': { description: none } } }
components:
  securitySchemes: { oauth: { type: http, scheme: bearer } }
  responses: { Thing: { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } } }
  schemas: { Thing: { type: object, properties: { id: { type: string }, owner: { type: string }, maker: { type: string }, note: { type: string, maxLength: ${note} } } } }
`

const OWN = `@id("own") permit (principal is User, action in [Action::"things.getThing", Action::"things.deleteThing"], resource) when { resource has owner && resource.owner == principal };
@id("add") permit (principal is User, action in [Action::"things.addThing", Action::"things.listThings"], resource);
@id("free") permit (principal, action == Action::"things.getFree", resource);
`
const STAFF = `${OWN}@id("staff") permit (principal in Group::"corp/staff", action, resource);\n`

export interface Setting {
  readonly contract?: string
  readonly policies?: string
  readonly mode?: string
  readonly audience?: string
  readonly groups?: string
  readonly owner?: string
  readonly limits?: string
  readonly basePath?: string
  readonly more?: string
  readonly object?: string
  readonly age?: string
}

export const SETTINGS: Readonly<Record<string, Setting>> = {
  plain: {},
  staff: { policies: 'staff' },
  nobody: { policies: 'nobody' },
  scoped: { contract: 'scoped' },
  strict: { contract: 'strict' },
  audience: { audience: 'other' },
  groups: { policies: 'staff', groups: 'teams' },
  maker: { owner: '/maker' },
  observed: { policies: 'staff', mode: 'observe' },
  watched: { policies: 'nobody', mode: 'observe' },
  moved: { basePath: '/v2' },
  shorttokens: { limits: 'tokenBytes: 256' },
  small: { more: 'maxRequestBytes: 14' },
  smallwatched: { more: 'maxRequestBytes: 14', mode: 'observe' },
  stages: { more: 'observe: [contract]', contract: 'strict' },
  stagepolicy: { more: 'observe: [policy]', policies: 'nobody' },
  stageid: { more: 'observe: [identity]' },
  stageresp: { more: 'observe: [response]', contract: 'strict' },
  opmode: { more: 'operations: { getThing: { mode: observe } }' },
  public: { contract: 'public', policies: 'all' },
  publicown: { contract: 'public' },
  optional: { contract: 'optional', policies: 'all' },
  optionalown: { contract: 'optional' },
  renamed: {
    contract: 'renamed',
    policies: 'params',
    object: 'thing: { path: "/things/{key}", owner: /owner, lookup: getThing }',
  },
  params: { policies: 'params' },
  checkpoint: { policies: 'checkpoint' },
  checkhead: { policies: 'checkhead' },
  listed: {
    object:
      'thing: { path: "/things/{id}", owner: /owner, lookup: getThing, list: { operation: listThings, id: /id } }',
    policies: 'list',
  },
  listednone: {
    object:
      'thing: { path: "/things/{id}", owner: /owner, lookup: getThing, list: { operation: listThings, id: /id } }',
    policies: 'params',
  },
  nolookup: { object: 'thing: { path: "/things/{id}", owner: /owner }' },
  noobject: { object: '', policies: 'all' },
  failing: { policies: 'failing' },
  young: { age: 'maxTokenAgeSeconds: 60' },
  stripping: { more: 'stripHeaders: [x-more]' },
  fewfields: { limits: 'fieldCount: 8' },
  dropping: { more: 'unknownFields: strip' },
  noting: { more: 'unknownFields: observe' },
  opdropping: { more: 'operations: { addThing: { unknownFields: strip } }' },
  blocking: { more: 'answers: block' },
  notingall: { more: 'answers: observe\n    unknownFields: observe' },
  uncoded: { more: 'requestCodings: []' },
  urls: { more: 'urls: { private: allow }' },
}

const text = ({
  contract = 'plain',
  policies = 'own',
  mode = 'enforce',
  ...more
}: Setting): string => `identity:
  issuers: { corp: { issuer: "${ISSUER}", groupsClaim: ${more.groups ?? 'groups'} } }
apis:
  things:
    contract: ./${contract}.openapi.yaml
    upstream: http://127.0.0.1:9
    basePath: ${more.basePath ?? '/v1'}
    owner: team
    identity: { accept: [corp], audience: ${more.audience ?? 'shop'}${more.age ? `, ${more.age}` : ''} }
    mode: ${mode}
    objects: { ${more.object ?? `thing: { path: "/things/{id}", owner: ${more.owner ?? '/owner'}, lookup: getThing }`} }
    ${more.more ?? ''}
${more.limits === undefined ? '' : `limits: { ${more.limits} }\n`}policies: ./${policies}
store: ./data
`

/** A folder with the file `<name>.yaml` for each setting. */
export function settingsFolder(): ConfigFolder {
  const folder = configFolder()
  const files = Object.entries(SETTINGS).map(([name, setting]) => [`${name}.yaml`, text(setting)] as const)
  folder.write({
    ...Object.fromEntries(files),
    'plain.openapi.yaml': contract('read'),
    'scoped.openapi.yaml': contract('look'),
    'strict.openapi.yaml': contract('read', 2),
    'public.openapi.yaml': contract('read').replaceAll('security: [{ oauth: [read] }]', 'security: []'),
    'optional.openapi.yaml': contract('read').replaceAll(
      'security: [{ oauth: [read] }]',
      'security: [{ oauth: [read] }, {}]',
    ),
    'renamed.openapi.yaml': contract('read')
      .replaceAll('/things/{id}', '/things/{key}')
      .replaceAll('name: id,', 'name: key,'),
    'params/all.cedar':
      '@id("p") permit(principal, action, resource) when { resource.params has id && resource.params.id == "a" };',
    'all/all.cedar': '@id("all") permit(principal, action, resource);',
    'checkpoint/all.cedar': `${OWN}@id("cp") forbid(principal, action, resource) when { context.checkpoint == "response" };`,
    'checkhead/all.cedar':
      OWN +
      '@id("cp") forbid(principal, action, resource) when { context.checkpoint == "head" && principal is User };',
    'failing/all.cedar':
      OWN +
      '@id("cp") forbid(principal, action, resource) when { context.tokenAgeSeconds + 9223372036854775807 > 0 };',
    'list/all.cedar':
      '@id("own") permit (principal is User, action, resource) when { resource has owner && resource.owner == principal };',
    'own/all.cedar': OWN,
    'staff/all.cedar': STAFF,
    'nobody/all.cedar': '@id("nobody") forbid (principal, action, resource);\n',
  })
  return folder
}

const THINGS: Readonly<Record<string, object>> = {
  a: { id: 'a', owner: 'ana', maker: 'bo', note: 'fine' },
  b: { id: 'b', owner: 'bo', maker: 'ana', note: 'ok' },
  n: { id: 'n' },
  w: { id: 'w', owner: 'ana', secret: 'x' },
}

/** `beside`: a candidate's setting. */
export function gateOf(folder: ConfigFolder, name: string, beside?: string): MemoryGate {
  const upstream = memoryUpstream(({ path, method }) => {
    const [, id = ''] = /\/things\/(\w+)/.exec(path) ?? []
    if (id === 'x') throw new SallyportError('upstream-unreachable', 'gone')
    const found =
      path.endsWith('/things') && method === 'GET' ? Object.values(THINGS) : (THINGS[id || 'n'] ?? null)
    if (found === null) return { status: 404 }
    const body = id === 'b' && method === 'GET' ? '{"id":7}' : JSON.stringify(found)
    return {
      status: 200,
      fields: ['Content-Type', 'application/json'],
      body: path.includes('bad') ? body : JSON.stringify(found),
    }
  })
  return memoryGate({
    config: join(folder.path, `${name}.yaml`),
    upstream,
    keys: { corp: { iss: ISSUER, keys: [KEY] } },
    ...(beside === undefined ? {} : { candidate: { config: join(folder.path, `${beside}.yaml`) } }),
  })
}

export function tokens(): readonly (string | null)[] {
  const now = Math.floor(Date.now() / 1000)
  const token = (sub: string, more: object = {}) =>
    accessToken(KEY, {
      iss: ISSUER,
      sub,
      aud: 'shop',
      client_id: 'web',
      jti: crypto.randomUUID(),
      scope: 'read write look',
      iat: now,
      exp: now + 900,
      ...more,
    })
  return [
    null,
    token('ana'),
    token('bo', { groups: ['staff'] }),
    token('cy', { teams: ['staff'], scope: 'read' }),
    token('di', { aud: ['other', 'shop'] }),
    token('ed', { aud: 'other' }),
    token('fi', { exp: now - 900 }),
    'no.token.atall',
  ]
}

export const CALLS = [
  ['GET', '/v1/free'],
  ['GET', '/v1/things'],
  ['GET', '/v1/things/a'],
  ['GET', '/v1/things/b'],
  ['GET', '/v1/things/none'],
  ['GET', '/v1/things/x'],
  ['GET', '/v1/things/toolong'],
  ['DELETE', '/v1/things/a'],
  ['DELETE', '/v1/things/b'],
  ['POST', '/v1/things', '{"note":"fine"}'],
  ['POST', '/v1/things', '{"note":"much too long"}'],
  ['POST', '/v1/things', '{"note":"fine","role":"admin"}'],
  ['POST', '/v1/things', '{"note":"much too long","role":"admin"}'],
  ['GET', '/v1/things/a?debug=1'],
  ['GET', '/v1/things/w'],
  ['PATCH', '/v1/things/a'],
  ['GET', '/v2/things/a'],
  ['GET', '/v1/nowhere'],
  ['GET', '/v1/things/bad'],
  ['GET', '/v1/things/a', undefined, 12],
] as const

export async function outcomeOf(
  gate: MemoryGate,
  token: string | null,
  [method, target, body, more = 0]: readonly [string, string, (string | undefined)?, number?],
): Promise<OutcomeEntry> {
  const fields = ['Host', 'things.example']
  if (token !== null) fields.push('Authorization', `Bearer ${token}`)
  if (body !== undefined)
    fields.push('Content-Type', 'application/json', 'Content-Length', String(body.length))
  for (let count = 0; count < more; count++) fields.push(`X-Field-${count}`, 'x')
  const { id } = await callInMemory(gate.gate, systemRandom(), {
    method,
    target,
    fields,
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  })
  const outcome = gate.audit.outcomes.get(id)
  if (outcome === undefined) throw new Error('no outcome')
  return outcome
}
