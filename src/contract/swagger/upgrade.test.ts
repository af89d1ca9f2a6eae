import { describe, expect, it } from 'vitest'
import { instantiate, said } from '../../../test/contract-instance.ts'
import { isFault } from '../../model/errors.ts'
import { type CompiledContract, compileContract } from '../compile.ts'
import { readDocument } from '../document.ts'
import type { ReadPart } from '../parts.ts'

const parts = (texts: Readonly<Record<string, string>>): ReadonlyMap<string, ReadPart> =>
  new Map(Object.entries(texts).map(([name, text]) => [name, { ok: true, text }]))

function compile(text: string, texts: Readonly<Record<string, string>> = {}): CompiledContract {
  return compileContract({
    api: 'shop',
    text,
    file: 'shop.yaml',
    parts: parts(texts),
    objects: {},
    credential: 'replace',
  })
}

function fault(text: string, texts: Readonly<Record<string, string>> = {}): string {
  try {
    compile(text, texts)
  } catch (error) {
    if (isFault(error, 'contract-invalid')) return error.message
    throw error
  }
  throw new Error('no fault was thrown')
}

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const contract = (operation: string, more = ''): string => `swagger: "2.0"
info: { title: shop, version: "1" }
consumes: [application/json]
produces: [application/json]
paths:
  /a:
    post:
      operationId: op
${operation
  .split('\n')
  .map((line) => `      ${line}`)
  .join('\n')}
      responses: { 204: { description: done } }
${more}`

const warned = ({ warnings }: CompiledContract): string[] =>
  warnings.map(({ code, pointer, file = '' }) => `${code} ${file}#${pointer}`)

