import { describe, expect, it } from 'vitest'
import { type Covered, checkCovered } from './claims.ts'

const text = 'apis:\n  shop:\n    basePath: /v1\n  shadow:\n    basePath: /v1/items\n'
const source = (name: string) => ({ name, source: { file: 'sallyport.yaml', text, base: ['apis', name] } })
const SOURCES = [source('shop'), source('shadow')]

const shop: Covered = { name: 'shop', hosts: [], basePath: '/v1', templates: ['/orders', '/items/{id}'] }
const shadow: Covered = { name: 'shadow', hosts: [], basePath: '/v1/items', templates: [] }

describe('a longer base path', () => {
  it('that takes a declared operation away is refused, with its place', () => {
    const [problem, ...others] = checkCovered([shop, shadow], SOURCES)
    expect(others).toEqual([])
    expect(problem).toMatchObject({ file: 'sallyport.yaml', line: 5, pointer: '/apis/shadow/basePath' })
    expect(problem?.message).toBe(
      'the base path /v1/items of "shadow" takes /v1/items/{id} away from "shop", whose contract declares it',
    )
  })

  it.each<readonly [string, Covered, Covered]>([
    ['beside every declared operation', shop, { ...shadow, basePath: '/v1/invoices' }],
    ['that only begins with the same letters', shop, { ...shadow, basePath: '/v1/item' }],
    ['on another host', { ...shop, hosts: ['a.example'] }, { ...shadow, hosts: ['b.example'] }],
    ['deeper than any operation', shop, { ...shadow, basePath: '/v1/orders/archive/old' }],
  ])('%s is fine', (_, one, other) => {
    expect(checkCovered([one, other], SOURCES)).toEqual([])
  })

  it('under a parameter counts: it can be any segment', () => {
    const wide = { ...shop, templates: ['/{kind}/{id}'] }
    expect(checkCovered([wide, shadow], SOURCES)).toHaveLength(1)
    expect(
      checkCovered(
        [
          { ...wide, basePath: '' },
          { ...shadow, basePath: '/v1' },
        ],
        SOURCES,
      ),
    ).toHaveLength(1)
  })
})
