import { describe, expect, it } from 'vitest'
import { CallMaker, type OperationSource } from './call.ts'
import { Chance } from './chance.ts'
import { faultsOf } from './fault.ts'
import type { Dialect, RawSchema } from './schema-view.ts'
import { serialized } from './serialize.ts'
import { ValueMaker } from './value.ts'

const dialect: Dialect = { old: false, direction: 'request', resolve: () => undefined }
const ORDER: RawSchema = {
  type: 'object',
  required: ['sku', 'count'],
  properties: {
    id: { type: 'string', readOnly: true },
    sku: { type: 'string', pattern: '^[A-Z]{3}-[0-9]{4}$' },
    count: { type: 'integer', minimum: 1, maximum: 9 },
    when: { type: 'string', format: 'date' },
    kind: { enum: ['a', 'b'] },
  },
}

const made = (schema: RawSchema, seed: number) => new ValueMaker(dialect, new Chance(seed)).make(schema)
const seeds = Array.from({ length: 200 }, (_, seed) => seed)

describe('values made of a schema', () => {
  it('keep to it, and leave read-only members out of requests', () => {
    for (const seed of seeds) {
      const value = made(ORDER, seed)?.value as Record<string, unknown>
      expect(value['sku']).toMatch(/^[A-Z]{3}-[0-9]{4}$/)
      expect([1, 2, 3, 4, 5, 6, 7, 8, 9]).toContain(value['count'])
      expect(value).not.toHaveProperty('id')
    }
  })

  it('come out the same for the same seed', () => {
    for (const seed of seeds) expect(made(ORDER, seed)?.value).toEqual(made(ORDER, seed)?.value)
  })

  it('end where schemas lead to themselves', () => {
    const tree: RawSchema = {
      type: 'object',
      required: ['left'],
      properties: { left: { $ref: '#t' }, leaf: { type: 'string' } },
    }
    expect(new ValueMaker({ ...dialect, resolve: () => tree }, new Chance(1)).make(tree)).toBeNull()
  })

  it.each([
    ['nothing fits', false],
    ['types that exclude one another', { allOf: [{ type: 'string' }, { type: 'integer' }] }],
    ['a range that is empty', { type: 'integer', minimum: 3, maximum: 2 }],
    ['an unknown reference', { $ref: '#/nowhere' }],
  ] as const)('are none for %s', (_, schema) => expect(made(schema, 1)).toBeNull())

  it('can be given each kind of single fault', () => {
    const kinds = new Set<string>()
    for (const seed of seeds) {
      const value = made(ORDER, seed)
      if (value === null) continue
      for (const fault of faultsOf(value.value, value.spots, dialect, new Chance(seed))) {
        kinds.add(fault.kind)
        expect(fault.value).not.toEqual(value.value)
      }
    }
    expect([...kinds].sort()).toEqual(
      ['bad-enum', 'bad-format', 'extra-field', 'missing-required', 'out-of-range', 'wrong-type'].sort(),
    )
  })

  it('name no place of an item that was thrown away', () => {
    const list: RawSchema = {
      type: 'array',
      uniqueItems: true,
      minItems: 1,
      items: { type: 'object', properties: { a: { enum: [1] } } },
    }
    for (const seed of seeds) {
      const value = made(list, seed)
      const { length } = (value?.value ?? []) as unknown[]
      for (const { path } of value?.spots ?? []) expect(Number(path[0] ?? 0)).toBeLessThan(length)
    }
  })
})

/** OpenAPI 3.1 §4.8.12.6, "Style Examples". */
describe('parameters on the wire', () => {
  const color = (style: string, explode: boolean, place: 'path' | 'query') => ({
    name: 'color',
    in: place,
    style,
    explode,
  })
  const ARRAY = ['blue', 'black', 'brown']
  const OBJECT = { R: 100, G: 200, B: 150 }
  it.each([
    ['matrix', false, 'path', ';color=blue', ';color=blue,black,brown', ';color=R,100,G,200,B,150'],
    ['matrix', true, 'path', ';color=blue', ';color=blue;color=black;color=brown', ';R=100;G=200;B=150'],
    ['label', true, 'path', '.blue', '.blue.black.brown', '.R=100.G=200.B=150'],
    ['form', false, 'query', 'color=blue', 'color=blue,black,brown', 'color=R,100,G,200,B,150'],
    ['form', true, 'query', 'color=blue', 'color=blue&color=black&color=brown', 'R=100&G=200&B=150'],
    ['simple', false, 'path', 'blue', 'blue,black,brown', 'R,100,G,200,B,150'],
    ['simple', true, 'path', 'blue', 'blue,black,brown', 'R=100,G=200,B=150'],
    ['spaceDelimited', false, 'query', 'color=blue', 'color=blue%20black%20brown', null],
    ['pipeDelimited', false, 'query', 'color=blue', 'color=blue%7Cblack%7Cbrown', null],
    ['deepObject', true, 'query', 'color=blue', null, 'color[R]=100&color[G]=200&color[B]=150'],
  ] as const)('%s, explode %s', (style, explode, place, one, list, object) => {
    const parameter = color(style, explode, place)
    expect(serialized(parameter, 'blue')).toBe(one)
    expect(serialized(parameter, ARRAY)).toBe(list)
    expect(serialized(parameter, OBJECT)).toBe(object)
  })
})

describe('calls made of an operation', () => {
  const operation: OperationSource = {
    method: 'POST',
    template: '/orders/{id}',
    parameters: [
      {
        name: 'id',
        in: 'path',
        style: 'simple',
        explode: false,
        required: true,
        schema: { type: 'integer' },
        pointer: '/1',
      },
      {
        name: 'limit',
        in: 'query',
        style: 'form',
        explode: true,
        required: true,
        schema: { type: 'integer', maximum: 5 },
        pointer: '/2',
      },
    ],
    body: { type: 'application/json', required: true, schema: ORDER, pointer: '/3' },
  }

  it('hold what is required, and have one fault each', () => {
    const maker = new CallMaker({ old: false, resolve: () => undefined }, new Chance(5))
    const kinds = new Set<string>()
    for (const _ of seeds) {
      const call = maker.make(operation)
      expect(call?.call.target).toMatch(/^\/orders\/-?\d+\?limit=-?\d+$/)
      expect(call?.call.fields).toContain('application/json')
      for (const { kind } of call?.faults ?? []) kinds.add(kind)
    }
    expect([...kinds].sort()).toEqual(
      ['missing-required', 'out-of-range', 'undeclared-parameter', 'wrong-content-type', 'wrong-type'].sort(),
    )
  })

  it('are none where a parameter cannot be written', () => {
    const unwritable: OperationSource = {
      ...operation,
      parameters: [
        {
          name: '',
          in: 'header',
          style: 'simple',
          explode: false,
          required: true,
          schema: { type: 'string' },
          pointer: '/1',
        },
      ],
    }
    expect(new CallMaker({ old: false, resolve: () => undefined }, new Chance(5)).make(unwritable)).toBeNull()
  })
})
