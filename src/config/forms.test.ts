import { describe, expect, test } from 'vitest'
import { apiSettings } from './api-schema.ts'
import {
  basePath,
  fieldName,
  host,
  jsonPointer,
  name,
  secretReference,
  template,
  upstreamUrl,
} from './forms.ts'
import { issuerSettings } from './issuer-schema.ts'

const takes = (schema: { safeParse(value: unknown): { success: boolean } }, text: string) =>
  schema.safeParse(text).success

describe('upstream URLs', () => {
  test.each([
    'http://127.0.0.1:3000',
    'https://a.example/',
    'https://a.example/api/v1',
    'https://[2001:db8::1]:8443',
  ])('takes %s', (text) => expect(takes(upstreamUrl, text)).toBe(true))
  test.each([
    'a.example',
    '//a.example',
    'ftp://a.example',
    'http:a.example',
    'http:///a.example',
    'file:///etc/passwd',
    'http://user:pw@a.example',
    'http://user@a.example',
    'http://@a.example',
    'http://a.example?x=1',
    'http://a.example/?',
    'http://a.example/#',
    'http://a.example#x',
    'http://a.example\\@b.example',
    'ht\ntp://a.example',
    ' http://a.example',
    'http://a.example/a b',
    'http://a.example/%2e%2e/b',
    'http://a.example/./b',
    'http://a.example//',
    'http://a%2eexample',
    'http://a.example:99999',
    'http://a.example/a//b',
    'http://a.example/a%2fb',
    `http://a.example/${'a'.repeat(2048)}`,
  ])('refuses %j', (text) => expect(takes(upstreamUrl, text)).toBe(false))

  test('credentials in a URL are named without being repeated', () => {
    const result = upstreamUrl.safeParse('http://user:hunter2@a.example')
    expect(JSON.stringify(result.error?.issues)).not.toContain('hunter2')
    expect(result.error?.issues[0]?.message).toBe('must not hold credentials')
  })
})

test.each([
  [
    name,
    ['shop', 'a', 'corp-2', 'a'.repeat(63)],
    ['', 'Shop', '2shop', 'a.b', 'a/b', 'a_b', 'a'.repeat(64), 'shop\n'],
  ],
  [
    host,
    ['api.shop.example', 'API.example', '127.0.0.1', '[::1]', 'localhost', 'my_host'],
    [
      '',
      'a:80',
      'http://a',
      'a/b',
      '*.a',
      'a..b',
      'a.',
      '-a',
      'a-',
      '[x]',
      '::1',
      `${'a.'.repeat(127)}aa`,
      'a\n',
    ],
  ],
  [
    basePath,
    ['/', '/v1', '/a/b.c', '/~x'],
    ['', 'v1', '/v1/', '//', '/a//b', '/a/../b', '/.', '/{x}', '/a?b', '/a#b', '/a%2fb', '/a b', '/v1\n'],
  ],
  [
    template,
    ['/', '/orders/{orderId}', '/a/{b}/c:run', '/files/{name}.{ext}'],
    ['', 'orders', '/a?b', '/{', '/}', '/{a/b}', '/a b', '/{}'],
  ],
  [jsonPointer, ['/a', '/a/0/b~1c', '/'], ['', 'a', '/a~', '/a~2']],
  [
    secretReference,
    ['env:TOKEN', 'file:/run/secrets/x', 'file:./x'],
    ['', 'hunter2', 'env:', 'env:1A', 'env:A B', 'file:', 'vault:x', 'env:A\n'],
  ],
])('form %#', (schema, good, bad) => {
  expect(good.filter((text) => !takes(schema, text))).toEqual([])
  expect(bad.filter((text) => takes(schema, text))).toEqual([])
})

test('field names are kept as upstreams may read them', () => {
  expect(fieldName.parse('X_Team.Name')).toBe('x-team-name')
  for (const text of ['', 'X Team', 'X-Team:', 'a'.repeat(129), 'ä']) {
    expect(fieldName.safeParse(text).success).toBe(false)
  }
})

test('hosts are kept in lower case, / is no base path', () => {
  expect(host.parse('API.Shop.Example')).toBe('api.shop.example')
  expect(basePath.parse('/')).toBe('')
})

test('only asymmetric algorithms exist', () => {
  for (const algorithm of ['HS256', 'none', 'rs256', 'RSA-OAEP']) {
    expect(issuerSettings.safeParse({ issuer: 'https://a.example', algorithms: [algorithm] }).success).toBe(
      false,
    )
  }
  expect(issuerSettings.parse({ issuer: 'https://a.example' }).algorithms).toEqual([
    'RS256',
    'PS256',
    'ES256',
    'EdDSA',
  ])
  expect(issuerSettings.safeParse({ issuer: 'https://a.example', skewSeconds: 61 }).success).toBe(false)
})

test('one audience is a list of one', () => {
  const settings = { upstream: 'http://127.0.0.1', identity: { accept: ['corp'], audience: 'shop' } }
  expect(apiSettings.parse(settings).identity?.audience).toEqual(['shop'])
})

test('forms take long hostile text in linear time', () => {
  const started = performance.now()
  for (const text of [
    `/${'{'.repeat(50_000)}`,
    '/{a'.repeat(20_000),
    `${'a-'.repeat(50_000)}!`,
    '/a'.repeat(50_000),
  ]) {
    for (const schema of [host, basePath, template, jsonPointer, upstreamUrl, name]) schema.safeParse(text)
  }
  expect(performance.now() - started).toBeLessThan(1000)
})
