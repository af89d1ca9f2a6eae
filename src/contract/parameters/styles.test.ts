import { describe, expect, it } from 'vitest'
import { compileText, contractText, operationOf, said, sent } from '../../../test/contract-instance.ts'

/** Only the OpenAPI table's own values fit, so what passes was read as the table means it. */
const SCHEMAS = {
  empty: { const: '' },
  string: { const: 'blue' },
  array: { type: 'array', items: { type: 'string' }, const: ['blue', 'black', 'brown'] },
  object: {
    type: 'object',
    properties: { R: { type: 'integer' }, G: { type: 'integer' }, B: { type: 'integer' } },
    const: { R: 100, G: 200, B: 150 },
  },
} as const
type Kind = keyof typeof SCHEMAS
const KINDS = ['empty', 'string', 'array', 'object'] as const

/** OpenAPI 3.2 §4.12.4 "Style Examples": empty, string, array, object; null: not defined. */
const TABLE: readonly (readonly [place: string, style: string, explode: boolean, ...(string | null)[]])[] = [
  ['path', 'matrix', false, ';color', ';color=blue', ';color=blue,black,brown', ';color=R,100,G,200,B,150'],
  [
    'path',
    'matrix',
    true,
    ';color',
    ';color=blue',
    ';color=blue;color=black;color=brown',
    ';R=100;G=200;B=150',
  ],
  ['path', 'label', false, '.', '.blue', '.blue,black,brown', '.R,100,G,200,B,150'],
  ['path', 'label', true, '.', '.blue', '.blue.black.brown', '.R=100.G=200.B=150'],
  ['path', 'simple', false, '', 'blue', 'blue,black,brown', 'R,100,G,200,B,150'],
  ['path', 'simple', true, '', 'blue', 'blue,black,brown', 'R=100,G=200,B=150'],
  ['header', 'simple', false, '', 'blue', 'blue,black,brown', 'R,100,G,200,B,150'],
  ['header', 'simple', true, '', 'blue', 'blue,black,brown', 'R=100,G=200,B=150'],
  ['query', 'form', false, 'color=', 'color=blue', 'color=blue,black,brown', 'color=R,100,G,200,B,150'],
  ['query', 'form', true, 'color=', 'color=blue', 'color=blue&color=black&color=brown', 'R=100&G=200&B=150'],
  [
    'query',
    'spaceDelimited',
    false,
    null,
    null,
    'color=blue%20black%20brown',
    'color=R%20100%20G%20200%20B%20150',
  ],
  [
    'query',
    'pipeDelimited',
    false,
    null,
    null,
    'color=blue%7Cblack%7Cbrown',
    'color=R%7C100%7CG%7C200%7CB%7C150',
  ],
  ['query', 'pipeDelimited', false, null, null, 'color=blue|black|brown', 'color=R|100|G|200|B|150'],
  ['query', 'deepObject', true, null, null, null, 'color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150'],
  ['query', 'deepObject', true, null, null, null, 'color[R]=100&color[G]=200&color[B]=150'],
  ['cookie', 'form', false, 'color=', 'color=blue', 'color=blue,black,brown', 'color=R,100,G,200,B,150'],
  ['cookie', 'form', true, 'color=', 'color=blue', null, null],
  ['cookie', 'cookie', false, 'color=', 'color=blue', 'color=blue,black,brown', 'color=R,100,G,200,B,150'],
  [
    'cookie',
    'cookie',
    true,
    'color=',
    'color=blue',
    'color=blue; color=black; color=brown',
    'R=100; G=200; B=150',
  ],
]
const CELLS = TABLE.flatMap(([place, style, explode, ...texts]) =>
  KINDS.flatMap((kind, index) => {
    const text = texts[index]
    return typeof text === 'string' ? [{ place, style, explode, kind, text }] : []
  }),
)
const name = (place: string): string => (place === 'path' ? 'id' : 'color')

