import { describe, expect, it } from 'vitest'
import { compileText, contractText, instantiate, operationOf, said } from '../../../test/contract-instance.ts'

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

type Both = { request: (value: unknown) => string[]; answer: (value: unknown) => unknown }

/** One schema as body and as answer: what a request is told, and what is released of an answer with what is said. */
function both(schema: unknown, schemas: Record<string, unknown> = {}, version = '3.1.0'): Both {
  const content = { 'application/json': { schema } }
  const operation = operationOf(
    { requestBody: { required: true, content }, responses: { '200': { description: '', content } } },
    { components: { schemas } },
    version,
  )
  return {
    request: (value) => said(operation.checkBody('application/json', bytes(value)).findings),
    answer: (value) => {
      const checked = operation.checkAnswer(200, 'application/json', bytes(value))
      return [JSON.parse(Buffer.from(checked.body).toString()), said(checked.findings)]
    },
  }
}

describe.each(['3.0.3', '3.1.0'])('readOnly and writeOnly of %s (standards 7.5)', (version) => {
  const schemas = {
    Id: { type: 'integer', readOnly: true },
    Account: {
      type: 'object',
      required: ['id', 'name', 'password'],
      properties: {
        id: { $ref: '#/components/schemas/Id' },
        name: { type: 'string' },
        password: { type: 'string', writeOnly: true },
      },
    },
    Admin: {
      allOf: [
        { $ref: '#/components/schemas/Account' },
        {
          type: 'object',
          required: ['since', 'id'],
          properties: { since: { type: 'string', readOnly: true } },
        },
      ],
    },
    Tree: {
      type: 'object',
      required: ['id'],
      properties: {
        id: { $ref: '#/components/schemas/Id' },
        kids: { type: 'array', items: { $ref: '#/components/schemas/Tree' } },
      },
    },
    Either: { oneOf: [{ $ref: '#/components/schemas/Admin' }, { $ref: '#/components/schemas/Robot' }] },
    Robot: { type: 'object', required: ['serial'], properties: { serial: { type: 'string' } } },
  }
  const of = (name: string): Both => both({ $ref: `#/components/schemas/${name}` }, schemas, version)

  it('hold for their direction, and so does required', () => {
    const account = of('Account')
    expect(account.request({ name: 'a', password: 'b' })).toEqual([])
    expect(account.request({ id: 1, name: 'a', password: 'b' })).toEqual(['field-read-only /id'])
    expect(account.request({ name: 'a' })).toEqual(['body-invalid /: required password'])
    expect(account.answer({ id: 1, name: 'a' })).toEqual([{ id: 1, name: 'a' }, []])
    expect(account.answer({ id: 1, name: 'a', password: 'S' })).toEqual([{ id: 1, name: 'a' }, []])
    expect(account.answer({ name: 'a' })).toEqual([{ name: 'a' }, [expect.stringContaining('required id')]])
  })

  it('hold through allOf, whichever member asks for the name', () => {
    const admin = of('Admin')
    expect(admin.request({ name: 'a', password: 'b' })).toEqual([])
    expect(admin.request({ name: 'a', password: 'b', since: 'x' })).toEqual(['field-read-only /since'])
    expect(admin.answer({ id: 1, name: 'a', since: 'x', password: 'S' })).toEqual([
      { id: 1, name: 'a', since: 'x' },
      [],
    ])
  })

  it('hold in arrays and recursive schemas', () => {
    const tree = of('Tree')
    expect(tree.request({ kids: [{ kids: [] }] })).toEqual([])
    expect(tree.request({ kids: [{ kids: [{ id: 1 }] }] })).toEqual(['field-read-only /kids/0/kids/0/id'])
    expect(tree.answer({ id: 1, kids: [{}] })).toEqual([
      { id: 1, kids: [{}] },
      [expect.stringContaining('/kids/0: required id')],
    ])
  })

  it('hold in branches', () => {
    const either = of('Either')
    expect(either.request({ name: 'a', password: 'b' })).toEqual([])
    expect(either.request({ serial: 'x' })).toEqual([])
    expect(either.request({ serial: 'x', id: 1 })).toContain('field-read-only /id')
    expect(either.answer({ id: 1, name: 'a', since: 'x', password: 'S' })).toEqual([
      { id: 1, name: 'a', since: 'x' },
      [],
    ])
  })

  it('hold where further names are welcome', () => {
    const open = both(
      { type: 'object', additionalProperties: true, properties: { id: { type: 'integer', readOnly: true } } },
      {},
      version,
    )
    expect(open.request({ id: 1, x: 1 })).toEqual(['field-read-only /id'])
    expect(open.answer({ id: 1, x: 1 })).toEqual([{ id: 1, x: 1 }, []])
  })

  it('make nothing twice that is the same in both directions', () => {
    const content = { 'application/json': { schema: { $ref: '#/components/schemas/Robot' } } }
    const operation = {
      operationId: 'op',
      requestBody: { content },
      responses: { '200': { description: '', content } },
    }
    const compiled = compileText(
      contractText({ paths: { '/a': { post: operation } }, components: { schemas } }, version),
    )
    const detail = compiled.operations[0]?.detail as {
      body: { content: { check: string }[] }
      answers: Record<string, { check: string }[]>
    }
    expect(detail.body.content[0]?.check).toBe(detail.answers['200']?.[0]?.check)
    expect(instantiate(compiled).operations.size).toBe(1)
  })
})

