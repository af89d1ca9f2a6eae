import { describe, expect, it } from 'vitest'
import type { ApiPlan } from '../model/bundle.ts'
import { upstreamPath } from './forward.ts'
import type { CleanHead } from './hygiene.ts'

function asked(base: string, upstreamBase: string, path: string, rawQuery = '', mode = 'enforce'): string {
  const api = { mode, basePath: base, upstream: { origin: 'http://127.0.0.1', basePath: upstreamBase } }
  return upstreamPath(
    api as Partial<ApiPlan> as ApiPlan,
    { path, rawQuery } as Partial<CleanHead> as CleanHead,
  )
}

describe('the path the upstream is asked for', () => {
  it.each([
    ['/v1', '/v1', '/v1/orders', '/v1/orders'],
    ['/v1', '/api', '/v1/orders', '/api/orders'],
    ['/v1', '/api', '/v1', '/api'],
    ['', '/api', '/orders', '/api/orders'],
    ['', '', '/orders', '/orders'],
    // An upstream with a lone `/`: nothing stands in place of the base path.
    ['/v1', '', '/v1/orders', '/orders'],
    ['/v1', '', '/v1', '/'],
  ])('base path %j, upstream %j: %s becomes %s', (base, upstreamBase, path, expected) => {
    expect(asked(base, upstreamBase, path)).toBe(expected)
  })

  it('keeps the query, where enforcing without a second way to part it', () => {
    expect(asked('/v1', '/v1', '/v1/a', 'x=1;y=2')).toBe('/v1/a?x=1%3By=2')
    expect(asked('/v1', '/v1', '/v1/a', 'x=1;y=2', 'observe')).toBe('/v1/a?x=1;y=2')
  })
})