function findings(
  { place, style, explode, kind }: { place: string; style: string; explode: boolean; kind: Kind },
  text: string,
): string[] {
  const parameter = {
    name: name(place),
    in: place,
    style,
    explode,
    schema: SCHEMAS[kind],
    required: true,
  }
  const operation = operationOf({ parameters: [parameter] }, {}, '3.2.0')
  const own = place === 'path' ? text.replaceAll('color', 'id') : text
  if (place === 'path')
    return said(operation.checkParameters(sent('', { id: decodeURIComponent(own) }, [], ['a', own])))
  if (place === 'query') return said(operation.checkParameters(sent(own)))
  return said(operation.checkParameters(sent('', {}, place === 'cookie' ? ['Cookie', own] : ['Color', own])))
}

describe('styles of the OpenAPI table', () => {
  it.each(CELLS)('$place $style explode=$explode $kind: $text', (cell) => {
    expect(findings(cell, cell.text)).toEqual([])
  })

  it('are told apart: what another style makes of a value is another value, or none', () => {
    let refused = 0
    for (const cell of CELLS) {
      if (cell.kind !== 'array' && cell.kind !== 'object') continue
      for (const other of CELLS) {
        if (other.place !== cell.place || other.kind !== cell.kind || other.text === cell.text) continue
        // An encoded and a plain bar or bracket are the same.
        if (other.style === cell.style && other.explode === cell.explode) continue
        if (cell.place === 'cookie' && other.explode === cell.explode) continue
        expect(findings(cell, other.text), `${cell.style} ${cell.explode}: ${other.text}`).not.toEqual([])
        refused++
      }
    }
    expect(refused).toBeGreaterThan(40)
  })

  it('refuse a wrong value in each cell', () => {
    for (const cell of CELLS) {
      if (cell.kind === 'empty') continue
      const wrong = cell.text.replace('blue', 'red').replace('100', '101')
      expect(findings(cell, wrong), cell.text).not.toEqual([])
    }
  })
})

describe('delimiters', () => {
  const list = { type: 'array', items: { type: 'string' }, maxItems: 2 }
  const query = operationOf({
    parameters: [
      { name: 'c', in: 'query', explode: false, schema: list },
      { name: 'exact', in: 'query', explode: false, schema: { ...list, const: ['a,b', 'c d'] } },
      { name: 's', in: 'query', style: 'spaceDelimited', explode: false, schema: list },
      { name: 'p', in: 'query', style: 'pipeDelimited', explode: false, schema: list },
    ],
  })
  const check = (text: string): string[] => said(query.checkParameters(sent(text)))

  it('are looked for in the text as received: an encoded one is data', () => {
    expect(check('c=a,b')).toEqual([])
    expect(check('c=a,b,c')).toEqual(['parameter-invalid query c: maxItems'])
    expect(check('c=a%2Cb,c')).toEqual([])
    expect(check('exact=a%2Cb,c+d')).toEqual([])
    expect(check('exact=a%2cb,c%20d')).toEqual([])
    expect(check('exact=a,b,c+d')).not.toEqual([])
    expect(check('s=a+b%20c')).toEqual(['parameter-invalid query s: maxItems'])
    expect(check('p=a|b%7cc')).toEqual(['parameter-invalid query p: maxItems'])
    expect(check('p=a%257Cb|c')).toEqual([])
  })

  it('stand in one pair: a second one is a repetition', () => {
    expect(check('c=a&c=b')).toEqual(['parameter-repeated query c'])
    expect(check('s=a&s=b')).toEqual(['parameter-repeated query s'])
  })

  it('in the path are told from data too', () => {
    const path = operationOf({
      parameters: [
        { name: 'id', in: 'path', required: true, schema: { ...list, items: { enum: ['a,b', 'c'] } } },
      ],
    })
    const of = (segment: string): string[] =>
      said(path.checkParameters(sent('', { id: decodeURIComponent(segment) }, [], ['a', segment])))
    expect(of('a%2Cb,c')).toEqual([])
    expect(of('a,b,c')).toEqual(['parameter-invalid path id: maxItems'])
  })

  it('of lists that are too long are not counted to the end', () => {
    const text = `c=${'a,'.repeat(3_000)}`
    expect(check(text)).toEqual(['parameter-invalid query c: style'])
  })
})