describe('a oneOf whose branches differ by undeclared fields only (standards 7.4)', () => {
  const A = { type: 'object', properties: { a: { type: 'string' } } }
  const B = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer' } } }
  const need = (schema: object, ...required: string[]): object => ({ ...schema, required })

  it('is told apart by them', () => {
    const { request, answer } = both({ oneOf: [need(A, 'a'), need(B, 'a', 'b')] })
    expect(request({ a: 'x' })).toEqual([])
    expect(request({ a: 'x', b: 1 })).toEqual([])
    expect(request({ a: 'x', b: 'y' })).toContain('body-invalid /: oneOf')
    expect(request({ a: 'x', c: 1 })).toEqual(['field-undeclared /c'])
    // What nobody declares is gone before the branches are judged.
    expect(answer({ a: 'x', b: 1, c: 1 })).toEqual([{ a: 'x', b: 1 }, []])
  })

  it('below the root, and through references', () => {
    const { request } = both(
      { type: 'object', properties: { it: { type: 'array', items: { $ref: '#/components/schemas/U' } } } },
      {
        U: { oneOf: [{ $ref: '#/components/schemas/A' }, { $ref: '#/components/schemas/B' }] },
        A: need(A, 'a'),
        B: need(B, 'b'),
      },
    )
    expect(request({ it: [{ a: 'x' }, { a: 'x', b: 1 }, { b: 1 }] })).toEqual([])
    expect(request({ it: [{ a: 'x', b: 'y' }] })).not.toEqual([])
  })

  it('leaves names alone that an outer allOf declares', () => {
    const extra = { type: 'object', required: ['b'], properties: { b: {}, c: {} } }
    const U = { oneOf: [need(A, 'a'), { type: 'object', required: ['d'], properties: { d: {}, b: {} } }] }
    const { request } = both({ allOf: [{ $ref: '#/components/schemas/U' }, extra] }, { U })
    expect(request({ a: 'x', b: 1, c: 1 })).toEqual([])
    expect(request({ d: 'x', b: 1 })).toEqual([])
    expect(request({ a: 'x', d: 1, b: 1 })).not.toEqual([])
    const alone = both({ $ref: '#/components/schemas/U' }, { U })
    expect(alone.request({ a: 'x', b: 1 })).not.toEqual([])
  })

  it('is not sealed where a branch welcomes further names or declares none', () => {
    const { request } = both({ oneOf: [{ ...need(A, 'a'), additionalProperties: true }, need(B, 'b', 'z')] })
    expect(request({ a: 'x', b: 1, more: 1 })).toEqual([])
    const free = both({ oneOf: [{ type: 'object', required: ['k'] }, need(B, 'b')] })
    expect(free.request({ k: 1, a: 2 })).toEqual([])
  })
})

describe('an anyOf', () => {
  const { request } = both({
    anyOf: [
      { type: 'object', properties: { a: { type: 'string' }, s: {} } },
      { type: 'object', required: ['b'], properties: { b: { type: 'integer' }, c: {} } },
    ],
  })
  it('takes the names of the branches that fit, together', () => {
    expect(request({ a: 'x', b: 1, c: 2, s: 3 })).toEqual([])
    expect(request({ a: 'x' })).toEqual([])
  })
  it('takes none of a branch that does not fit', () => {
    expect(request({ a: 'x', c: 1 })).toContain('body-invalid /: anyOf')
    expect(request({ a: 'x', b: 'no' })).not.toEqual([])
  })
})

describe('a conditional', () => {
  const stated = {
    type: 'object',
    properties: { kind: { type: 'string' }, shared: {} },
    if: { properties: { kind: { const: 'admin' } }, required: ['kind'] },
    ...Object.fromEntries([['then', { properties: { level: { type: 'integer' }, shared: {} } }]]),
    else: { properties: { nick: { type: 'string' } } },
    dependentSchemas: { card: { properties: { card: {}, limit: { type: 'integer' } } } },
  }
  // A named schema, so that it is sealed as one that others refer to.
  const { request } = both({ $ref: '#/components/schemas/It' }, { It: stated })

  it('takes its own names where it applies', () => {
    expect(request({ kind: 'admin', level: 1, shared: 1 })).toEqual([])
    expect(request({ kind: 'user', nick: 'n', shared: 1 })).toEqual([])
    expect(request({ card: 1, limit: 2 })).toEqual([])
  })

  it('takes none of them where it does not', () => {
    for (const value of [
      { kind: 'user', level: 1 },
      { kind: 'user', level: 'unchecked' },
      { kind: 'admin', nick: 'n' },
      { limit: 'unchecked' },
    ])
      expect(request(value)).not.toEqual([])
  })

  it('leaves names alone that hold beside it, and where further ones are welcome', () => {
    const level = { type: 'object', properties: { level: { type: 'integer' } } }
    const beside = both({ allOf: [{ $ref: '#/components/schemas/It' }, level] }, { It: stated })
    expect(beside.request({ kind: 'user', level: 1 })).toEqual([])
    expect(beside.request({ kind: 'admin', nick: 'n' })).not.toEqual([])
    const open = both({ ...stated, additionalProperties: true })
    expect(open.request({ kind: 'user', level: 1 })).toEqual([])
  })
})

it('further names that are read-only are none of a request', () => {
  const It = {
    type: 'object',
    properties: { n: {} },
    additionalProperties: { type: 'string', readOnly: true },
  }
  const { request } = both({ $ref: '#/components/schemas/It' }, { It })
  expect(request({ n: 1 })).toEqual([])
  expect(request({ n: 1, z: 'x' })).not.toEqual([])
})
