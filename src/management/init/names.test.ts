import { expect, test } from 'vitest'
import { NAME_PATTERN } from '../../config/forms.ts'
import { apiName, issuerName, unused } from './names.ts'

test.each([
  ['shop', './x.yaml', 'shop'],
  ['The Jira Cloud platform REST API', 'x.json', 'the-jira-cloud-platform-rest-api'],
  ['Account and Transaction API Specification', 'x.json', 'account-and-transaction-api'],
  ['Netlify’s API', 'x.json', 'netlifys-api'],
  ['Café – Menü', 'x.json', 'cafe-menu'],
  ['3D printing', 'x.json', 'api-3d-printing'],
  ['宠物店', '/a/pets.openapi.yaml', 'pets'],
  ['', '/a/宠物.yaml', 'api'],
  ['../../etc/passwd\n', 'x.json', 'etc-passwd'],
])('an API titled %j in %s is %s', (title, file, name) => {
  expect(apiName(title, file)).toBe(name)
  expect(apiName(title, file)).toMatch(NAME_PATTERN)
})

test('a very long title is cut', () => {
  expect(apiName('x'.repeat(100_000), 'y')).toBe('x'.repeat(40))
})

test.each([
  ['https://idp.example/realms/corp', 'idp-example'],
  ['https://ACCOUNTS.example.com:8443', 'accounts-example-com'],
  ['http://localhost:4000', 'idp'],
  ['http://127.0.0.1:4000', 'idp'],
  ['http://[::1]:4000', 'idp'],
  ['https://192.0.2.7', 'idp'],
  ['https://4all.example', 'idp-4all-example'],
  ['urn:issuer', 'urn-issuer'],
])('the issuer %s is named %s', (issuer, name) => {
  expect(issuerName(issuer)).toBe(name)
  expect(issuerName(issuer)).toMatch(NAME_PATTERN)
})

test('a taken name gets a number', () => {
  const taken = new Set<string>()
  expect([unused('a', taken), unused('a', taken), unused('a', taken)]).toEqual(['a', 'a-2', 'a-3'])
})
