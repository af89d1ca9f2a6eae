import { describe, expect, it } from 'vitest'
import type { ContractWarning } from './detail.ts'
import { readServers, warnLocalServers } from './servers.ts'

function read(servers: unknown, configured?: string): { basePath: string; said: string[] } {
  const said: string[] = []
  const { basePath } = readServers({ servers }, configured, ({ message }: ContractWarning) =>
    said.push(message),
  )
  return { basePath, said }
}

describe('servers', () => {
  it.each([
    [[], '', 0],
    [[{ url: '/' }], '', 0],
    [[{ url: 'https://shop.example/api/v1/' }], '/api/v1', 0],
    [[{ url: '//shop.example/api' }], '/api', 0],
    [[{ url: '/v1' }], '/v1', 0],
    [[{ url: 'http://a.example' }, { url: 'https://b.example' }], '', 0],
    [[{ url: 'v1' }], '/v1', 1],
    [[{ url: './' }], '', 1],
    [[{ url: '/a' }, { url: '/b' }], '/a', 1],
    [[{ url: 'https://x/../y' }], '', 1],
  ])('%j give a base path', (servers, basePath, warnings) => {
    const found = read(servers)
    expect(found.basePath).toBe(basePath)
    expect(found.said).toHaveLength(warnings)
  })

  it('have variables by their defaults; what would change the base path is named', () => {
    const url = 'https://{region}.shop.example/{version}'
    const region = { default: 'eu', enum: ['eu', 'us'] }
    expect(read([{ url, variables: { region, version: { default: 'v1', enum: ['v1'] } } }])).toEqual({
      basePath: '/v1',
      said: [],
    })
    expect(read([{ url, variables: { region, version: { default: 'v1' } } }]).said).toEqual([
      'the variable {version} changes the base path: its default holds, and calls with any other value are for no API; set basePath',
    ])
    const { basePath, said } = read([
      { url, variables: { region, version: { default: 'v1', enum: ['v1', 'v2', 'v3'] } } },
    ])
    expect(basePath).toBe('/v1')
    expect(said).toEqual([
      'the variable {version} changes the base path: its default holds, and calls below v2, v3 are for no API; configure one with a basePath for each',
    ])
    expect(read([{ url: 'https://x/{v}' }]).said).toEqual(
      expect.arrayContaining(['the variable {v} has no default: set basePath']),
    )
  })

  it('count for nothing where configuration states the base path', () => {
    expect(read([{ url: '/a' }, { url: '/b/{c}' }], '/v9')).toEqual({ basePath: '/v9', said: [] })
  })

  it('of a path or operation are named unless the contract has them', () => {
    const said: string[] = []
    const all = { basePath: '', servers: ['https://a.example/x'] }
    const warn = ({ pointer }: ContractWarning) => said.push(pointer)
    warnLocalServers([{ url: 'http://a.example/x' }], '/same', all, warn)
    warnLocalServers([{ url: 'https://a.example/y' }], '/other', all, warn)
    expect(said).toEqual(['/other'])
  })
})
