import { describe, expect, it } from 'vitest'
import { Router } from './router.ts'

function routes(...templates: readonly string[]): (method: string, path: string) => unknown {
  const router = new Router<string>()
  for (const entry of templates) {
    const [method = '', template = ''] = entry.split(' ')
    router.add(method, template, entry)
  }
  return (method, path) => {
    const found = router.match(method, path.slice(1).split('/'))
    if (found.kind === 'match') return [found.target, { ...found.params }]
    return found.kind === 'method' ? found.allow : null
  }
}

describe('Router', () => {
  it('takes a literal before mixed text before a parameter, at each segment', () => {
    const match = routes('GET /a/{id}', 'GET /a/mine', 'GET /a/{id}.json', 'GET /a/{id}/b', 'GET /{x}/mine/c')
    expect(match('GET', '/a/mine')).toEqual(['GET /a/mine', {}])
    expect(match('GET', '/a/7.json')).toEqual(['GET /a/{id}.json', { id: '7' }])
    expect(match('GET', '/a/7')).toEqual(['GET /a/{id}', { id: '7' }])
    expect(match('GET', '/a/mine/b')).toEqual(['GET /a/{id}/b', { id: 'mine' }])
    expect(match('GET', '/a/mine/c')).toEqual(['GET /{x}/mine/c', { x: 'a' }])
  })

  it('serves literal colons, custom verbs and several parameters in one segment', () => {
    const match = routes(
      'POST /v1/{name}:cancel',
      'GET /:literal',
      'GET /{a}-{b}',
      'GET /v1/{name}',
      'GET /x/a{n}z',
    )
    expect(match('POST', '/v1/job:cancel')).toEqual(['POST /v1/{name}:cancel', { name: 'job' }])
    expect(match('GET', '/v1/job')).toEqual(['GET /v1/{name}', { name: 'job' }])
    expect(match('GET', '/:literal')).toEqual(['GET /:literal', {}])
    expect(match('GET', '/1-2-3')).toEqual(['GET /{a}-{b}', { a: '1', b: '2-3' }])
    expect(match('GET', '/x/az')).toBeNull()
    expect(match('GET', '/x/abz')).toEqual(['GET /x/a{n}z', { n: 'b' }])
  })

  it('never splits at an encoded slash, and decodes once', () => {
    const match = routes('GET /files/{name}', 'GET /files/{name}/{part}')
    expect(match('GET', '/files/a%2Fb')).toEqual(['GET /files/{name}', { name: 'a/b' }])
    expect(match('GET', '/files/a%252Fb')).toEqual(['GET /files/{name}', { name: 'a%2Fb' }])
  })

  it('keeps a trailing slash and an empty segment apart from a parameter', () => {
    const match = routes('GET /a/{id}', 'GET /b/', 'GET /')
    expect(match('GET', '/a/')).toBeNull()
    expect(match('GET', '/b/')).toEqual(['GET /b/', {}])
    expect(match('GET', '/b')).toBeNull()
    expect(match('GET', '/')).toEqual(['GET /', {}])
  })

  it('says which methods a path has; the first template that fits decides', () => {
    const match = routes('GET /a/mine', 'DELETE /a/{id}', 'PATCH /a/{id}')
    expect(match('HEAD', '/a/mine')).toEqual(['GET'])
    expect(match('DELETE', '/a/mine')).toEqual(['GET'])
    expect(match('get', '/a/mine')).toEqual(['GET'])
    expect(match('GET', '/a/7')).toEqual(['DELETE', 'PATCH'])
    expect(match('GET', '/A/mine')).toBeNull()
  })

  it('names parameters by their own template where methods differ in names', () => {
    const match = routes('GET /a/{id}', 'PUT /a/{key}')
    expect(match('GET', '/a/1')).toEqual(['GET /a/{id}', { id: '1' }])
    expect(match('PUT', '/a/1')).toEqual(['PUT /a/{key}', { key: '1' }])
  })

  it('compares literals in canonical form', () => {
    const match = routes('GET /caf\u00e9', 'GET /%7euser', 'GET /a%2fb', 'GET /a|b')
    expect(match('GET', '/a%7Cb')).toEqual(['GET /a|b', {}])
    expect(match('GET', '/caf%C3%A9')).toEqual(['GET /caf\u00e9', {}])
    expect(match('GET', '/~user')).toEqual(['GET /%7euser', {}])
    expect(match('GET', '/a%2Fb')).toEqual(['GET /a%2fb', {}])
  })

  it('is not slowed by templates that fit almost', () => {
    const templates = Array.from(
      { length: 12 },
      (_, i) => `GET /${'{a}/x/'.repeat(i)}${'{b}.y/'.repeat(12 - i)}end`,
    )
    const match = routes(...templates)
    const start = performance.now()
    for (let i = 0; i < 1_000; i++) match('GET', `/${'q.y/'.repeat(30)}`)
    expect(performance.now() - start).toBeLessThan(2_000)
  })

  it('takes names that objects inherit', () => {
    const match = routes('GET /{__proto__}/{constructor}', 'GET /toString')
    const found = match('GET', '/a/b') as [string, Record<string, string>]
    expect(Object.entries(found[1])).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
    expect(match('GET', '/toString')).toEqual(['GET /toString', {}])
    expect(match('GET', '/valueOf')).toBeNull()
  })
})
