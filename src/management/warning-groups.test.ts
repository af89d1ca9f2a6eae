import { describe, expect, it } from 'vitest'
import { warningLines } from './warning-groups.ts'

describe('warnings of a contract', () => {
  it('are printed one a line while they are few', () => {
    const warnings = [
      { place: 'sallyport.yaml:3:1', message: 'there is no policy' },
      { place: '', message: 'elsewhere' },
      { place: 'shop.yaml#/paths/~1a', message: 'servers: are ignored' },
    ]
    expect(warningLines(warnings)).toEqual([
      'sallyport.yaml:3:1: there is no policy',
      'elsewhere',
      'shop.yaml#/paths/~1a: servers: are ignored',
    ])
  })

  it('are counted by kind and file where they are many', () => {
    const many = (file: string, code: string, count: number) =>
      Array.from({ length: count }, (_, i) => ({ place: `${file}#/p/${i}`, message: `${code}: text ${i}` }))
    const lines = warningLines([
      ...many('a.yaml', 'servers', 6_000),
      ...many('a.yaml', 'path-item', 3),
      ...many('b.yaml', 'servers', 4),
    ])
    expect(lines).toHaveLength(3 + 1 + 3 + 3 + 1)
    expect(lines[3]).toBe('a.yaml: servers: 5997 more like these')
    expect(lines.at(-1)).toBe('b.yaml: servers: 1 more like these')
  })
})