describe('numbers beyond 2^53', () => {
  const of = (schema: unknown): ((text: string) => string[]) => {
    const operation = operationOf({ parameters: [{ name: 'n', in: 'query', schema }] })
    return (text) => said(operation.checkParameters(sent(`n=${text}`)))
  }

  it('are compared by their digits', () => {
    const check = of({ type: 'integer', maximum: 9007199254740992 })
    expect(check('9007199254740992')).toEqual([])
    expect(check('9007199254740993')).toEqual(['parameter-invalid query n: maximum'])
    expect(of({ type: 'integer', format: 'int64' })('9223372036854775807')).toEqual([])
    expect(of({ type: 'integer', format: 'int64' })('9223372036854775808')).not.toEqual([])
    expect(of({ type: 'number', multipleOf: 0.01 })('19.99')).toEqual([])
    expect(
      of({ type: 'array', items: { type: 'integer' }, uniqueItems: true })(
        '9007199254740993&n=9007199254740992',
      ),
    ).toEqual([])
  })
})

describe('objects in parameters', () => {
  const filter = {
    type: 'object',
    properties: {
      state: { type: 'string', enum: ['open', 'done'] },
      ids: { type: 'array', items: { type: 'integer' }, maxItems: 3 },
      at: { type: 'object', properties: { gt: { type: 'integer' } } },
      rows: { type: 'array', items: { type: 'object', properties: { a: { type: 'integer' }, b: {} } } },
    },
  }
  const deep = operationOf({ parameters: [{ name: 'f', in: 'query', style: 'deepObject', schema: filter }] })
  const check = (text: string): string[] => said(deep.checkParameters(sent(text)))

  it.each([
    'f[state]=open',
    'f[at][gt]=5',
    'f[ids]=1&f[ids]=2',
    'f[ids]=1',
    'f[ids][]=1&f[ids][]=2',
    'f[ids][0]=1&f[ids][1]=2',
    'f[rows][0][a]=1&f[rows][0][b]=x&f[rows][1][a]=2',
  ])('deepObject takes what its schema has a place for: %s', (text) => {
    expect(check(text)).toEqual([])
  })

  it.each([
    ['f[state]=shut', 'parameter-invalid query f: enum'],
    ['f[state]=open&f[state]=done', 'parameter-repeated query f'],
    ['f[role]=admin', 'parameter-undeclared query f[role]'],
    ['f[__proto__]=admin', 'parameter-undeclared query f[__proto__]'],
    ['f[__proto__][x]=1', 'parameter-undeclared query f[__proto__][x]'],
    ['f[constructor][prototype][x]=1', 'parameter-undeclared query f[constructor][prototype][x]'],
    ['f[state][x]=1', 'parameter-undeclared query f[state][x]'],
    ['f[state][]=open', 'parameter-undeclared query f[state][]'],
    ['f[at]=5', 'parameter-invalid query f: type'],
    ['f[at][lt]=5', 'parameter-undeclared query f[at][lt]'],
    ['f[ids][1]=1', 'parameter-invalid query f: type'],
    ['f[ids][0]=1&f[ids][]=2', 'parameter-invalid query f: style'],
    ['f[ids][1]=1&f[ids][0]=2', 'parameter-invalid query f: type'],
    ['f[ids][0]=1&f[ids][0]=2', 'parameter-repeated query f'],
    ['f[ids][x]=1', 'parameter-undeclared query f[ids][x]'],
    ['f[rows][][a]=1&f[rows][][b]=x', 'parameter-invalid query f: style'],
    ['f[ids]=1&f[ids]=2&f[ids]=3&f[ids]=4', 'parameter-invalid query f: maxItems'],
    ['f[at][gt]=1&f[at]=2', 'parameter-invalid query f: style'],
    ['f[state', 'parameter-undeclared query f[state'],
    ['f[state]]=open', 'parameter-undeclared query f[state]]'],
    ['f[[state]]=open', 'parameter-undeclared query f[[state]]'],
    ['f=open', 'parameter-undeclared query f'],
    ['f[]=open', 'parameter-undeclared query f[]'],
    ['f.state=open', 'parameter-undeclared query f.state'],
    [`f${'[a]'.repeat(500)}=1`, undefined],
  ])('deepObject refuses %s', (text, expected) => {
    const found = check(text)
    if (expected === undefined) expect(found).toHaveLength(1)
    else expect(found).toEqual([expected])
  })

  it('deepObject beside a scalar is one or the other', () => {
    const both = operationOf({
      parameters: [
        {
          name: 'created',
          in: 'query',
          style: 'deepObject',
          schema: {
            anyOf: [{ type: 'integer' }, { type: 'object', properties: { gt: { type: 'integer' } } }],
          },
        },
        {
          name: 'expand',
          in: 'query',
          style: 'deepObject',
          schema: { type: 'array', items: { type: 'string' } },
        },
      ],
    })
    const of = (text: string): string[] => said(both.checkParameters(sent(text)))
    expect(of('created=1&expand[]=a&expand[]=b')).toEqual([])
    expect(of('created[gt]=1&expand[0]=a&expand[1]=b')).toEqual([])
    expect(of('created[gt]=1&created=2')).toEqual(['parameter-repeated query created'])
    expect(of('created[gt]=x')).toEqual(['parameter-invalid query created: type'])
  })

  it('undeclared members are sealed in every style', () => {
    const object = { type: 'object', properties: { R: { type: 'integer' }, G: { type: 'integer' } } }
    const of = (parameter: object): ReturnType<typeof operationOf> =>
      operationOf({ parameters: [{ name: 'id', required: true, schema: object, ...parameter }] })
    expect(
      said(of({ in: 'path' }).checkParameters(sent('', { id: 'R,1,X,2' }, [], ['a', 'R,1,X,2']))),
    ).toEqual(['field-undeclared path id/X'])
    expect(said(of({ in: 'header' }).checkParameters(sent('', {}, ['Id', 'R, 1, X, 2'])))).toEqual([
      'field-undeclared header id/X',
    ])
    expect(said(of({ in: 'query', explode: false }).checkParameters(sent('id=R,1,X,2')))).toEqual([
      'field-undeclared query id/X',
    ])
    expect(said(of({ in: 'query' }).checkParameters(sent('R=1&X=2')))).toEqual([
      'parameter-undeclared query X',
    ])
    expect(said(of({ in: 'query' }).checkParameters(sent('R=1&R=2')))).toEqual([
      'parameter-repeated query id',
    ])
    expect(said(of({ in: 'query' }).checkParameters(sent('')))).toEqual(['parameter-missing query id'])
  })

  it('free-form ones take other names, but none that is another parameter', () => {
    const open = operationOf({
      parameters: [
        { name: 'rest', in: 'query', schema: { type: 'object', additionalProperties: { type: 'integer' } } },
        { name: 'limit', in: 'query', schema: { type: 'string' } },
      ],
    })
    expect(said(open.checkParameters(sent('a=1&b=2&limit=x')))).toEqual([])
    expect(said(open.checkParameters(sent('a=x')))).toEqual(['parameter-invalid query rest: type'])
    expect(said(open.checkParameters(sent('__proto__=1')))).toEqual(['parameter-invalid query rest: type'])
  })
})

describe('what a style does not define', () => {
  it('has a stated rule and a warning', () => {
    const text = contractText({
      paths: {
        '/a': {
          get: {
            operationId: 'op',
            responses: {},
            parameters: [
              { name: 'a', in: 'query', style: 'pipeDelimited', explode: true, schema: { type: 'array' } },
              { name: 'b', in: 'query', style: 'deepObject', schema: { type: 'string' } },
              { name: 'c', in: 'query', style: 'matrix', schema: { type: 'string' } },
              { name: 'd', in: 'query' },
              { name: 'e', in: 'query', content: { 'application/xml': {} } },
              { name: 'g', in: 'header', style: 'form', schema: { type: 'string' } },
            ],
          },
        },
      },
    })
    const { warnings } = compileText(text)
    expect(warnings.map(({ code, pointer }) => `${code} ${pointer.split('/').pop()}`)).toEqual([
      'parameter-style 0',
      'parameter-style 1',
      'parameter-style 2',
      'parameter-invalid 3',
      'parameter-style 4',
      'parameter-style 5',
    ])
  })
})
