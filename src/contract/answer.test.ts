import { describe, expect, it } from 'vitest'
import { compileText, contractText, instantiate } from '../../test/contract-instance.ts'
import type { AnswerCheck, Operation } from './instantiate.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (body: Uint8Array): string => new TextDecoder().decode(body)
const said = (check: AnswerCheck): string[] =>
  check.findings.map(({ reason }) => `${reason.code} ${reason.forCaller ?? ''}`.trim())

function operationOf(
  responses: unknown,
  schemas: unknown = {},
  method = 'get',
  version = '3.1.0',
): Operation {
  const contract = contractText(
    { paths: { '/a': { [method]: { operationId: 'op', responses } } }, components: { schemas } },
    version,
  )
  const operation = instantiate(compileText(contract)).operations.get('shop.op')
  if (operation === undefined) throw new Error('the operation is missing')
  return operation
}

const json = (schema: unknown): unknown => ({ description: '', content: { 'application/json': { schema } } })

/** Releases one JSON answer to an operation with this schema. */
function release(
  schema: unknown,
  body: string,
  schemas: unknown = {},
): { body: string; dropped: readonly string[]; said: string[] } {
  const check = operationOf({ '200': json(schema) }, schemas).checkAnswer(
    200,
    'application/json',
    bytes(body),
  )
  return { body: text(check.body), dropped: check.dropped, said: said(check) }
}

const ORDER = { type: 'object', properties: { id: { type: 'integer' }, note: { type: 'string' } } }

