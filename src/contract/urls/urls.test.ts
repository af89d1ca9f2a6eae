import { describe, expect, it } from 'vitest'
import { API, compileText, contractText, said, sent } from '../../../test/contract-instance.ts'
import type { ApiPlan, UrlPlan } from '../../model/bundle.ts'
import type { UrlNameState } from '../../model/channel.ts'
import { ContractBuilder, type Operation } from '../instantiate.ts'

function operationWith(
  schema: unknown,
  urls?: UrlPlan,
  state: (name: string) => UrlNameState = () => 'public',
  parameters: readonly unknown[] = [],
): Operation {
  const content = { 'application/json': { schema }, 'application/x-www-form-urlencoded': { schema } }
  const text = contractText({
    paths: {
      '/a': {
        post: {
          operationId: 'op',
          parameters,
          requestBody: { content },
          responses: { '200': { description: '', content } },
        },
      },
    },
  })
  const api: ApiPlan = urls === undefined ? API : { ...API, urls }
  const { modules, operations } = JSON.parse(JSON.stringify(compileText(text))) as ReturnType<
    typeof compileText
  >
  const builder = new ContractBuilder(api, state)
  for (const { name, source } of modules) builder.addModule(name, source)
  for (const operation of operations) builder.addOperation(operation)
  const operation = builder.finish().operations.get('shop.op')
  if (operation === undefined) throw new Error('the operation is missing')
  return operation
}

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const judged = (operation: Operation, value: unknown): string[] =>
  said(operation.checkBody('application/json', bytes(value)).findings)

const uri = { type: 'string', format: 'uri' }
const hook = {
  type: 'object',
  properties: {
    hook: uri,
    list: { type: 'array', items: uri },
    host: { type: 'string', format: 'hostname' },
  },
}

