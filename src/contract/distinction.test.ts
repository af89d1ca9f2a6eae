import { describe, expect, it } from 'vitest'
import { compileText, contractText, instantiate, said } from '../../test/contract-instance.ts'
import { Router } from './router.ts'

const operation = (operationId: string, ...parameters: unknown[]) => ({
  operationId,
  parameters,
  responses: { '204': { description: 'done' } },
})
const flag = (name: string) => ({
  name,
  in: 'query',
  required: true,
  allowEmptyValue: true,
  schema: { type: 'boolean', enum: [true] },
})
const head = (name: string) => ({ name, in: 'header', required: true, schema: { type: 'string' } })
const text = (name: string) => ({ name, in: 'query', required: true, schema: { type: 'string' } })

const compiled = compileText(
  contractText({
    paths: {
      '/{b}': {
        parameters: [{ name: 'b', in: 'path', required: true, schema: { type: 'string' } }],
        get: operation('list'),
      },
      '/{b}#acl': { get: operation('acl', flag('acl')) },
      '/{b}?comp=lease': { get: operation('lease') },
      '/{b}?comp=lease&restype=container': { get: operation('containerLease') },
      '/{b}?comp=lease#again': { get: operation('unreachable') },
      '/{b}#X-Copy-Source&part': { get: operation('copyPart', head('X-Copy-Source'), text('part')) },
      '/{b}#X-Copy-Source': { get: operation('copy', head('X-Copy-Source')) },
      '/only?x': { get: operation('only') },
    },
  }),
)
const contract = instantiate(compiled)

function meant(path: string, query: string, fields: readonly string[] = []): string {
  const pairs = query === '' ? [] : query.split('&').map((pair) => pair.split('=') as [string, string])
  const decoded = pairs.map(([name, value = '']) => [name, value] as const)
  const found = contract.match('GET', [path], decoded, [...fields])
  return found.kind === 'match' ? (found.operation.plan.operationId ?? '') : found.kind
}

describe('templates with ? or #', () => {
  it('are told apart by what they state, those that state most first', () => {
    expect(meant('x', '')).toBe('list')
    expect(meant('x', 'other=1')).toBe('list')
    expect(meant('x', 'acl')).toBe('acl')
    expect(meant('x', 'acl=')).toBe('acl')
    expect(meant('x', 'ACL')).toBe('list')
    expect(meant('x', 'comp=lease')).toBe('lease')
    expect(meant('x', 'comp=other')).toBe('list')
    expect(meant('x', 'restype=container&comp=lease')).toBe('containerLease')
    expect(meant('x', '', ['x-copy-SOURCE', '/a/b'])).toBe('copy')
    expect(meant('x', 'part=1', ['X-Copy-Source', '/a/b'])).toBe('copyPart')
    expect(meant('x', 'part=1')).toBe('list')
    expect(meant('only', 'x')).toBe('only')
  })

  it('leave calls that state none of it to another path, or to none', () => {
    expect(meant('only', '')).toBe('none')
    expect(contract.match('POST', ['only']).kind).toBe('method')
  })

  it('take what they state as a parameter, and no other value of it', () => {
    const lease = contract.operations.get('shop.lease')
    const judge = (rawQuery: string, query: readonly (readonly [string, string])[]) =>
      said(lease?.checkParameters({ params: { b: 'x' }, segments: ['x'], rawQuery, query, fields: [] }) ?? [])
    expect(judge('comp=lease', [['comp', 'lease']])).toEqual([])
    expect(
      judge('comp=lease&comp=list', [
        ['comp', 'lease'],
        ['comp', 'list'],
      ]),
    ).not.toEqual([])
    expect(
      judge('comp=lease&acl=', [
        ['comp', 'lease'],
        ['acl', ''],
      ]),
    ).toEqual(['parameter-undeclared query acl'])
  })

  it('leave a record, which has neither query nor fields, undecided where either would tell', () => {
    const router = new Router<string>()
    router.add('GET', '/{b}', 'list')
    router.add('GET', '/{b}', 'acl', [{ in: 'query', name: 'acl' }])
    router.add('GET', '/plain/x', 'plain')
    expect(router.distinguishes('GET', ['x'])).toBe(true)
    expect(router.distinguishes('PUT', ['x'])).toBe(false)
    expect(router.distinguishes('GET', ['plain', 'x'])).toBe(false)
    expect(router.distinguishes('GET', ['no', 'such', 'path'])).toBe(false)
  })

  it('are named with what tells them apart, or as out of reach', () => {
    const said = compiled.warnings.map(({ code, pointer }) => `${code} ${pointer}`)
    expect(said).toEqual(
      expect.arrayContaining([
        'path-distinguished /paths/~1{b}#acl/get',
        'path-distinguished /paths/~1{b}?comp=lease/get',
        'path-unroutable /paths/~1{b}?comp=lease#again/get',
      ]),
    )
    expect(said.filter((text) => text.startsWith('path-unroutable'))).toHaveLength(1)
  })
})
