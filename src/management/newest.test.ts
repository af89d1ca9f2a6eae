import { describe, expect, it } from 'vitest'
import { Newest } from './newest.ts'

describe('the newest of a stream', () => {
  it('are kept whatever order they come in, oldest first', () => {
    const newest = new Newest<number>(3, (item) => item)
    for (const item of [5, 1, 9, 2, 8, 3, 7, 4, 6]) newest.add(item)
    expect(newest.items()).toEqual([7, 8, 9])
    expect(newest.seen).toBe(9)
  })

  it('are all there are where there are fewer', () => {
    const newest = new Newest<number>(3, (item) => item)
    newest.add(2)
    newest.add(1)
    expect(newest.items()).toEqual([1, 2])
  })
})
