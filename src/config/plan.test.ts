import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ConfigFolder, configFolder } from '../../test/config-folder.ts'
import { checkClaims } from './claims.ts'
import { formatProblem } from './place.ts'
import { settlePlan, toPlans } from './plan.ts'
import { type ReadConfig, readConfig } from './read.ts'

let folder: ConfigFolder

beforeEach(() => {
  folder = configFolder()
  folder.write({ 'shop.yaml': 'openapi: 3.1.0\n' })
})
afterEach(() => folder.remove())

const ISSUERS = `identity:
  issuers:
    b: { issuer: https://b.example, types: [JWT], tenantClaim: org, skewSeconds: 5 }
    a: { issuer: https://a.example/, jwks: https://a.example/keys }
`

function read(text: string): ReadConfig {
  return readConfig(folder.write({ 'sallyport.yaml': text }))
}

function plansOf(text: string) {
  return toPlans(read(text), '1.2.3')
}

function apiOf(settings: string) {
  const [api] = plansOf(`${ISSUERS}apis: { shop: { ${settings} } }`).apis
  if (api === undefined) throw new Error('no plan')
  return api
}

const GOVERNED =
  'contract: shop.yaml, upstream: "http://127.0.0.1:3000", identity: { accept: [a], audience: shop }'

test('the head: issuers by name, limits, defaults', () => {
  const { head } = plansOf(
    `${ISSUERS}apis: { shop: { ${GOVERNED} } }\naudit: { attributes: [context.ip, context.acr] }`,
  )
  expect(head).toEqual({
    format: 1,
    version: '1.2.3',
    issuers: [
      expect.objectContaining({
        name: 'a',
        iss: 'https://a.example/',
        jwks: 'https://a.example/keys',
        types: [],
      }),
      {
        name: 'b',
        iss: 'https://b.example',
        algorithms: ['ES256', 'EdDSA', 'PS256', 'RS256'],
        types: ['JWT'],
        groupsClaim: 'groups',
        tenantClaim: 'org',
        keys: { refreshSeconds: 300, cooldownSeconds: 10, maxStaleSeconds: 86_400, waitMs: 2000 },
        skewSeconds: 5,
      },
    ],
    limits: { tokenBytes: 8192, fieldBytes: 16_384, fieldCount: 100 },
    environment: 'default',
    durability: 'os',
    auditAttributes: ['context.acr', 'context.ip'],
  })
})

test('what surrounds calls, and claims that no standard names', () => {
  const { head } = plansOf(`identity:
  issuers:
    a: { issuer: https://a.example, rolesClaim: /realm_access/roles, deviceClaim: device, subjects: workload }
networks: { vpn: [10.8.0.0/16], office: [10.1.0.0/16, 10.0.0.0/16, 10.1.0.0/16] }
timeZone: Europe/Berlin
apis: { shop: { ${GOVERNED} } }
`)
  expect(head.networks).toEqual({ office: ['10.0.0.0/16', '10.1.0.0/16'], vpn: ['10.8.0.0/16'] })
  expect(Object.keys(head.networks ?? {})).toEqual(['office', 'vpn'])
  expect(head.timeZone).toBe('Europe/Berlin')
  expect(head.issuers[0]).toMatchObject({
    rolesClaim: '/realm_access/roles',
    deviceClaim: 'device',
    subjects: 'workload',
  })
})

describe('an API', () => {
  test('is governed and enforced with contract and identity, else observed', () => {
    expect(apiOf(GOVERNED)).toMatchObject({
      governed: true,
      mode: 'enforce',
      audience: ['shop'],
      accept: ['a'],
    })
    expect(apiOf(`${GOVERNED}, mode: observe`)).toMatchObject({ governed: true, mode: 'observe' })
    expect(apiOf('upstream: "http://127.0.0.1:3000"')).toMatchObject({
      governed: false,
      mode: 'observe',
      accept: [],
      audience: [],
      basePath: '',
    })
    expect(apiOf('contract: shop.yaml, upstream: "http://127.0.0.1:3000"')).toMatchObject({
      governed: false,
      mode: 'observe',
      basePath: null,
    })
  })

  test('takes its environment from the top where it has none', () => {
    const text =
      'environment: staging\napis: { a: { upstream: "http://127.0.0.1", basePath: /a }, b: { upstream: "http://127.0.0.1", environment: test } }'
    expect(plansOf(text).apis.map(({ environment }) => environment)).toEqual(['staging', 'test'])
  })

  test.each([
    ['http://127.0.0.1:3000', '/v1'],
    ['http://127.0.0.1:3000/', ''],
    ['http://127.0.0.1:3000/api', '/api'],
    ['http://127.0.0.1:3000/api/', '/api'],
  ])('upstream %s gets paths under %j', (upstream, basePath) => {
    const plan = apiOf(`contract: shop.yaml, upstream: "${upstream}"`)
    expect(settlePlan(plan, '/v1')).toMatchObject({
      basePath: '/v1',
      upstream: { origin: 'http://127.0.0.1:3000', basePath },
    })
    expect(settlePlan(plan, '/v1')).not.toHaveProperty('objects')
  })

  test('a configured base path outweighs the contract’s', () => {
    expect(settlePlan(apiOf(`${GOVERNED}, basePath: /mine`), '/v1').basePath).toBe('/mine')
  })

  test('object rules name the issuer, given or the only one accepted', () => {
    const rule = 'objects: { order: { path: "/o/{id}", owner: /owner/id, lookup: getOrder } }'
    expect(apiOf(`${GOVERNED}, ${rule}`).objects).toEqual([
      {
        type: 'order',
        path: '/o/{id}',
        owner: ['owner', 'id'],
        issuer: 'a',
        lookup: 'getOrder',
        hideAbsent: false,
      },
    ])
    const two = GOVERNED.replace('[a]', '[b, a]')
    const named = rule.replace('lookup: getOrder', 'issuer: b, hideAbsent: true')
    expect(apiOf(`${two}, ${named}`)).toMatchObject({
      accept: ['a', 'b'],
      objects: [{ issuer: 'b', hideAbsent: true }],
    })
  })
})

test('the order of keys does not change the plans', () => {
  const one = '  one: { upstream: "http://127.0.0.1:1", basePath: /one, hosts: [b.example, a.example] }\n'
  const two = '  two: { upstream: "http://127.0.0.1:2", basePath: /two }\n'
  expect(plansOf(`apis:\n${one}${two}`)).toEqual(
    plansOf(`apis:\n${two}${one.replace('b.example, a', 'a.example, b')}`),
  )
})

test('claims that only contracts make known are placed after compiling', () => {
  const config = read(`apis:
  one: { contract: shop.yaml, upstream: "http://127.0.0.1:1" }
  two: { contract: shop.yaml, upstream: "http://127.0.0.1:2", hosts: [A.example] }
  three: { contract: shop.yaml, upstream: "http://127.0.0.1:3", hosts: [b.example] }
`)
  const settled = (paths: readonly string[]) =>
    toPlans(config, '1').apis.map((plan, index) => settlePlan(plan, paths[index] ?? ''))
  expect(checkClaims(settled(['/v1', '/v2', '/v3']), config.apis)).toEqual([])
  expect(checkClaims(settled(['/v0', '/v1', '/v1']), config.apis)).toEqual([])
  // Sorted by name: one, three, two.
  expect(checkClaims(settled(['/v1', '/v2', '/v1']), config.apis).map(formatProblem)).toEqual([
    `${folder.at('sallyport.yaml')}:3:3: the APIs "one" and "two" both claim /v1 on a.example (Give one of them another basePath, or both their own hosts.)`,
  ])
})
