import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../../demo/sample-gate.ts'
import type { DryRun } from '../../src/management/dry-run.ts'
import { shown } from './commands.ts'
import { type DemoGate, startDemoGate } from './harness.ts'

describe('try', () => {
  let gate: DemoGate
  let dry: string
  let tokens: Record<'ana' | 'ben' | 'olga' | 'expired' | 'billing', string>
  let calls = 0
  beforeAll(async () => {
    gate = await startDemoGate({ threads: 1 })
    tokens = {
      ana: await gate.token('ana'),
      ben: await gate.token('ben'),
      olga: await gate.token('olga'),
      expired: await gate.token('ana', { ttlSeconds: -600 }),
      billing: await gate.token('ana', { resource: 'https://billing.example' }),
    }
    dry = join(gate.folder, 'dry.yaml')
    writeFileSync(dry, readFileSync(gate.config, 'utf8').replace('store: ./data', 'store: ./untouched'))
    calls = gate.services.calls.length
  })
  afterAll(() => gate.stop())

  const tried = async (
    args: readonly string[],
    token?: keyof typeof tokens,
  ): Promise<{ code: number; run: DryRun }> => {
    const { code, json } = await runCommand(
      ['try', ...args, ...(token === undefined ? [] : ['--token', '-'])],
      dry,
      token === undefined ? '' : tokens[token],
    )
    return { code, run: json as DryRun }
  }

  it('leaves a read of an object undecided until its owner is known', async () => {
    const { code, run } = await tried(['GET', '/v1/orders/o-1001'], 'ana')
    expect(code).toBe(0)
    expect(run).toMatchObject({ verdict: 'undecided', status: null, operation: 'shop.getOrder' })
    expect(run.next).toEqual({
      purpose: 'call',
      method: 'GET',
      url: `${new URL(gate.services.shop).origin}/v1/orders/o-1001`,
    })
    expect(run.wait).toEqual({
      attributes: ['resource.owner'],
      statedBy: 'answer',
      pointers: ['/customerId'],
      policies: ['owner-handles-own-order'],
      ifOwn: 'allow',
      ifForeign: 'deny',
      list: false,
      deniedStatus: 404,
    })
  })

  it('names the look-up a write would wait for', async () => {
    const { run } = await tried(['PATCH', '/v1/orders/o-1001', '--body', '{"status":"cancelled"}'], 'ana')
    expect(run.verdict).toBe('undecided')
    expect(run.next).toMatchObject({ purpose: 'look-up', method: 'GET' })
    expect(run.wait).toMatchObject({ statedBy: 'look-up', ifOwn: 'allow', ifForeign: 'deny' })
  })

  it('allows staff whosever it is, the look-up still to be made', async () => {
    const { code, run } = await tried(
      ['PATCH', '/v1/orders/o-1001', '--body', '{"status":"cancelled"}'],
      'olga',
    )
    expect(code).toBe(0)
    expect(run).toMatchObject({ verdict: 'allow', wait: null, next: { purpose: 'look-up' } })
  })

  it.each([
    ['no token', ['GET', '/v1/orders/o-1001'], undefined, 401, 'token-missing'],
    ['an expired token', ['GET', '/v1/orders/o-1001'], 'expired', 401, 'token-expired'],
    ['a token for another API', ['GET', '/v1/orders/o-1001'], 'billing', 401, 'audience-mismatch'],
    ['a missing scope', ['PATCH', '/v1/orders/o-1001', '--body', '{}'], 'ben', 403, 'insufficient-scope'],
    ['an undeclared field', ['POST', '/v1/orders', '--body', '{"x":1}'], 'ana', 400, 'field-undeclared'],
    ['an unknown path', ['GET', 'http://127.0.0.1/v1/nothing'], 'ana', 404, 'route-unknown'],
    ['dot segments', ['GET', '/v1/orders/../admin/customers'], 'olga', 400, 'target-invalid'],
  ] as const)('denies %s', async (_name, args, token, status, reason) => {
    const { code, run } = await tried(args, token)
    expect(code).toBe(1)
    expect(run).toMatchObject({ verdict: 'deny', enforced: true, status, next: null, wait: null })
    expect(run.decisions.at(-1)?.reasons[0].code).toBe(reason)
    expect(run.change).not.toBe('')
  })

  it('tells the one who tries where the paths begin, and how methods are written', async () => {
    const { run } = await tried(['get', '/orders/o-1001'], 'ana')
    expect(run.notes).toEqual(['methods are upper case: GET', 'of the paths, shop begins with /v1'])
    expect((await tried(['get', '/v1/orders/o-1001'], 'ana')).run.notes).toEqual([
      'methods are upper case: GET',
    ])
  })

  it('says that an issuer cannot be reached', async () => {
    const file = join(gate.folder, 'gone.yaml')
    writeFileSync(
      file,
      readFileSync(dry, 'utf8').replace(
        /issuer: "[^"]*"/,
        `issuer: "${gate.services.issuer}", jwks: "http://127.0.0.1:9/jwks"`,
      ),
    )
    const { code, json } = await runCommand(
      ['try', 'GET', '/v1/orders/o-1001', '--token', '-'],
      file,
      tokens.ana,
    )
    const run = json as DryRun
    expect(code).toBe(1)
    expect(run).toMatchObject({ verdict: 'deny', status: 503 })
    expect(run.notes.join()).toContain('issuer demo could not be asked for its keys: keys-unreachable')
  })

  it('takes no credential from the command line, and a body from a file', async () => {
    const config = ['--config', dry]
    const given = await shown([
      'try',
      'GET',
      '/v1/products',
      '--header',
      'Authorization: Bearer x',
      ...config,
    ])
    expect(given).toMatchObject({ code: 2, out: '' })
    expect(given.err).toContain('--token')
    for (const field of ['Cookie: sid=1', 'X-Api-Key: 1234', 'X-Auth-Token: 1234']) {
      const refused = await shown(['try', 'GET', '/v1/products', '--header', field, ...config])
      expect(refused).toMatchObject({ code: 2, out: '' })
      expect(refused.err).not.toContain('1234')
    }
    const referred = await shown(
      ['try', 'GET', '/v1/orders', '--header', 'Authorization: env:FIELD', ...config],
      { FIELD: `Bearer ${tokens.ana}` },
    )
    expect(referred.out).toContain('demo/ana')
    expect((await shown(['try', 'GET', '/v1/products', '--token', 'eyJ', ...config])).code).toBe(2)
    expect((await shown(['try', 'GET', 'products', ...config])).code).toBe(2)
    const body = join(gate.folder, 'body.json')
    writeFileSync(body, '{"x":1}')
    const { out } = await shown(
      ['try', 'POST', '/v1/orders', '--token', 'env:TOKEN', '--body', `@${body}`, ...config],
      { TOKEN: tokens.ana },
    )
    expect(out).toContain('deny: the caller would get 400')
    expect(out).toContain('Remove field /x')
  })

  it('asked no upstream and wrote nothing', () => {
    expect(gate.services.calls.length).toBe(calls)
    expect(existsSync(join(gate.folder, 'untouched'))).toBe(false)
  })
})
