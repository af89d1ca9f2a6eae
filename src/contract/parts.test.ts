import { describe, expect, it } from 'vitest'
import { instantiate, said } from '../../test/contract-instance.ts'
import { isFault } from '../model/errors.ts'
import { type CompiledContract, compileContract } from './compile.ts'
import { readExtensions } from './extension.ts'
import type { ReadPart } from './parts.ts'

const parts = (texts: Readonly<Record<string, string>>): ReadonlyMap<string, ReadPart> =>
  new Map(Object.entries(texts).map(([name, text]) => [name, { ok: true, text }]))

function compile(text: string, others: ReadonlyMap<string, ReadPart>): CompiledContract {
  return compileContract({
    api: 'shop',
    text,
    file: 'api/shop.yaml',
    parts: others,
    objects: {},
    credential: 'replace',
  })
}

function fault(text: string, others: ReadonlyMap<string, ReadPart>): string {
  try {
    compile(text, others)
  } catch (error) {
    if (isFault(error, 'contract-invalid')) return error.message
    throw error
  }
  throw new Error('no fault was thrown')
}

const contract = (ref: string, version = '3.1.0'): string => `openapi: ${version}
info: { title: shop, version: "1" }
paths:
  /orders:
    post:
      operationId: addOrder
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '${ref}' }
      responses: { '204': { description: done } }
components:
  schemas:
    Note: { type: string, maxLength: 5 }
`

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

describe('a contract in several files', () => {
  it('is one contract: relative to the file a reference stands in, in circles, back, JSON and YAML', () => {
    const others = parts({
      'schemas/order.yaml': `Order:
  type: object
  required: [id, lines]
  properties:
    id: { $ref: ../common/ids.json#/Id }
    note: { $ref: ../shop.yaml#/components/schemas/Note }
    lines: { type: array, items: { $ref: '#/Line' } }
Line:
  type: object
  properties: { sku: { type: string }, order: { $ref: './order.yaml#/Order' } }
`,
      'common/ids.json': '{"Id": {"type": "integer", "minimum": 1}}',
    })
    const operation = instantiate(compile(contract('./schemas/order.yaml#/Order'), others)).operations.get(
      'shop.addOrder',
    )
    const judge = (value: unknown) =>
      said(operation?.checkBody('application/json', bytes(value)).findings ?? [])
    expect(judge({ id: 1, note: 'abc', lines: [{ sku: 'x', order: { id: 2, lines: [] } }] })).toEqual([])
    expect(judge({ id: 0, lines: [] })).toEqual(['body-invalid /id: minimum'])
    expect(judge({ id: 1, note: 'abcdef', lines: [] })).toEqual(['body-invalid /note: maxLength'])
    expect(judge({ id: 1, lines: [{ order: { id: 1, lines: 1 } }] })).toEqual([
      'body-invalid /lines/0/order/lines: type',
    ])
    expect(judge({ id: 1, lines: [{ colour: 'red' }] })).toEqual(['field-undeclared /lines/0/colour'])
  })

  it('may have a file that is one schema, one path or one response', () => {
    const text = `openapi: 3.1.0
info: { title: shop, version: "1" }
paths:
  /orders: { $ref: paths/orders.yaml }
`
    const others = parts({
      'paths/orders.yaml': `parameters: [{ $ref: '../parameters.yaml#/limit' }]
get:
  operationId: list
  x-sallyport: { mode: observe }
  responses: { '200': { $ref: ../responses/list.yaml } }
`,
      'parameters.yaml': 'limit: { name: limit, in: query, schema: { type: integer, maximum: 9 } }\n',
      'responses/list.yaml':
        'description: ok\ncontent: { application/json: { schema: { $ref: ../schemas/list.json } } }\n',
      'schemas/list.json': '{"type":"array","items":{"type":"string"}}',
    })
    const operation = instantiate(compile(text, others)).operations.get('shop.list')
    expect(said(operation?.checkAnswer(200, 'application/json', bytes([1])).findings ?? [])).toEqual([
      'response-invalid /0: type',
    ])
    const [extension] = readExtensions(text, 'api/shop.yaml', others)
    expect(extension).toMatchObject({
      operation: 'GET /orders',
      segments: ['get', 'x-sallyport'],
      part: { file: 'api/paths/orders.yaml' },
    })
  })

  it('names the file, line and column of what is wrong in a part', () => {
    const others = parts({ 'schemas/order.yaml': 'Order:\n  type: object\n  properties:\n    id: 7\n' })
    expect(fault(contract('schemas/order.yaml#/Order'), others)).toMatch(
      /^api\/schemas\/order\.yaml:4:5: .*\(at \/Order\/properties\/id\)$/,
    )
    expect(fault(contract('schemas/order.yaml#/Ordr'), others)).toMatch(
      /^api\/shop\.yaml:11:23: \$ref schemas\/order\.yaml#\/Ordr points to nothing/,
    )
    expect(fault(contract('schemas/order.yaml'), parts({ 'schemas/order.yaml': 'a: [' }))).toMatch(
      /^api\/schemas\/order\.yaml:1:\d+: is neither JSON nor YAML/,
    )
    const { warnings } = compile(
      contract('schemas/order.yaml'),
      parts({ 'schemas/order.yaml': 'type: string\nformat: colour\n' }),
    )
    expect(warnings).toMatchObject([
      { code: 'format-unknown', file: 'api/schemas/order.yaml', pointer: '/format' },
    ])
  })

  it.each(['file:///etc/passwd', 'http://127.0.0.1/x.yaml', '../../etc/passwd', '/etc/passwd', 'data:,{}'])(
    'is refused where it leads elsewhere, from inside a part too: %s',
    (ref) => {
      const here = fault(contract(ref), new Map())
      expect(here).toMatch(/^api\/shop\.yaml:11:23: \$ref /)
      expect(here).toContain(ref)
      expect(here).toContain('only files in the contract’s own folder are read: copy there what it names')
      const inside = parts({ 'schemas/a.yaml': `type: object\nproperties:\n  x: { $ref: '${ref}' }\n` })
      expect(fault(contract('schemas/a.yaml'), inside)).toMatch(/^api\/schemas\/a\.yaml:3:8: \$ref /)
    },
  )

  it('is refused where a file could not be read, with the reason', () => {
    const others = new Map<string, ReadPart>([['a.yaml', { ok: false, why: 'does not exist' }]])
    expect(fault(contract('a.yaml#/A'), others)).toContain('cannot be followed: api/a.yaml does not exist')
    expect(fault(contract('b.yaml#/A'), others)).toContain('cannot be followed: api/b.yaml was not read')
  })

  it('is refused where a part is a document of another version', () => {
    const others = parts({ 'old.yaml': 'openapi: 3.0.3\ncomponents: { schemas: { A: { type: string } } }\n' })
    expect(fault(contract('old.yaml#/components/schemas/A'), others)).toMatch(
      /^api\/old\.yaml:1:1: is written in 3\.0\.3 and the contract that refers to it in 3\.1/,
    )
  })

  it('is refused where references only lead to one another', () => {
    const others = parts({ 'a.yaml': '$ref: b.yaml\n', 'b.yaml': '$ref: a.yaml\n' })
    const text = 'openapi: 3.1.0\ninfo: {}\npaths: { /a: { $ref: a.yaml } }\n'
    expect(fault(text, others)).toContain('$ref leads to itself')
  })
})
