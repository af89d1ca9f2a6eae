import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConfigFolder, configFolder } from '../config-folder.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PAGE = readFileSync(join(ROOT, 'docs/how-to/trust-zones.md'), 'utf8')

let folder: ConfigFolder
beforeEach(() => {
  folder = configFolder()
  copyFileSync(join(ROOT, 'demo/shop.openapi.yaml'), folder.at('shop.openapi.yaml'))
})
afterEach(() => folder.remove())

function fence(form: string): string {
  return new RegExp(`^\`\`\`${form}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(PAGE)?.[1] ?? ''
}

function sallyport(...words: readonly string[]): { code: number | null; out: string; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin/sallyport.js'), ...words], {
    cwd: folder.path,
    encoding: 'utf8',
  })
  return { code: status, out: stdout, said: stderr }
}

describe('sallyport policy graph', () => {
  it('prints what the page on zones shows, and draws it', () => {
    folder.write({ 'sallyport.yaml': fence('yaml sallyport.yaml') })
    const { code, out } = sallyport('policy', 'graph', '--svg', 'zones.svg')
    expect(code).toBe(0)
    expect(out).toBe(`${fence('text')}\ndrew 5 zones and 4 flows: zones.svg\n`)
    const drawing = readFileSync(folder.at('zones.svg'), 'utf8')
    expect(drawing).toMatch(/^<\?xml [\s\S]*<\/svg>\n$/)
    expect(drawing).toContain('>edge → shopfront</text>')
    sallyport('policy', 'graph', '--svg', 'again.svg')
    expect(readFileSync(folder.at('again.svg'), 'utf8')).toBe(drawing)
  })

  it('gives the graph as JSON, every API in its zone', () => {
    folder.write({ 'sallyport.yaml': fence('yaml sallyport.yaml') })
    const { code, out } = sallyport('policy', 'graph', '--json')
    const { ok, zones, flows } = JSON.parse(out)
    expect([code, ok, zones.length, flows.length]).toEqual([0, true, 5, 4])
    expect(zones[3]).toMatchObject({
      name: 'ledger',
      apis: [{ name: 'books', mode: 'enforce', observed: false }],
    })
    expect(flows[0]).toEqual({ from: 'backoffice', to: 'ledger', operations: ['books/read'] })
  })

  it('agrees with what try says of a call from an address', () => {
    const permit = '@id("all") permit (principal, action, resource);'
    const text = `${fence('yaml sallyport.yaml')}policies: ./policies\n`
    folder.write({ 'sallyport.yaml': text, 'policies/a.cedar': permit })
    const from = (address: string, path: string) => sallyport('try', 'GET', path, '--from', address)
    expect(from('203.0.113.1', '/v1/products').out).toContain('allow: the request would go to the upstream')
    const denied = from('203.0.113.1', '/books/products')
    expect(denied.code).toBe(1)
    expect(denied.out).toContain('lateral-movement')
    expect(denied.out).toContain(
      'Add the flow { from: edge, to: ledger, operations: ["books.listProducts"] }.',
    )
    folder.write({ 'sallyport.yaml': text.replace('zone: ledger', 'zone: ledger\n    observe: [zone]') })
    const observed = from('203.0.113.1', '/books/products')
    expect(observed.code).toBe(0)
    expect(observed.out).toContain('what speaks against it is only observed')
    expect(observed.out).toMatch(/only observed +lateral-movement/)
    expect(sallyport('try', 'GET', '/v1/products', '--from', 'nowhere').code).toBe(2)
  })

  it('ends with 1 without zones, and with 2 for what is wrong, at its place', () => {
    folder.write({ 'sallyport.yaml': 'apis: { shop: { upstream: "http://127.0.0.1:3000" } }\n' })
    expect(sallyport('policy', 'graph')).toMatchObject({ code: 1 })
    const wrong = fence('yaml sallyport.yaml').replace('shop.getOrder]', 'shop.getOrdr]')
    folder.write({ 'sallyport.yaml': wrong })
    const { code, said } = sallyport('policy', 'graph', '--svg', 'no.svg')
    expect([code, existsSync(folder.at('no.svg'))]).toEqual([2, false])
    expect(said).toContain('no API in the zone "shopfront" has an operation or group "shop.getOrdr"')
    expect(said).toContain('Did you mean "shop.getOrder"?')
    folder.write({ 'sallyport.yaml': fence('yaml sallyport.yaml') })
    expect(sallyport('policy', 'graph', '--svg', 'no/such/folder.svg').code).toBe(2)
  })
})

describe('settings of operations', () => {
  const api = (operations: string) => ({
    'sallyport.yaml': `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  shop:
    contract: ./shop.openapi.yaml
    upstream: http://127.0.0.1:3000
    identity: { accept: [corp], audience: shop }
    operations: ${operations}
`,
  })

  it.each([
    ['{ getOrdr: { mode: observe } }', 'sallyport.yaml:7:19', 'Did you mean "getOrder"?'],
    ['{ "GET /order": { mode: observe } }', 'sallyport.yaml:7:19', 'Did you mean "GET /orders"?'],
    [
      '{ getOrder: { mode: observe }, "GET /orders/{orderId}": { mode: enforce } }',
      'sallyport.yaml:7:',
      'named twice',
    ],
    ['{ getOrder: { mod: observe } }', 'sallyport.yaml:7:', 'Did you mean "mode"?'],
    ['{ getOrder: { mode: watch } }', 'sallyport.yaml:7:', 'mode must be enforce or observe'],
  ])('refuses %s with its place', (operations, place, hint) => {
    folder.write(api(operations))
    const { code, said } = sallyport('check')
    expect(code).toBe(2)
    expect(said).toContain(place)
    expect(said).toContain(hint)
  })

  it('takes operationIds and paths', () => {
    folder.write(
      api('{ getOrder: { mode: observe }, "GET /orders": { mode: observe } }\n    observe: [response]'),
    )
    const { code, out } = sallyport('check')
    expect(code).toBe(0)
    expect(out).toMatch(
      /^shop: \d+ operations, enforce, 2 operations only observed, only observed: response$/m,
    )
  })
})
