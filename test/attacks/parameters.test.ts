import { afterAll, describe, expect, it } from 'vitest'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import { memoryGate, memoryUpstream } from '../memory-gate.ts'

// Standards 2.5, 2.8, 2.17, 7.3: what stands in path, query and cookies is refused before the upstream is called, and
// what goes on is what was judged.

const CONTRACT = `openapi: 3.2.0
info: { title: finds, version: 1.0.0 }
paths:
  /finds:
    get:
      operationId: find
      security: []
      parameters:
        - { name: limit, in: query, schema: { type: integer, maximum: 100 } }
        - { name: ids, in: query, explode: false, schema: { type: array, items: { type: integer }, maxItems: 3 } }
        - { name: f, in: query, style: deepObject, schema: { type: object, properties: { state: { type: string } } } }
        - { name: to, in: query, schema: { type: string, format: uri } }
      responses: { '200': { description: ok } }
  /maps/{at}:
    get:
      operationId: map
      security: []
      parameters: [{ name: at, in: path, required: true, style: matrix, schema: { type: array, items: { type: integer } } }]
      responses: { '200': { description: ok } }
  /things/{id}:
    get:
      operationId: thing
      security: []
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { '200': { description: ok } }
`

const folders: ConfigFolder[] = []
const gates: { close(): void }[] = []
afterAll(() => {
  for (const gate of gates) gate.close()
  for (const folder of folders) folder.remove()
})

function gateOf(api: string) {
  const folder = configFolder()
  folders.push(folder)
  const config = folder.write({
    'sallyport.yaml': `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  finds:
    contract: ./finds.yaml
    upstream: http://127.0.0.1:1
    identity: { accept: [corp], audience: shop }
${api}
policies: ./policies
`,
    'finds.yaml': CONTRACT,
    'policies/a.cedar': '@id("all") permit (principal, action, resource);',
  })
  const upstream = memoryUpstream(() => ({ status: 200, fields: [], body: '' }))
  const made = memoryGate({ config, upstream, keys: {} })
  gates.push(made)
  return async (target: string) => {
    const before = upstream.requests.length
    const answer = await callInMemory(made.gate, systemRandom(), {
      method: 'GET',
      target,
      fields: ['Host', 'gate.example'],
    })
    const decisions = made.audit.intents.get(answer.id)?.decisions ?? []
    return {
      status: answer.status,
      sent: upstream.requests.slice(before).map(({ path }) => path),
      codes: decisions
        .flatMap(({ reasons, observed = [] }) => [...reasons, ...observed])
        .map(({ code }) => code),
      wouldDeny: made.audit.outcomes.get(answer.id)?.wouldDeny,
    }
  }
}

describe('enforced', () => {
  const call = gateOf('')

  it.each([
    ['/finds?limit=1000000', 'parameter-invalid'],
    ['/finds?limit=1&limit=1000000', 'parameter-repeated'],
    ['/finds?limit=1&%6cimit=1000000', 'parameter-repeated'],
    ['/finds?ids=1,2,3,4', 'parameter-invalid'],
    ['/finds?ids=1,2,3%2C4', 'parameter-invalid'],
    ['/finds?f[role]=admin', 'parameter-undeclared'],
    ['/finds?f[__proto__][role]=admin', 'parameter-undeclared'],
    ['/finds?to=http://169.254.169.254/', 'url-forbidden'],
    ['/finds?to=http://2852039166/', 'url-forbidden'],
    ['/finds?to=http://%5b::ffff:169.254.169.254%5d/', 'url-forbidden'],
    ['/maps/;at=1;at=x', 'parameter-invalid'],
    ['/maps/1', 'parameter-invalid'],
    ['/things/a;b', 'target-invalid'],
    ['/things/a;b=..', 'target-invalid'],
    ['/finds;x=1', 'target-invalid'],
    ['/maps/..;/finds', 'target-invalid'],
  ])('%s does not reach the upstream: %s', async (target, code) => {
    const { status, sent, codes } = await call(target)
    expect([status >= 400 && status < 500, sent]).toEqual([true, []])
    if (codes.length > 0) expect(codes).toContain(code)
  })

  it.each([
    '/finds?limit=100&ids=1,2,3&f[state]=open&to=https://a.example/',
    '/maps/;at=1,2',
    '/things/a%3Bb',
  ])('%s goes on as it was judged', async (target) => {
    expect(await call(target)).toMatchObject({ status: 200, sent: [target] })
  })
})

describe('stripped', () => {
  const call = gateOf('    unknownFields: strip')

  it('undeclared pairs are taken out, the others stay byte for byte', async () => {
    expect((await call('/finds?x=1&ids=1,2&f[role]=admin&limit=5&f%5Bstate%5D=a%2Cb')).sent).toEqual([
      '/finds?ids=1,2&limit=5&f%5Bstate%5D=a%2Cb',
    ])
  })
})

describe('observed', () => {
  const call = gateOf('    mode: observe')

  it('parameters and URLs are recorded, and the call goes on', async () => {
    const found = await call('/finds?limit=1000000&to=http://127.0.0.1/&x=1&ids=1,2')
    expect(found).toMatchObject({ status: 200, wouldDeny: true })
    expect(found.codes).toEqual(
      expect.arrayContaining(['parameter-invalid', 'url-forbidden', 'parameter-undeclared']),
    )
  })

  it('path parameters that no contract declares are refused all the same', async () => {
    expect(await call('/things/a;b')).toMatchObject({ status: 400, sent: [] })
    expect(await call('/nothing;x')).toMatchObject({ status: 400, sent: [] })
  })
})