describe('URLs in requests, without any setting', () => {
  const operation = operationWith(hook)

  it.each([
    'https://partner.example/hook',
    'http://partner.example:8080/hook?x=127.0.0.1',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'urn:isbn:0451450523',
    'mailto:someone@partner.example',
    'https://localhost.partner.example/',
    'https://internal-tools.partner.example/',
    'com.partner.app:/callback',
    'data:image/png;base64,AA',
  ])('pass: %s', (url) => {
    expect(judged(operation, { hook: url })).toEqual([])
  })

  it.each([
    ['http://169.254.169.254/latest/meta-data', 'private-address'],
    ['http://127.0.0.1:22/', 'private-address'],
    ['http://10.0.0.1/', 'private-address'],
    ['http://[::1]/', 'private-address'],
    ['http://[::ffff:169.254.169.254]/', 'private-address'],
    ['http://[::ffff:a9fe:a9fe]/', 'private-address'],
    ['http://[64:ff9b::a9fe:a9fe]/', 'private-address'],
    ['http://[2002:a9fe:a9fe::]/', 'private-address'],
    ['http://[fd00:ec2::254]/', 'private-address'],
    ['ftp://10.0.0.1/', 'private-address'],
    ['foo://10.0.0.1/', 'private-address'],
    ['http://2852039166/', 'address-form'],
    ['http://0251.0376.0251.0376/', 'address-form'],
    ['http://0xa9fea9fe/', 'address-form'],
    ['http://127.1/', 'address-form'],
    ['http://localhost/', 'private-name'],
    ['http://LOCALHOST:80/', 'private-name'],
    ['http://foo.localhost/', 'private-name'],
    ['http://metadata.google.internal/computeMetadata/v1/', 'private-name'],
    ['http://metadata/', 'private-name'],
    ['http://redis:6379/', 'private-name'],
    ['http://printer.local/', 'private-name'],
    ['http://169.254.169.254.nip.io/', 'private-name'],
    ['http://good.example@169.254.169.254/', 'userinfo'],
    ['http://localhost./', 'trailing-dot'],
    ['file:///etc/passwd', 'authority-form'],
    ['gopher://partner.example:70/_x', 'scheme'],
    ['dict://partner.example:11211/', 'scheme'],
    ['jar:http://partner.example!/', 'scheme'],
    ['ldap://partner.example/', 'scheme'],
  ])('are refused: %s', (url, rule) => {
    const found = judged(operation, { hook: url })
    // What the format itself refuses needs no more reasons.
    expect([[`url-forbidden /hook: ${rule}`], ['body-invalid /hook: format']]).toContainEqual(found)
    expect(found[0]?.startsWith('url-forbidden') || !URL.canParse(url) || rule !== 'private-address').toBe(
      true,
    )
  })

  it('are looked at in lists, parameters and forms', () => {
    expect(judged(operation, { list: ['https://a.example', 'http://127.0.0.1'] })).toEqual([
      'url-forbidden /list/1: private-address',
    ])
    const form = new TextEncoder().encode('hook=http%3A%2F%2F127.0.0.1%2F')
    expect(said(operation.checkBody('application/x-www-form-urlencoded', form).findings)).toEqual([
      'url-forbidden /hook: private-address',
    ])
    const query = operationWith({}, undefined, undefined, [
      { name: 'to', in: 'query', schema: uri },
      { name: 'X-To', in: 'header', schema: uri },
      { name: 'f', in: 'query', content: { 'application/json': { schema: hook } } },
    ])
    const of = (text: string, fields: string[] = []): string[] =>
      said(query.checkParameters(sent(text, {}, fields)))
    expect(of('to=https://a.example/')).toEqual([])
    expect(of('to=http://127.0.0.1/', ['X-To', 'http://[::1]/'])).toEqual([
      'url-forbidden query to: private-address',
      'url-forbidden header x-to: private-address',
    ])
    expect(of(`f=${encodeURIComponent('{"hook":"http://10.0.0.1"}')}`)).toEqual([
      'url-forbidden query f/hook: private-address',
    ])
  })

  it('are found in every branch of a combinator', () => {
    const any = operationWith({ properties: { u: { anyOf: [uri, { type: 'string', maxLength: 100 }] } } })
    expect(judged(any, { u: 'http://127.0.0.1/' })).toEqual(['url-forbidden /u: private-address'])
    const one = operationWith({ properties: { u: { oneOf: [uri, { type: 'string', pattern: '^x' }] } } })
    expect(judged(one, { u: 'http://127.0.0.1/' })).toEqual(['url-forbidden /u: private-address'])
    const other = operationWith({ properties: { u: { anyOf: [{ type: 'string', maxLength: 100 }, uri] } } })
    for (const each of [any, other]) {
      expect(judged(each, { u: 'http://127.0.0.1/' })).toEqual(['url-forbidden /u: private-address'])
      expect(judged(each, { u: 'http:\\\\127.0.0.1/' })).toEqual(['url-forbidden /u: backslash'])
      expect(judged(each, { u: ' http://127.0.0.1/' })).toEqual(['url-forbidden /u: character'])
      expect(judged(each, { u: 'any text: really' })).toEqual([])
      expect(judged(each, { u: 'https://a.example/' })).toEqual([])
    }
  })

  it('of references are looked at where they name a host', () => {
    const reference = operationWith({ properties: { u: { type: 'string', format: 'uri-reference' } } })
    expect(judged(reference, { u: '/a/b' })).toEqual([])
    expect(judged(reference, { u: '//169.254.169.254/' })).toEqual(['url-forbidden /u: private-address'])
  })

  it('of the format url may lack a scheme, but not name a host inside', () => {
    const loose = operationWith({ properties: { u: { type: 'string', format: 'url' } } })
    expect(judged(loose, { u: 'www.partner.example/x?y=1' })).toEqual([])
    expect(judged(loose, { u: '169.254.169.254/latest' })).toEqual(['url-forbidden /u: private-address'])
    expect(judged(loose, { u: 'localhost:8080/x' })).not.toEqual([])
    expect(judged(loose, { u: 'http://[::]/' })).toEqual(['url-forbidden /u: private-address'])
  })

  it('host names alone are not', () => {
    expect(judged(operation, { host: 'localhost' })).toEqual([])
  })

  it('answers are not looked at', () => {
    const answer = operation.checkAnswer(200, 'application/json', bytes({ hook: 'http://127.0.0.1/' }))
    expect(answer.findings).toEqual([])
  })

  it('findings tell no value', () => {
    const found = operation.checkBody('application/json', bytes({ hook: 'http://10.9.8.7/S3CRET' })).findings
    expect(JSON.stringify(found)).not.toMatch(/S3CRET|10\.9\.8\.7/)
  })
})

