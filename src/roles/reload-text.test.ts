import { expect, it } from 'vitest'
import { changesText } from './reload-text.ts'

const api = (name: string, mode: 'enforce' | 'observe', origin = 'http://127.0.0.1:1') => ({
  name,
  mode,
  upstream: { origin, basePath: '' },
})
const before = {
  hash: 'a'.repeat(64),
  apis: [api('shop', 'observe'), api('old', 'enforce')],
  issuers: [
    { name: 'corp', iss: 'https://a' },
    { name: 'gone', iss: 'https://gone' },
  ],
  operations: 3,
  policies: 1,
  tests: 0,
}

it('a reload that changes nothing says so', () => {
  expect(changesText(before, before)).toBe('bundle aaaaaaaaaaaa as before')
})

it('names stages that are only observed, and zones', () => {
  const zoned = { ...api('shop', 'observe'), zone: 'front', observeStages: ['identity', 'zone'] as const }
  const to = changesText(before, { ...before, hash: 'b'.repeat(64), apis: [zoned, api('old', 'enforce')] })
  expect(to).toContain('API shop from zone none to front; API shop only observes identity and zone;')
  const back = changesText(
    { ...before, apis: [zoned] },
    { ...before, hash: 'c'.repeat(64), apis: [api('shop', 'observe')] },
  )
  expect(back).toContain('API shop from zone front to none; API shop only observes no stage any more;')
})

it('names what matters', () => {
  const after = {
    hash: 'b'.repeat(64),
    apis: [api('shop', 'enforce', 'http://127.0.0.1:2'), api('pay', 'observe')],
    issuers: [
      { name: 'corp', iss: 'https://b' },
      { name: 'new', iss: 'https://new' },
    ],
    operations: 1,
    policies: 2,
    tests: 5,
  }
  expect(changesText(before, after).split('; ')).toEqual([
    'bundle bbbbbbbbbbbb',
    'API shop from observe to enforce',
    'API shop now at http://127.0.0.1:2',
    'API pay added (observe)',
    'API old removed',
    'issuer corp now https://b',
    'issuer new added',
    'issuer gone removed',
    '1 operation, 2 policy files, 5 policy tests',
  ])
})
