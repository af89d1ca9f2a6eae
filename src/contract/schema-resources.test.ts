import { describe, expect, it } from 'vitest'
import { compileText, contractText, judge } from '../../test/contract-instance.ts'

const contract = (
  schema: unknown,
  components: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): string =>
  contractText({
    ...more,
    components: { schemas: components },
    paths: {
      '/a': { post: { requestBody: { content: { 'application/json': { schema } } }, responses: {} } },
    },
  })

describe('schemas by name', () => {
  it('are found by $anchor and by $id, and what is relative belongs to the nearest $id', () => {
    const says = judge({ $ref: '#pet' }, '3.1.0', {
      Pet: { $anchor: 'pet', type: 'object', properties: { tag: { $ref: 'urn:example:tag' } } },
      Tag: { $id: 'urn:example:tag', $ref: '#/$defs/name', $defs: { name: { type: 'string' } } },
    })
    expect(says({ tag: 'x' })).toEqual([])
    expect(says({ tag: 1 })).toEqual(['body-invalid /tag: type'])
  })

  it('may have siblings beside $ref', () => {
    const says = judge({ $ref: '#/components/schemas/A', maxLength: 2 }, '3.1.0', { A: { type: 'string' } })
    expect(says('ab')).toEqual([])
    expect(says('abc')).toEqual(['body-invalid /: maxLength'])
  })

  it('$dynamicRef means the outermost $dynamicAnchor of the name', () => {
    const tree = {
      $id: 'tree',
      $dynamicAnchor: 'node',
      type: 'object',
      properties: { data: true, children: { type: 'array', items: { $dynamicRef: '#node' } } },
    }
    const strict = { $id: 'strict', $dynamicAnchor: 'node', $ref: 'tree', unevaluatedProperties: false }
    const closed = judge({ $ref: '#/components/schemas/Strict' }, '3.1.0', { Tree: tree, Strict: strict })
    expect(closed({ children: [{ data: 1 }] })).toEqual([])
    expect(closed({ children: [{ daat: 1 }] })).not.toEqual([])
  })

  it('are never looked for outside: an $id names a schema and is no address', () => {
    expect(() => compileText(contract({ $id: 'https://example.com/a', $ref: 'b.json' }))).toThrow(/b\.json/)
    expect(() => compileText(contract({ $ref: 'https://json-schema.org/draft/2020-12/schema' }))).toThrow(
      /only files/,
    )
  })

  it('are not looked for in examples and constants', () => {
    const text = contract({ $ref: 'urn:example:a' }, { A: { const: { $id: 'urn:example:a' } } })
    expect(() => compileText(text)).toThrow(/urn:example:a/)
  })

  it('of an $id inside may still name the contract’s components', () => {
    const says = judge({ $id: 'urn:example:x', $ref: '#/components/schemas/A' }, '3.1.0', {
      A: { type: 'null' },
    })
    expect(says(null)).toEqual([])
    expect(says(1)).toHaveLength(1)
  })
})

describe('dialects', () => {
  it('of the contract are read by their own keywords', () => {
    const draft4 = 'http://json-schema.org/draft-04/schema#'
    const { warnings } = compileText(
      contract(
        { items: [{ type: 'string' }], additionalItems: false, dependencies: { a: ['b'] } },
        {},
        { jsonSchemaDialect: draft4 },
      ),
    )
    expect(warnings.filter(({ code }) => code === 'schema-keyword')).toEqual([])
  })

  it('of one schema are what its $schema names', () => {
    const says = judge({
      $schema: 'http://json-schema.org/draft-07/schema#',
      items: [{ type: 'string' }],
      additionalItems: { type: 'integer' },
    })
    expect(says(['a', 1])).toEqual([])
    expect(says(['a', 'b'])).toEqual(['body-invalid /1: type'])
  })

  it('that are not known are named', () => {
    const { warnings } = compileText(contract({}, {}, { jsonSchemaDialect: 'urn:example:own' }))
    expect(warnings).toContainEqual(expect.objectContaining({ pointer: '/jsonSchemaDialect' }))
  })
})

describe('names that every object inherits', () => {
  it('are evaluated only where a schema says so', () => {
    const says = judge({
      type: 'object',
      anyOf: [{ properties: { a: { type: 'integer' } }, required: ['a'] }, true],
      unevaluatedProperties: { type: 'string' },
    })
    expect(says({ a: 1 })).toEqual([])
    expect(says({ a: 1, constructor: 2 })).not.toEqual([])
    expect(says({ a: 1, toString: 2 })).not.toEqual([])
  })
})