describe('URLs held to a list', () => {
  const states: Record<string, UrlNameState> = {
    'api.partner.example': 'public',
    'turned.example': 'private',
    'lost.example': 'unresolved',
  }
  const urls: UrlPlan = {
    hosts: ['api.partner.example', '*.hooks.example', 'turned.example', 'lost.example', '8.8.8.8'],
    schemes: ['https'],
    ports: [443],
    private: 'deny',
  }
  const operation = operationWith(hook, urls, (name) => states[name] ?? 'unresolved')

  it.each([
    ['https://api.partner.example/x', null],
    ['https://API.partner.example:443/x', null],
    ['https://a.hooks.example/', null],
    ['https://8.8.8.8/', null],
    ['https://hooks.example/', 'host-unlisted'],
    ['https://xhooks.example/', 'host-unlisted'],
    ['https://api.partner.example.evil.example/', 'host-unlisted'],
    ['https://evil.example/', 'host-unlisted'],
    ['https://9.9.9.9/', 'host-unlisted'],
    ['http://api.partner.example/', 'scheme'],
    ['https://api.partner.example:8443/', 'port-forbidden'],
    ['https://turned.example/', 'resolves-private'],
    ['https://lost.example/', 'unresolved'],
    ['urn:isbn:1', 'scheme'],
  ])('%s: %s', (url, rule) => {
    expect(judged(operation, { hook: url })).toEqual(rule === null ? [] : [`url-forbidden /hook: ${rule}`])
  })

  it('host names are held to it too', () => {
    expect(judged(operation, { host: 'evil.example' })).toEqual(['url-forbidden /host: host-unlisted'])
  })

  it('an annotation says it for one field, and over the format', () => {
    const own = operationWith({
      properties: {
        a: { type: 'string', 'x-sallyport': { url: { hosts: ['a.example'] } } },
        b: { ...uri, 'x-sallyport': { url: { private: 'allow' } } },
      },
    })
    expect(judged(own, { a: 'https://a.example/', b: 'http://127.0.0.1:7777/callback' })).toEqual([])
    expect(judged(own, { a: 'https://b.example/' })).toEqual(['url-forbidden /a: host-unlisted'])
    expect(judged(own, { a: 'b.example' })).toEqual(['url-forbidden /a: scheme-missing'])
  })

  it('an annotation that says nothing usable is a fault with its place', () => {
    expect(() => operationWith({ properties: { a: { 'x-sallyport': { url: { host: 'a' } } } } })).toThrow(
      /x-sallyport\.url has no host/,
    )
  })

  it('private: allow alone looks at nothing', () => {
    const off = operationWith(hook, { private: 'allow' })
    expect(judged(off, { hook: 'http://127.0.0.1/' })).toEqual([])
  })

  it('names that annotations list are handed to control', () => {
    const content = {
      'application/json': {
        schema: { 'x-sallyport': { url: { hosts: ['a.example', '*.b.example', '10.0.0.1'] } } },
      },
    }
    const text = contractText({ paths: { '/a': { post: { requestBody: { content }, responses: {} } } } })
    expect(compileText(text).urlNames).toEqual(['a.example'])
  })
})
