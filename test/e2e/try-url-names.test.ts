import { afterAll, expect, it } from 'vitest'
import { dryRun } from '../../src/roles/dry-run.ts'
import { configFolder } from '../config-folder.ts'

// `sallyport try` asks no DNS: it says so where a call's verdict may turn on it.

const folder = configFolder()
afterAll(() => folder.remove())

const CONTRACT = `openapi: 3.1.0
info: { title: hooks, version: 1.0.0 }
paths:
  /hooks:
    get: { operationId: listHooks, security: [], responses: { '200': { description: ok } } }
    post:
      operationId: addHook
      security: []
      requestBody: { content: { application/json: { schema: { type: object, properties: { url: { type: string, format: uri, x-sallyport: { url: { hosts: [api.partner.example], schemes: [https] } } } } } } } }
      responses: { '200': { description: ok } }
`

it('says which names of URL rules it does not resolve', async () => {
  const config = folder.write({
    'sallyport.yaml': `identity: { issuers: { corp: { issuer: "https://idp.example", jwks: "http://127.0.0.1:9/jwks" } } }
apis:
  hooks:
    contract: ./hooks.yaml
    upstream: http://127.0.0.1:3000
    identity: { accept: [corp], audience: hooks }
policies: ./policies
store: ./data
`,
    'hooks.yaml': CONTRACT,
    'policies/hooks.cedar': '@id("all") permit (principal, action in Action::"hooks/all", resource);\n',
  })
  const tried = (host: string) =>
    dryRun({
      config,
      method: 'POST',
      url: '/hooks',
      fields: [],
      token: null,
      body: Buffer.from(JSON.stringify({ url: `https://${host}/in` })),
    })
  const listed = await tried('api.partner.example')
  expect(listed.verdict).toBe('allow')
  expect(listed.notes.join('\n')).toMatch(/\(api\.partner\.example\) are not resolved here/)
  expect((await tried('169.254.169.254')).verdict).toBe('deny')
})