describe('Swagger 2.0', () => {
  it('has faults and warnings at the places of its own file', () => {
    expect(
      fault(contract('parameters: [{ name: b, in: body, schema: { $ref: "#/definitions/None" } }]')),
    ).toMatch(
      /^shop\.yaml:9:51: .*points to nothing \(at \/paths\/~1a\/post\/parameters\/0\/schema\/\$ref\)$/,
    )
    const broken = 'definitions:\n  A:\n    properties:\n      x: 7\n'
    expect(
      fault(contract('parameters: [{ name: b, in: body, schema: { $ref: "#/definitions/A" } }]', broken)),
    ).toMatch(/^shop\.yaml:14:7: .*\(at \/definitions\/A\/properties\/x\)$/)
    expect(fault(contract('parameters: {}'))).toMatch(/^shop\.yaml:9:7: a list is expected here/)
    const odd =
      'parameters: [{ name: q, in: query, type: string, format: colour }, { $ref: "#/parameters/P" }]'
    const shared = 'parameters:\n  P: { name: p, in: query, type: string, format: shape }\n'
    expect(warned(compile(contract(odd, shared)))).toEqual([
      'format-unknown #/paths/~1a/post/parameters/0/format',
      'format-unknown #/parameters/P/format',
    ])
  })

  it('may be in several files, whose schemas, parameters, answers and paths are upgraded too', () => {
    const text = `swagger: "2.0"
info: {}
consumes: [application/json]
produces: [application/json]
paths: { /a: { $ref: paths/a.yaml } }
definitions: { Name: { type: string, x-nullable: true } }
`
    const compiled = compile(text, {
      'paths/a.yaml': `parameters: [{ $ref: ../common.yaml#/limit }]
post:
  operationId: op
  parameters: [{ name: b, in: body, required: true, schema: { $ref: ../common.yaml#/Thing } }]
  responses: { 200: { $ref: ../common.yaml#/answer } }
`,
      'common.yaml': `limit: { name: limit, in: query, type: integer, maximum: 5, format: huge }
answer: { description: ok, schema: { type: array, items: { $ref: '#/Thing' } } }
Thing:
  type: object
  properties:
    name: { $ref: shop.yaml#/definitions/Name }
    inner: { $ref: '#/Thing' }
    colour: { type: string, format: colour }
`,
    })
    const operation = instantiate(compiled).operations.get('shop.op')
    const judge = (value: unknown) =>
      said(operation?.checkBody('application/json', bytes(value)).findings ?? [])
    expect(judge({ name: null, inner: { inner: { name: 'x' } } })).toEqual([])
    expect(judge({ inner: { inner: { name: 7 } } })).toEqual(['body-invalid /inner/inner/name: type'])
    expect(
      said(operation?.checkAnswer(200, 'application/json', bytes([{ name: 7 }])).findings ?? []),
    ).toEqual(['response-invalid /0/name: type'])
    const source = {
      params: {},
      segments: ['a'],
      query: [['limit', '6']] as const,
      rawQuery: 'limit=6',
      fields: [],
    }
    expect(said(operation?.checkParameters(source) ?? [])).toEqual(['parameter-invalid query limit: maximum'])
    expect(warned(compiled)).toEqual(
      expect.arrayContaining([
        'format-unknown common.yaml#/limit/format',
        'format-unknown common.yaml#/Thing/properties/colour/format',
      ]),
    )
  })

  it('never leaves its folder', () => {
    for (const ref of ['file:///etc/passwd', 'http://127.0.0.1/a', '../a.yaml', '/etc/passwd']) {
      const body = `parameters: [{ name: b, in: body, schema: { $ref: "${ref}" } }]`
      expect(fault(contract(body))).toMatch(
        /^shop\.yaml:9:51: .*only files in the contract’s own folder are read/,
      )
      expect(fault(contract(`parameters: [{ $ref: "${ref}" }]`))).toContain(
        'only files in the contract’s own folder',
      )
    }
  })

  it('writes lists as they are written, and says where OpenAPI 3 cannot', () => {
    const list = (place: string, format: string) =>
      `{ name: ${place}-${format}, in: ${place}, type: array, collectionFormat: ${format}, items: { type: string } }`
    const all = [
      ...['csv', 'multi', 'ssv', 'pipes', 'tsv'].map((format) => list('query', format)),
      list('header', 'csv'),
      list('header', 'pipes'),
      '{ name: nested, in: query, type: array, items: { type: array, items: { type: string } } }',
    ]
    const text = contract(`parameters: [${all.join(', ')}]`)
    const { root, warnings } = readDocument(text, 'shop.yaml')
    const item = (root['paths'] as Record<string, { post: { parameters: Record<string, unknown>[] } }>)['/a']
    expect(item?.post.parameters.map(({ style = null, explode = null }) => [style, explode])).toEqual([
      ['form', false],
      ['form', true],
      ['spaceDelimited', false],
      ['pipeDelimited', false],
      [null, null],
      ['simple', false],
      [null, null],
      [null, null],
    ])
    expect(warnings.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([
      'parameter-style /paths/~1a/post/parameters/4',
      'parameter-style /paths/~1a/post/parameters/6',
      'parameter-style /paths/~1a/post/parameters/7',
    ])
  })

  it('has forms of the type that its fields need, one body, and JSON where it states nothing', () => {
    const requestBody = (operation: string, text = contract(operation)) => {
      const { root, warnings } = readDocument(text, 'shop.yaml')
      const paths = root['paths'] as Record<
        string,
        { post: { requestBody: { content: object; required: boolean } } }
      >
      const body = paths['/a']?.post.requestBody
      return [Object.keys(body?.content ?? {}), body?.required, warnings.map(({ code }) => code)]
    }
    const field = '{ name: f, in: formData, type: string }'
    const file = '{ name: g, in: formData, type: file, required: true }'
    const body = '{ name: b, in: body, schema: {} }'
    expect(requestBody(`parameters: [${field}]`)).toEqual([['application/x-www-form-urlencoded'], false, []])
    expect(requestBody(`parameters: [${field}, ${file}]`)).toEqual([['multipart/form-data'], true, []])
    expect(requestBody(`consumes: [multipart/form-data]\nparameters: [${field}]`)).toEqual([
      ['multipart/form-data'],
      false,
      [],
    ])
    expect(requestBody(`parameters: [${body}, ${field}]`)).toEqual([
      ['application/json'],
      false,
      ['parameter-invalid'],
    ])
    const bare = contract(`parameters: [${body}]`).replace('consumes: [application/json]\n', '')
    expect(requestBody('', bare)).toEqual([['application/json'], false, ['media-type-assumed']])
  })
})
