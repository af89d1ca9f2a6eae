import { afterEach, describe, expect, it } from 'vitest'
import { type ConfigFolder, configFolder } from '../../test/config-folder.ts'
import { readConfig } from '../config/read.ts'
import { compileBundle } from './compile-bundle.ts'
import { compile } from './compiler.ts'
import { sourceDigest } from './source-digest.ts'

let folder: ConfigFolder
afterEach(() => folder.remove())

const CONFIG = `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  shop:
    contract: ./api/shop.yaml
    upstream: http://127.0.0.1:3000
    identity: { accept: [corp], audience: shop }
policies: ./policies
`
const CONTRACT = `openapi: 3.1.0
info: { title: shop, version: "1" }
paths: { /orders: { $ref: ./paths/orders.yaml } }
`
const PATH = `get:
  operationId: listOrders
  responses:
    "200": { description: ok, content: { application/json: { schema: { $ref: ../schemas/order.json } } } }
`

function write(files: Readonly<Record<string, string>>): string {
  folder = configFolder()
  return folder.write({
    'sallyport.yaml': CONFIG,
    'api/shop.yaml': CONTRACT,
    'api/paths/orders.yaml': PATH,
    'api/schemas/order.json': '{"type":"object"}',
    'policies/shop.cedar': 'permit (principal, action, resource);',
    ...files,
  })
}

const watched = (config: string): string[] =>
  readConfig(config)
    .files.map((file) => file.replace(/^.*(?=\/api\/)/, ''))
    .filter((file) => file.startsWith('/api/'))

describe('a contract in several files', () => {
  it('is compiled with all of them, each watched', () => {
    const config = write({})
    expect(compileBundle(config).apis[0]?.contract?.operations).toHaveLength(1)
    expect(watched(config)).toEqual([
      '/api/shop.yaml',
      '/api/paths/orders.yaml',
      '/api/schemas/order.json',
      '/api/shop.sallyport.yaml',
    ])
  })

  it('is another source where any of them is another', () => {
    const config = write({})
    const before = sourceDigest(readConfig(config))
    expect(sourceDigest(readConfig(config))).toBe(before)
    folder.write({ 'api/schemas/order.json': '{"type":"array"}' })
    expect(sourceDigest(readConfig(config))).not.toBe(before)
  })

  it('names the file, line and column of what is wrong in any of them, and is watched for the correction', () => {
    const config = write({ 'api/schemas/order.json': '{\n  "type": "object",\n  "properties": {"id": 7}\n}' })
    expect(() => compileBundle(config)).toThrow(/api\/schemas\/order\.json:3:18: /)
    const report = compile(config, `${folder.path}/store`)
    expect(report.ok).toBe(false)
    expect(report.ok ? [] : report.watch).toEqual(
      expect.arrayContaining([expect.stringMatching(/api\/schemas\/order\.json$/)]),
    )
  })

  it('says what a file is missing, and where it is asked for', () => {
    const config = write({ 'api/paths/orders.yaml': PATH.replace('order.json', 'ordr.json') })
    expect(() => compileBundle(config)).toThrow(
      /api\/paths\/orders\.yaml:4:\d+: \$ref \.\.\/schemas\/ordr\.json cannot be followed: .*api\/schemas\/ordr\.json does not exist/,
    )
    expect(watched(config)).toContain('/api/schemas/ordr.json')
  })

  it('has warnings at the file they are of', () => {
    const { warnings } = compileBundle(
      write({
        'api/schemas/order.json': '{"type":"object","properties":{"id":{"type":"string","format":"colour"}}}',
      }),
    )
    expect(warnings.map(({ place }) => place.replace(/^.*(?=\/api\/)/, ''))).toContain(
      '/api/schemas/order.json#/properties/id/format',
    )
  })
})
