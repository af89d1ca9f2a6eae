import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sallyportBin, startGate, startServices } from '../../demo/sample-gate.ts'
import { readConfig } from '../../src/config/read.ts'
import { compilePolicies } from '../../src/decision/cedar/compile.ts'
import { CedarEngine } from '../../src/decision/cedar/evaluate.ts'
import { runPolicyTests } from '../../src/decision/policy-test.ts'
import { draft, outline } from '../../src/management/init/draft.ts'
import { writeNew } from '../../src/management/init/new-files.ts'
import { fixturesDir } from '../fixtures.ts'

const SHOP = join(import.meta.dirname, '../../demo/shop.openapi.yaml')
const folder = mkdtempSync(join(tmpdir(), 'sallyport-init-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function sallyport(args: readonly string[], cwd = folder) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [sallyportBin(), ...args], {
    cwd,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

const addresses = ['--upstream', 'http://127.0.0.1:3000', '--issuer', 'https://idp.example']

function newFolder(name: string): string {
  const path = join(folder, name)
  mkdirSync(path)
  return path
}

/** As a person does it: the # and // off what is offered. */
function takeOffers(out: string, api: string): void {
  const config = join(out, 'sallyport.yaml')
  writeFileSync(
    config,
    readFileSync(config, 'utf8').replace(/^ {4}# (objects:| {2}[a-z0-9-]+: \{ path: )/gm, '    $1'),
  )
  const policies = join(out, `policies/${api}.cedar`)
  writeFileSync(policies, uncommented(readFileSync(policies, 'utf8')))
}

function uncommented(text: string): string {
  return text.replace(/^\/\/ @id\([\s\S]*?^\/\/ .*;$/gm, (block) => block.replace(/^\/\/ /gm, ''))
}

describe('sallyport init', () => {
  test('writes a set-up that passes check, says what to do next, and never overwrites', () => {
    const cwd = newFolder('shop')
    copyFileSync(SHOP, join(cwd, 'shop.openapi.yaml'))
    const args = ['init', '--contract', 'shop.openapi.yaml', ...addresses]
    const first = sallyport(args, cwd)
    expect(first).toMatchObject({ status: 0, stderr: '' })
    for (const said of [
      'wrote sallyport.yaml\nwrote policies/shop.cedar\nwrote policies/shop.test.yaml\n',
      'permitted by scope: 10 operations',
      'warning: EVERYONE’S OBJECTS: by policy shop-scopes any caller whose token carries the scope gets at every object of',
      '    shop.getOrder  GET /orders/{orderId}\n',
      'warning: PUBLIC: 1 operation can be called by anyone, without a token (security: [], policy PUBLIC-shop):\n    shop.getHealth  GET /health\n',
      'shop.listProducts  GET /products',
      'audience: assumed to be shop.',
      '11 of 11 policy tests pass',
      '1. sallyport start   #',
      'sallyport report --would-deny',
      'mode: enforce',
    ]) {
      expect(first.stdout).toContain(said)
    }
    expect(sallyport(['check'], cwd)).toMatchObject({ status: 0 })
    const config = readFileSync(join(cwd, 'sallyport.yaml'), 'utf8')
    expect(config).toContain('contract: ./shop.openapi.yaml')
    expect(config).toContain('mode: observe')

    rmSync(join(cwd, 'policies/shop.cedar'))
    const again = sallyport([...args, '--json'], cwd)
    expect(again.status).toBe(2)
    expect(JSON.parse(again.stdout)).toMatchObject({ ok: false, code: 'not-written' })
    expect(again.stderr).toContain('sallyport.yaml and policies/shop.test.yaml exist already')
    expect(readFileSync(join(cwd, 'sallyport.yaml'), 'utf8')).toBe(config)
    expect(readdirSync(cwd, { recursive: true }).sort()).toEqual([
      ...['policies', 'policies/shop.test.yaml', 'sallyport.yaml', 'shop.openapi.yaml'],
    ])
  })

  test('says it all as JSON', () => {
    const args = [
      '--name',
      'store',
      '--audience',
      'https://shop.example',
      '--jwks',
      'https://idp.example/jwks?set=1',
    ]
    const { status, stdout } = sallyport([
      'init',
      '--contract',
      SHOP,
      ...addresses,
      ...args,
      '--out',
      'json/deep',
      '--json',
    ])
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      api: 'store',
      issuer: 'idp-example',
      audience: { value: 'https://shop.example', assumed: false },
      files: [
        'json/deep/sallyport.yaml',
        'json/deep/policies/store.cedar',
        'json/deep/policies/store.test.yaml',
      ],
      operations: {
        total: 12,
        anonymous: ['store.getHealth'],
        optional: ['store.listProducts'],
        unscoped: [],
        everyonesObjects: [
          'store.getOrder',
          'store.updateOrder',
          'store.getCustomer',
          'store.updateCustomer',
          'store.getPayment',
        ],
      },
      objects: [
        { type: 'order', path: '/orders/{orderId}', owner: '/customerId', lookup: 'getOrder' },
        { type: 'customer', path: '/customers/{customerId}', owner: '/id', lookup: 'getCustomer' },
        { type: 'payment' },
      ],
      check: { apis: [{ name: 'store', mode: 'observe', governed: true }] },
    })
  })

  describe('refuses bad input and writes nothing', () => {
    const contract = (name: string, text: string): string => {
      const path = join(folder, name)
      writeFileSync(path, text)
      return path
    }
    const empty = { openapi: '3.1.0', info: { title: 'x', version: '1' }, paths: {} }
    const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
      [
        'no flags',
        ['init'],
        /--contract and --upstream and --issuer are missing; for example:\n {2}sallyport init/,
      ],
      ['a missing file', ['--contract', 'nowhere.yaml', ...addresses], /nowhere\.yaml does not exist/],
      [
        'Swagger 1',
        ['--contract', contract('two.yaml', 'swagger: "1.2"\npaths: {}\n'), ...addresses],
        /two\.yaml:1:1: Swagger 1\.2 is not supported: use 2\.0/,
      ],
      [
        'OpenAPI 4',
        ['--contract', contract('four.yaml', 'info: {}\nopenapi: 4.0.0\n'), ...addresses],
        /four\.yaml:2:1: OpenAPI 4\.0\.0 is not supported: use 2\.0, 3\.0, 3\.1 or 3\.2/,
      ],
      [
        'broken YAML',
        ['--contract', contract('broken.yaml', 'openapi: [3.1.0\ninfo: x\n'), ...addresses],
        /broken\.yaml:\d+:\d+: is neither JSON nor YAML/,
      ],
      [
        'no operations',
        ['--contract', contract('empty.json', JSON.stringify(empty, null, 1)), ...addresses],
        /empty\.json:7:\d+: the contract has no operations/,
      ],
      [
        'a bad upstream',
        ['--contract', SHOP, '--upstream', 'shop', '--issuer', 'https://idp.example'],
        /--upstream must be/,
      ],
      [
        'an issuer over plain http',
        ['--contract', SHOP, '--upstream', 'http://127.0.0.1:1', '--issuer', 'http://idp.example'],
        /--issuer uses plain http:.*allowPlainHttp: true/,
      ],
      [
        'an unknown flag',
        ['--contract', SHOP, ...addresses, '--autdience', 'x'],
        /unknown option '--autdience'/,
      ],
    ]
    test.each(cases)('%s', (name, args, said) => {
      const out = join(folder, `bad-${name.replaceAll(' ', '-')}`)
      const { status, stdout, stderr } = sallyport([
        'init',
        ...args.filter((each) => each !== 'init'),
        '--out',
        out,
      ])
      expect(stderr).toMatch(said)
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
      expect(existsSync(out)).toBe(false)
    })
  })
})

describe('protect your own API in five minutes', () => {
  let services: Awaited<ReturnType<typeof startServices>>
  beforeAll(async () => {
    services = await startServices({ shop: 0, provider: 0 })
  })
  afterAll(() => services.stop())

  test('init, start, report --would-deny, enforce, and then the offered object rules', async () => {
    const out = join(folder, 'journey')
    const upstream = new URL(services.shop).origin
    const flags = ['--upstream', upstream, '--issuer', services.issuer, '--audience', 'https://shop.example']
    expect(sallyport(['init', '--contract', SHOP, ...flags, '--out', out]).stderr).toBe('')
    const config = join(out, 'sallyport.yaml')
    const gate = await startGate(config, { gate: 0, management: 0 })
    try {
      const status = async (path: string, token?: string): Promise<number> => {
        const headers: Record<string, string> =
          token === undefined ? {} : { authorization: `Bearer ${token}` }
        const answer = await fetch(`${gate.url}/v1${path}`, { headers })
        await answer.arrayBuffer()
        return answer.status
      }
      const ana = await services.token('ana')
      const ben = await services.token('ben')
      const anas = await orderOf('ana', ana, gate.url)
      expect(await status(`/orders/${anas}`)).toBe(200)
      const report = await gate.command(['report', '--would-deny'])
      expect(report.code).toBe(1)
      expect(JSON.stringify(report.json)).toContain('token-missing')

      writeFileSync(config, readFileSync(config, 'utf8').replace('mode: observe', 'mode: enforce'))
      expect(await gate.command(['reload'])).toMatchObject({ code: 0 })
      expect(await status(`/orders/${anas}`)).toBe(401)
      expect(await status(`/orders/${anas}`, ana)).toBe(200)
      expect(await status(`/orders/${anas}`, ben)).toBe(200)
      expect(await status('/admin/customers', ben)).toBe(403)
      expect(await status('/health')).toBe(200)

      takeOffers(out, 'shop')
      expect(await gate.command(['check'])).toMatchObject({ code: 0 })
      expect(await gate.command(['reload'])).toMatchObject({ code: 0 })
      expect(await status(`/orders/${anas}`, ana)).toBe(200)
      expect(await status(`/orders/${anas}`, ben)).toBe(404)
    } finally {
      await gate.stop()
    }
  })

  /** The id of some order of the person's, by what the shop lists. */
  async function orderOf(person: string, token: string, url: string): Promise<string> {
    const answer = await fetch(`${url}/v1/orders?limit=100`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const { orders } = (await answer.json()) as { orders: readonly { id: string; customerId: string }[] }
    const found = orders.find(({ customerId }) => customerId === person)
    if (found === undefined) throw new Error(`${person} has no order`)
    return found.id
  }
})

const fixtures = fixturesDir()

describe.skipIf(fixtures === null)('real contracts', () => {
  const dir = fixtures ?? ''
  const specs = join(dir, 'openapi-specs')
  const vulnerable = join(dir, 'vulnerable-api-specs')

  /** The contract in a folder of its own, unpacked. */
  function unpacked(name: string, file: string): { readonly out: string; readonly contract: string } {
    const out = newFolder(name)
    const contract = join(out, file.endsWith('.yml') ? 'openapi.yml' : 'openapi.json')
    const bytes = readFileSync(file)
    writeFileSync(contract, file.endsWith('.gz') ? gunzipSync(bytes) : bytes)
    return { out, contract }
  }

  test.each([
    ['crapi', join(vulnerable, 'crapi/crapi-openapi-spec.json'), { anonymous: 9, optional: 1, unscoped: 34 }],
    ['vampi', join(vulnerable, 'vampi/openapi3.yml'), { unscoped: 14 }],
    ['nytimes', join(specs, 'nytimes.com__books_api.json.gz'), { uncheckable: 6 }],
    ['calendar', join(specs, 'googleapis.com__calendar.json.gz'), { scoped: 37 }],
    ['shutterstock', join(specs, 'shutterstock.com.json.gz'), { scoped: 49, unscoped: 69 }],
  ])('%s, by the command itself', (name, file, counts) => {
    const { out } = unpacked(`cli-${name}`, file)
    const contract = file.endsWith('.yml') ? 'openapi.yml' : 'openapi.json'
    const { status, stdout } = sallyport(['init', '--contract', contract, ...addresses, '--json'], out)
    expect(status).toBe(0)
    const result = JSON.parse(stdout) as {
      operations: Readonly<Record<string, readonly string[]>>
      check: { tests: readonly { passed: boolean }[] }
    }
    for (const [list, count] of Object.entries(counts)) expect(result.operations[list]).toHaveLength(count)
    expect(result.check.tests.length).toBeGreaterThan(0)
    expect(result.check.tests.every(({ passed }) => passed)).toBe(true)
  })

  const all = fixtures === null ? [] : readdirSync(specs).filter((file) => file.endsWith('.json.gz'))
  test('there are 28', () => expect(all).toHaveLength(28))

  test.each(all)('%s: configuration, policies and tests hold, and so does what is offered', (file) => {
    const { out, contract } = unpacked(file, join(specs, file))
    const set = draft(
      outline({ contract, upstream: 'http://127.0.0.1:3000', issuer: 'https://idp.example', out }),
    )
    writeNew(out, set.files)
    const { api, issuer, operations, survey, objects } = set
    const apis = [{ api, operations, issuer }]
    const read = readConfig(join(out, 'sallyport.yaml'))
    const { plan } = compilePolicies({ files: read.policies, apis })
    const engine = new CedarEngine(plan)
    const tests = runPolicyTests({ files: read.policyTests, apis, engine })
    engine.close()
    expect(tests.filter(({ ok }) => !ok)).toEqual([])
    expect(tests.length).toBeGreaterThan(0)
    expect(tests.length).toBeLessThanOrEqual(20)
    const permits = [survey.scoped, survey.anonymous, survey.optional].filter((list) => list.length > 0)
    expect((plan.detail as { policies: readonly unknown[] }).policies).toHaveLength(permits.length)

    takeOffers(out, api)
    const taken = readConfig(join(out, 'sallyport.yaml'))
    expect(Object.keys(taken.apis[0]?.settings.objects ?? {})).toHaveLength(objects.length)
    const offered = compilePolicies({ files: taken.policies, apis }).plan.detail as {
      policies: readonly unknown[]
    }
    const ids = readFileSync(join(out, `policies/${api}.cedar`), 'utf8').match(/^@id\(/gm) ?? []
    expect(ids.length).toBe(offered.policies.length)
    expect(offered.policies.length > permits.length).toBe(
      survey.unscoped.length + survey.uncheckable.length + objects.length > 0,
    )
  })
})
