import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { SallyportError } from '../../src/model/errors.ts'
import type { OutcomeEntry } from '../../src/model/record.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import { type MemoryGate, memoryGate, memoryUpstream } from '../memory-gate.ts'
import { accessToken, testKey } from '../token-issuer.ts'

// What a candidate says beside the bundle in force is what it does when it is in force itself.

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

interface Setting {
  readonly contract?: string
  readonly policies?: string
  readonly mode?: string
  readonly audience?: string
  readonly groups?: string
  readonly owner?: string
  readonly limits?: string
  readonly basePath?: string
}

const SETTINGS: Readonly<Record<string, Setting>> = {
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
  fewfields: { limits: 'fieldCount: 8' },
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
    identity: { accept: [corp], audience: ${more.audience ?? 'shop'} }
    mode: ${mode}
    objects: { thing: { path: "/things/{id}", owner: ${more.owner ?? '/owner'}, lookup: getThing } }
${more.limits === undefined ? '' : `limits: { ${more.limits} }\n`}policies: ./${policies}
store: ./data
`

let folder: ConfigFolder
beforeAll(() => {
  folder = configFolder()
  const files = Object.entries(SETTINGS).map(([name, setting]) => [`${name}.yaml`, text(setting)] as const)
  folder.write({
    ...Object.fromEntries(files),
    'plain.openapi.yaml': contract('read'),
    'scoped.openapi.yaml': contract('look'),
    'strict.openapi.yaml': contract('read', 2),
    'own/all.cedar': OWN,
    'staff/all.cedar': STAFF,
    'nobody/all.cedar': '@id("nobody") forbid (principal, action, resource);\n',
  })
})
afterAll(() => folder.remove())

const gates: MemoryGate[] = []
const alone = new Map<string, MemoryGate>()
afterAll(() => {
  for (const gate of gates) gate.close()
})

const THINGS: Readonly<Record<string, object>> = {
  a: { id: 'a', owner: 'ana', maker: 'bo', note: 'fine' },
  b: { id: 'b', owner: 'bo', maker: 'ana', note: 'ok' },
  n: { id: 'n' },
}

function gateOf(name: string, beside?: string): MemoryGate {
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
  const gate = memoryGate({
    config: join(folder.path, `${name}.yaml`),
    upstream,
    keys: { corp: { iss: ISSUER, keys: [KEY] } },
    ...(beside === undefined ? {} : { candidate: { config: join(folder.path, `${beside}.yaml`) } }),
  })
  gates.push(gate)
  return gate
}

function tokens(): readonly (string | null)[] {
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

const CALLS = [
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
  ['PATCH', '/v1/things/a'],
  ['GET', '/v2/things/a'],
  ['GET', '/v1/nowhere'],
  ['GET', '/v1/things/a', undefined, 12],
] as const

async function outcomeOf(
  gate: MemoryGate,
  token: string | null,
  [method, target, body, more = 0]: readonly [string, string, string?, number?],
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

describe('a candidate beside the bundle in force', () => {
  const names = Object.keys(SETTINGS)
  const pairs = ['plain', 'staff', 'nobody', 'maker', 'observed'].flatMap((live) =>
    names.filter((other) => other !== live).map((other) => [live, other] as const),
  )

  it.each(pairs)('%s: says of %s what that does', async (live, other) => {
    const beside = gateOf(live, other)
    const real = alone.get(other) ?? gateOf(other)
    alone.set(other, real)
    const observed = SETTINGS[live]?.mode === 'observe' && SETTINGS[other]?.mode === 'observe'
    const wrong: unknown[] = []
    let undecided = 0
    for (const token of tokens()) {
      for (const call of CALLS) {
        const [said, did] = [await outcomeOf(beside, token, call), await outcomeOf(real, token, call)]
        const { candidate } = said
        if (candidate === undefined) throw new Error('the candidate was not asked')
        if (candidate.undecided) {
          undecided++
          // Only of calls that ended before what would have decided, and of objects looked up by another rule.
          if (
            said.action === 'forwarded' &&
            !said.wouldDeny &&
            (SETTINGS[live]?.owner === SETTINGS[other]?.owner || call[0] !== 'DELETE')
          )
            wrong.push(['undecided', call, candidate])
          continue
        }
        const refuses = (outcome: OutcomeEntry) =>
          outcome.action === 'refused' || (observed && outcome.wouldDeny)
        const [expected, before] = [refuses(did), refuses(said)]
        if ((candidate.effect !== 'allow') !== expected || candidate.changed !== (expected !== before))
          wrong.push(
            [
              ...call,
              token?.length,
              candidate.effect,
              candidate.changed,
              candidate.reasons[0]?.code,
              'live',
              said.action,
              said.wouldDeny,
              'real',
              did.action,
              did.wouldDeny,
              did.decisions.at(-1)?.reasons[0]?.code,
            ].join(' '),
          )
      }
    }
    expect(wrong).toEqual([])
    expect(undecided).toBeLessThan(CALLS.length * 8)
    expect([...beside.faults, ...real.faults].filter(({ stage }) => stage === 'candidate')).toEqual([])
  })

  it('changes nothing of the call, whatever goes wrong in it', async () => {
    const gate = gateOf('plain', 'staff')
    const [token] = tokens().slice(1)
    const counted: string[] = []
    const broken = {
      ...gate.gate,
      candidateTokens: {
        verify: () => {
          throw new TypeError('spoilt')
        },
      } as never,
      count: (name: string, _by: number, ...labels: readonly string[]) =>
        void counted.push([name, ...labels].join()),
    }
    const outcome = await outcomeOf({ ...gate, gate: broken }, token ?? null, ['GET', '/v1/things/a'])
    expect([outcome.action, outcome.candidate]).toEqual(['forwarded', undefined])
    expect(counted).toContain('sallyport_candidate_total,failed')
    expect(gate.faults).toMatchObject([{ stage: 'candidate' }])
  })
})