describe('undeclared fields', () => {
  it('are dropped, nested and in arrays, and named once', () => {
    const schema = {
      type: 'object',
      properties: { orders: { type: 'array', items: { $ref: '#/components/schemas/Order' } } },
    }
    expect(
      release(schema, '{"orders":[{"id":1,"cost":3},{"id":2,"cost":4,"note":"x"}],"debug":{"a":1}}', {
        Order: ORDER,
      }),
    ).toEqual({
      body: '{"orders":[{"id":1},{"id":2,"note":"x"}]}',
      dropped: ['/orders/*/cost', '/debug'],
      said: [],
    })
  })

  it('none: the bytes are released as they came', () => {
    const body = bytes('{ "note" : "\\u0061", "id" : 1.0 }')
    const check = operationOf({ '200': json(ORDER) }).checkAnswer(200, 'application/json', body)
    expect(check.body).toBe(body)
    expect(check.checked).toBe(true)
  })

  it('keep what any branch declares, what is welcome, and free-form objects', () => {
    expect(
      release({ oneOf: [ORDER, { type: 'object', properties: { error: {} } }] }, '{"id":1,"error":2,"x":3}')
        .body,
    ).toBe('{"id":1,"error":2}')
    expect(
      release({ allOf: [ORDER, { type: 'object', properties: { total: {} } }] }, '{"id":1,"total":2,"x":3}')
        .body,
    ).toBe('{"id":1,"total":2}')
    expect(release({ ...ORDER, additionalProperties: true }, '{"id":1,"x":{"y":3}}').dropped).toEqual([])
    expect(release({ type: 'object', additionalProperties: ORDER }, '{"k":{"id":1,"x":3}}')).toMatchObject({
      body: '{"k":{"id":1}}',
      dropped: ['/k/x'],
    })
    expect(release({ type: 'object' }, '{"any":{"deep":1}}').dropped).toEqual([])
    expect(release({}, '{"any":{"deep":1}}').dropped).toEqual([])
    expect(release({ ...ORDER, additionalProperties: false }, '{"id":1,"x":3}')).toEqual({
      body: '{"id":1}',
      dropped: ['/x'],
      said: [],
    })
  })

  it('are found in recursive schemas', () => {
    const Node = { type: 'object', properties: { v: {}, next: { $ref: '#/components/schemas/Node' } } }
    expect(
      release({ $ref: '#/components/schemas/Node' }, '{"v":1,"next":{"v":2,"next":{"s":1}},"s":2}', { Node }),
    ).toMatchObject({
      body: '{"v":1,"next":{"v":2,"next":{}}}',
      dropped: ['/next/next/s', '/s'],
    })
  })

  it('with numbers beyond 2^53 leave the others exact (standards 7.2)', () => {
    expect(release(ORDER, '{"id":9007199254740993,"x":1}').body).toBe('{"id":9007199254740993}')
    const holder = { type: 'object', properties: { a: ORDER } }
    expect(release(holder, '{"a":9007199254740993,"x":1}')).toEqual({
      body: '{"a":9007199254740993}',
      dropped: ['/x'],
      said: ['response-invalid /a: type'],
    })
    expect(
      release(
        { type: 'object', properties: { a: {}, b: {}, c: {} } },
        '{"a":0.1000000000000000055511151231257827,"b":1.10,"c":-0,"x":[1]}',
      ).body,
    ).toBe('{"a":0.1000000000000000055511151231257827,"b":1.10,"c":-0}')
  })

  it('are bounded in number and length', () => {
    const many = JSON.stringify(
      Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}${'x'.repeat(300)}`, i])),
    )
    const { dropped, body } = release(ORDER, many)
    expect(body).toBe('{}')
    expect(dropped).toHaveLength(100)
    expect(dropped.every((pointer) => pointer.length <= 256)).toBe(true)
  })
})

describe('what does not fit', () => {
  it('is found after dropping, without values', () => {
    const { said: rules, body } = release(ORDER, '{"id":"S3CRET","x":1}')
    expect(rules).toEqual(['response-invalid /id: type'])
    expect(body).toBe('{"id":"S3CRET"}')
  })

  it('as strict JSON is named, and not read', () => {
    const check = operationOf({ '200': json(ORDER) }).checkAnswer(
      200,
      'application/json',
      bytes('{"id":1,"id":2}'),
    )
    expect(check).toMatchObject({ checked: false, dropped: [] })
    expect(check.findings[0]?.reason).toMatchObject({
      code: 'response-malformed',
      evidence: { rule: 'duplicate-key', status: 200 },
    })
  })
})

describe('which answer', () => {
  const operation = operationOf({
    '200': json(ORDER),
    '2XX': json({ type: 'object', properties: { range: {} } }),
    '404': { description: 'no content declared' },
    default: {
      description: '',
      content: { 'application/problem+json': { schema: { properties: { title: {} } } }, 'text/plain': {} },
    },
  })
  const release = (status: number, type: string | undefined, body: string): AnswerCheck =>
    operation.checkAnswer(status, type, bytes(body))

  it('is chosen by status, then range, then default', () => {
    expect(text(release(200, 'application/json', '{"id":1,"range":1}').body)).toBe('{"id":1}')
    expect(text(release(201, 'application/json; charset=utf-8', '{"id":1,"range":1}').body)).toBe(
      '{"range":1}',
    )
    expect(text(release(500, 'application/problem+json', '{"title":1,"stack":1}').body)).toBe('{"title":1}')
  })

  it('is not read where nothing is declared to read it by', () => {
    expect(release(404, 'application/json', '{"a":1}')).toMatchObject({ checked: false, findings: [] })
    expect(release(500, 'text/plain', 'oops')).toMatchObject({ checked: false, findings: [] })
    expect(release(200, undefined, '')).toMatchObject({ checked: false, findings: [] })
    expect(release(204, 'application/json', 'x')).toMatchObject({ checked: false, findings: [] })
    expect(release(304, 'application/json', 'x')).toMatchObject({ checked: false, findings: [] })
  })

  it('of an undeclared media type or status is a finding', () => {
    for (const [status, type] of [
      [200, 'text/html'],
      [200, undefined],
      [200, 'application/json; charset=utf-16'],
    ] as const) {
      const check = release(status, type, '{"id":1,"x":1}')
      expect(check.findings[0]?.reason).toMatchObject({
        code: 'response-undeclared',
        evidence: { status, rule: 'media type' },
      })
      expect(check.checked).toBe(false)
    }
    const bare = operationOf({ '200': json(ORDER) })
    expect(bare.checkAnswer(500, 'application/json', bytes('{}')).findings[0]?.reason).toMatchObject({
      code: 'response-undeclared',
      evidence: { status: 500 },
    })
  })

  it('to HEAD has no body', () => {
    const head = operationOf({ '200': json(ORDER) }, {}, 'head')
    expect(head.checkAnswer(200, 'application/json', bytes('{'))).toMatchObject({
      checked: false,
      findings: [],
    })
  })
})
