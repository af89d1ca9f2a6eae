import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../../demo/sample-gate.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import { SHOP } from '../graphql-gate.ts'
import { accessToken, testKey } from '../token-issuer.ts'
import { shown } from './commands.ts'

// The commands on a GraphQL API, from its schema alone to a judged call.

const KEY = testKey('ES256')
let folder: ConfigFolder
let config: string
let issuer: ReturnType<typeof createServer>
let url: string

beforeAll(async () => {
  issuer = createServer((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: [{ ...KEY.publicJwk, kid: KEY.kid, alg: KEY.alg, use: 'sig' }] }))
  })
  issuer.listen(0, '127.0.0.1')
  await once(issuer, 'listening')
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`
  folder = configFolder()
  folder.write({ 'sallyport.yaml': '', 'shop.graphql': SHOP })
  config = folder.at('out/sallyport.yaml')
})
afterAll(() => {
  issuer.close()
  folder.remove()
})

const token = (sub: string, groups: readonly string[] = []): string => {
  const now = Math.floor(Date.now() / 1000)
  return accessToken(KEY, {
    iss: url,
    sub,
    aud: 'shop',
    client_id: 'web',
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 300,
    groups,
  })
}

describe('on a GraphQL API', () => {
  it('init makes a configuration, policies and tests of its schema', async () => {
    const { code, out, err } = await shown([
      'init',
      ...['--contract', folder.at('shop.graphql'), '--upstream', 'http://127.0.0.1:4000'],
      ...['--issuer', url, '--jwks', `${url}/jwks`, '--out', folder.at('out')],
    ])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('shop.Mutation.refund  POST /graphql')
    expect(out).toMatch(/(\d+) of \1 policy tests pass/)
    const text = readFileSync(config, 'utf8')
    expect(text).toMatch(/schema: "?\.\.\/shop\.graphql/)
    const policies = readFileSync(folder.at('out/policies/shop.cedar'), 'utf8')
    expect(policies).toContain('//   shop.Query.orders')
  })

  it('check passes, and names the line of what the schema has not', async () => {
    const fine = await runCommand(['check'], config)
    expect(fine.code).toBe(0)
    const text = readFileSync(config, 'utf8')
    const wrong = folder.at('out/wrong.yaml')
    writeFileSync(
      wrong,
      text.replace('path: /graphql', 'path: /graphql\n      fields: { Order.ssn: { class: pii } }'),
    )
    const { code, err } = await shown(['check', '--config', wrong])
    expect(code).toBe(2)
    expect(err).toMatch(/wrong\.yaml:\d+:\d+.*the schema has no type or field "Order\.ssn"/s)
  })

  it('policy schema lists its fields as actions', async () => {
    const { code, out } = await shown(['policy', 'schema', '--config', config])
    expect(code).toBe(0)
    expect(out).toContain('"shop.Query.orders"')
    expect(out).toContain('"shop.Mutation.refund"')
  })

  it('try judges a call field by field', async () => {
    writeFileSync(config, readFileSync(config, 'utf8').replace('mode: observe', 'mode: enforce'))
    writeFileSync(
      folder.at('out/policies/shop.cedar'),
      '@id("all") permit (principal is User, action == Action::"shop.Query.me", resource);\n',
    )
    writeFileSync(folder.at('out/policies/shop.test.yaml'), 'tests: []\n')
    const tried = (query: string) =>
      runCommand(
        ['try', 'POST', '/graphql', '--token', '-', '--body', JSON.stringify({ query })],
        config,
        token('ana'),
      )
    const mine = await tried('{ me { id } }')
    expect({ code: mine.code, json: mine.json }).toMatchObject({ code: 0 })
    const theirs = await tried('{ me { id } orders { id } }')
    expect(theirs).toMatchObject({ code: 1, json: { verdict: 'deny' } })
    const deep = await tried(`{ me ${'{ friends '.repeat(20)}{ id }${' }'.repeat(20)} }`)
    expect(deep).toMatchObject({ code: 1, json: { status: 400 } })
  })
})
