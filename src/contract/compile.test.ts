import { describe, expect, it } from 'vitest'
import { compileText, contractText } from '../../test/contract-instance.ts'
import { isFault } from '../model/errors.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { CompiledContract } from './compile.ts'

const OK = { responses: { '200': { description: 'ok' } } }

function plans(compiled: CompiledContract): Record<string, OperationPlan> {
  return Object.fromEntries(compiled.operations.map(({ plan }) => [plan.key, plan]))
}

function faultOf(run: () => unknown): { code: string; message: string; data: Record<string, unknown> } {
  try {
    run()
  } catch (error) {
    if (isFault(error)) return { code: error.code, message: error.message, data: error.data }
    throw error
  }
  throw new Error('no fault was thrown')
}

const warningsOf = (text: string): string[] =>
  compileText(text).warnings.map(({ code, pointer }) => `${code} ${pointer}`)

describe('the document', () => {
  it('is JSON or YAML, of OpenAPI 3.0, 3.1 or 3.2', () => {
    for (const version of ['3.0.0', '3.0.3', '3.1.0', '3.1.1', '3.2.0']) {
      expect(compileText(contractText({ paths: { '/a': { get: OK } } }, version)).operations).toHaveLength(1)
    }
    const yaml =
      'openapi: 3.0.3\ninfo: { title: t, version: v }\npaths:\n  /a:\n    get: { responses: { 200: {} } }\n'
    expect(compileText(yaml)).toMatchObject({ title: 't', version: 'v' })
  })

  it.each([
    ['{"swagger":"1.2"}', /shop\.yaml:1:2: Swagger 1\.2 is not supported: use 2\.0, 3\.0, 3\.1 or 3\.2/],
    ['swagger: 2.0', /Swagger that is not text \(write "2\.0" in quotes\) is not supported/],
    ['swagger: "2.0"\nopenapi: 3.1.0', /states both swagger and openapi/],
    [
      'info: {}\nopenapi: 4.0.0',
      /shop\.yaml:2:1: OpenAPI 4\.0\.0 is not supported: use 2\.0, 3\.0, 3\.1 or 3\.2/,
    ],
    ['openapi: 3.3.0', /OpenAPI 3\.3\.0 is not supported/],
    ['openapi: 3.10.0', /OpenAPI 3\.10\.0 is not supported/],
    ['openapi: 3.1', /the version is not text: put it in quotes/],
    ['info: {}', /which OpenAPI version/],
    ['[]', /not an object/],
    ['', /not an object/],
    ['a: [', /shop\.yaml:1:\d+: is neither JSON nor YAML: (?!.* at line)/],
    ['{"openapi": "3.1.0", }}', /neither JSON nor YAML/],
    ['a: 1\na: 2', /neither JSON nor YAML/],
  ])('refuses %j', (text, why) => {
    const fault = faultOf(() => compileText(text))
    expect(fault.code).toBe('contract-invalid')
    expect(fault.message).toMatch(why)
  })

  it('is bounded in aliases and in depth', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'.split('').map((c, i) => {
        const before = 'abcdefgh'[i]
        return `${c}: &${c} [${Array(9).fill(`*${before}`).join()}]`
      }),
    ].join('\n')
    expect(faultOf(() => compileText(bomb)).message).toMatch(/alias/i)
    expect(faultOf(() => compileText('openapi: 3.1.0\nx: &x\n  y: *x\n')).code).toBe('contract-invalid')
    const deep = `{"openapi":"3.1.0","paths":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`
    expect(faultOf(() => compileText(deep)).message).toMatch(/deeper/)
  })
})

describe('references', () => {
  const refTo = (ref: string): string =>
    contractText({
      paths: {
        '/a': {
          get: {
            responses: {
              '200': { description: '', content: { 'application/json': { schema: { $ref: ref } } } },
            },
          },
        },
      },
      components: { schemas: { 'a/b~c %': { type: 'string' }, A: { $ref: '#/components/schemas/A' } } },
    })

  it.each([
    'file:///etc/passwd',
    '/etc/passwd',
    '../other.yaml#/A',
    'other.yaml',
    'https://evil.example/a.json',
    '//evil.example/a',
    'data:application/json,{}',
  ])('never leave the contract: %s', (ref) => {
    const fault = faultOf(() => compileText(refTo(ref)))
    expect(fault.code).toBe('contract-invalid')
    expect(fault.message).toMatch(/contract’s own folder|cannot be followed: other\.yaml was not read/)
    expect(fault.data).toMatchObject({
      pointer: '/paths/~1a/get/responses/200/content/application~1json/schema/$ref',
      line: 1,
    })
    expect(fault.data['column']).toBeGreaterThan(1)
  })

  it.each([
    '#/components/schemas/None',
    '#/constructor',
    '#nowhere',
    '#/paths/~2',
    '#/%zz',
    '#/components/schemas/A/0',
  ])('name something: %s does not', (ref) => {
    expect(faultOf(() => compileText(refTo(ref))).code).toBe('contract-invalid')
  })

  it('reach escaped names, and may go in circles', () => {
    expect(compileText(refTo('#/components/schemas/a~1b~0c%20%25')).operations).toHaveLength(1)
    expect(compileText(refTo('#/components/schemas/A')).operations).toHaveLength(1)
  })

  it('that are no strings, or lead parameters in a circle, are faults with line and column', () => {
    const text =
      'openapi: 3.1.0\npaths:\n  /a:\n    get:\n      parameters:\n        - $ref: "#/components/parameters/P"\ncomponents:\n  parameters:\n    P: { $ref: "#/components/parameters/P" }\n'
    const fault = faultOf(() => compileText(text))
    expect(fault.message).toMatch(/^shop\.yaml:6:11: \$ref leads to itself/)
    expect(
      faultOf(() => compileText(contractText({ paths: { '/a': { get: { parameters: [{ $ref: 7 }] } } } })))
        .code,
    ).toBe('contract-invalid')
  })
})

describe('operations', () => {
  it('have stable keys, kinds and tags', () => {
    const compiled = compileText(
      contractText({
        paths: {
          '/a/{id}': {
            get: { ...OK, operationId: 'readA', tags: ['x'], deprecated: true },
            delete: OK,
            head: OK,
          },
        },
      }),
    )
    expect(plans(compiled)).toMatchObject({
      'shop.readA': { method: 'GET', kind: 'read', tags: ['x'], deprecated: true, template: '/a/{id}' },
      'shop.DELETE /a/{id}': { method: 'DELETE', kind: 'write' },
      'shop.HEAD /a/{id}': { kind: 'read' },
    })
  })

  it('of one operationId are a fault that names both', () => {
    const text = contractText({
      paths: { '/a': { get: { ...OK, operationId: 'x' } }, '/b': { get: { ...OK, operationId: 'x' } } },
    })
    expect(faultOf(() => compileText(text)).message).toMatch(
      /operationId x is also that of \/paths\/~1a\/get/,
    )
  })

  it('whose path no request can have are named', () => {
    const warnings = warningsOf(
      contractText({
        paths: {
          '/a/{x}': { get: OK },
          '/a/{y}': { get: OK },
          '/b#frag': { get: OK },
          '/c?{d}': { get: OK },
          '/{a}{b}': { get: OK },
        },
      }),
    )
    expect(warnings.filter((line) => line.startsWith('path-unroutable'))).toHaveLength(4)
  })
})

describe('base path', () => {
  it.each([
    [[{ url: 'https://api.example/v1/' }], '/v1'],
    [[{ url: '/v2' }], '/v2'],
    [[{ url: 'https://api.example' }], ''],
    [[{ url: 'https://{host}.example/{base}', variables: { base: { default: 'v3' } } }], '/v3'],
    [[{ url: 'https://a/v1' }, { url: 'https://b/v2' }], '/v1'],
    [[], ''],
  ])('of %j is %j', (servers, expected) => {
    expect(compileText(contractText({ servers, paths: {} })).basePath).toBe(expected)
  })

  it('is the configured one where there is one', () => {
    const text = contractText({ servers: [{ url: 'https://a/v1' }], paths: {} })
    expect(compileText(text, { basePath: '/v9' })).toMatchObject({
      basePath: '/v9',
      servers: ['https://a/v1'],
    })
  })

  it('that no path can be, or that servers disagree on, is named', () => {
    expect(warningsOf(contractText({ servers: [{ url: 'https://a/../x' }], paths: {} }))).toEqual([
      'servers /servers/0/url',
    ])
    expect(warningsOf(contractText({ servers: [{ url: '/a' }, { url: '/b' }], paths: {} }))).toEqual([
      'servers /servers',
    ])
  })
})

describe('security (standards 7.7)', () => {
  const schemes = {
    oauth: { type: 'oauth2', flows: {} },
    oidc: { type: 'openIdConnect', openIdConnectUrl: 'https://i' },
    jwt: { type: 'http', scheme: 'Bearer' },
    basic: { type: 'http', scheme: 'basic' },
    key: { type: 'apiKey', in: 'query', name: 'api_key' },
  }
  const planOf = (security: unknown, root?: unknown): OperationPlan['security'] | undefined =>
    plans(
      compileText(
        contractText({
          ...(root === undefined ? {} : { security: root }),
          paths: {
            '/a': { get: { ...OK, operationId: 'a', ...(security === undefined ? {} : { security }) } },
          },
          components: { securitySchemes: schemes },
        }),
      ),
    )['shop.a']?.security

  it('absent in operation and root: a token is required, no scopes', () => {
    expect(planOf(undefined)).toEqual({
      need: 'required',
      alternatives: [{ schemes: [{ name: 'default', kind: 'bearer', scopes: [] }] }],
    })
  })

  it('list is OR, object is AND, the operation replaces the root', () => {
    expect(planOf([{ oauth: ['a', 'b'], key: [] }, { jwt: [] }], [{ oidc: [] }])).toEqual({
      need: 'required',
      alternatives: [
        {
          schemes: [
            { name: 'oauth', kind: 'bearer', scopes: ['a', 'b'] },
            { name: 'key', kind: 'unsupported', scopes: [] },
          ],
        },
        { schemes: [{ name: 'jwt', kind: 'bearer', scopes: [] }] },
      ],
    })
    expect(planOf(undefined, [{ oidc: ['s'] }])?.alternatives[0]?.schemes[0]).toMatchObject({ scopes: ['s'] })
  })

  it('[] removes, {} makes optional', () => {
    expect(planOf([], [{ oauth: [] }])).toEqual({ need: 'anonymous', alternatives: [] })
    expect(planOf([{}, { jwt: [] }])).toMatchObject({
      need: 'optional',
      alternatives: [{ schemes: [{ name: 'jwt' }] }],
    })
  })

  it('that is malformed or names no scheme never lets anyone in', () => {
    expect(planOf('none')).toMatchObject({ need: 'required' })
    expect(planOf(['x'])).toMatchObject({ need: 'required' })
    expect(planOf([{ ghost: [] }])).toMatchObject({ alternatives: [{ schemes: [{ kind: 'unsupported' }] }] })
  })

  it('schemes the gate cannot check are named, unless the API passes credentials on', () => {
    const text = contractText({ paths: {}, components: { securitySchemes: schemes } })
    expect(warningsOf(text)).toEqual([
      'security-unsupported /components/securitySchemes/basic',
      'security-unsupported /components/securitySchemes/key',
    ])
    expect(compileText(text, { credential: 'pass' }).warnings).toEqual([])
  })
})

describe('object rules', () => {
  const text = contractText({
    paths: {
      '/orders/{orderId}': {
        get: { ...OK, operationId: 'getOrder' },
        patch: { ...OK, operationId: 'updateOrder' },
        head: { ...OK, operationId: 'headOrder' },
      },
      '/orders': { post: { ...OK, operationId: 'createOrder' } },
    },
  })
  const rule = { path: '/orders/{id}', owner: '/customer~1Id/0', hideAbsent: true }

  it('give reads the owner at the answer, writes by look-up', () => {
    const found = plans(
      compileText(text, { objects: { order: { ...rule, lookup: 'getOrder', issuer: 'corp' } } }),
    )
    expect(found['shop.getOrder']?.object).toEqual({
      type: 'order',
      owner: ['customer/Id', '0'],
      issuer: 'corp',
      hideAbsent: true,
      lookup: 'shop.getOrder',
      ownerKnownAt: 'response',
    })
    expect(found['shop.updateOrder']?.object).toMatchObject({ lookup: 'shop.getOrder', ownerKnownAt: 'body' })
    expect(found['shop.headOrder']?.object).toMatchObject({ lookup: 'shop.getOrder', ownerKnownAt: 'body' })
    expect(found['shop.createOrder']?.object).toBeUndefined()
  })

  it('without a look-up leave the owner of writes unknown', () => {
    const found = plans(compileText(text, { objects: { order: rule } }))
    expect(found['shop.updateOrder']?.object).toMatchObject({ ownerKnownAt: 'never' })
    expect(found['shop.updateOrder']?.object).not.toHaveProperty('lookup')
  })

  it.each([
    [{ order: { ...rule, path: '/none/{id}' } }, /no operation/],
    [{ order: { ...rule, lookup: 'updateOrder' } }, /lookup updateOrder/],
    [{ order: { ...rule, lookup: 'nothing' } }, /lookup nothing/],
    [{ order: { ...rule, path: '/orders', lookup: 'getOrder' } }, /lookup getOrder/],
    [{ order: { ...rule, owner: 'customerId' } }, /JSON pointer/],
    [{ order: rule, other: rule }, /another rule/],
  ])('that fit nothing are config faults: %#', (objects, why) => {
    const fault = faultOf(() => compileText(text, { objects }))
    expect(fault.code).toBe('config-invalid')
    expect(fault.message).toMatch(why)
  })
})

describe('what is not honoured', () => {
  it('is named with its place', () => {
    const schema = {
      type: 'object',
      discriminator: { propertyName: 'kind' },
      properties: {
        a: { type: 'string', format: 'iban' },
        b: { type: 'string', pattern: '\\Ax' },
        c: { divisibleBy: 2 },
        d: { type: 'file' },
        e: { type: 'integer', maximum: '7' },
        f: { enum: 'a' },
        g: { type: 'string', readOnly: true },
        h: { type: 'string', writeOnly: true },
        i: { oneOf: [{ $ref: '#/components/schemas/A' }, { properties: { x: {} } }] },
      },
      patternProperties: { '\\Ax': {} },
    }
    const text = contractText({
      paths: {
        '/a/{id}': {
          parameters: [{ name: 'gone', in: 'path', required: true, schema: {} }],
          post: {
            parameters: [
              { name: 's', in: 'cookie', schema: {} },
              { name: 'p', in: 'query', style: 'pipeDelimited', schema: { type: 'array' } },
              { name: 'o', in: 'query', style: 'deepObject', schema: { type: 'object' } },
              { name: 'c', in: 'query', content: { 'application/json': {} } },
              { in: 'query' },
            ],
            requestBody: { content: { 'application/json': { schema }, 'text/xml': {}, nonsense: {} } },
            responses: { '200': { description: '' }, weird: { description: '' } },
            callbacks: {},
            servers: [],
          },
        },
      },
      webhooks: {},
      components: { schemas: { A: { type: 'object' } } },
    })
    const post = '/paths/~1a~1{id}/post'
    const body = `${post}/requestBody/content/application~1json/schema`
    expect(new Set(warningsOf(text))).toEqual(
      new Set([
        `path-parameter ${post}/parameters/id`,
        `path-parameter ${post}`,
        `parameter-invalid ${post}/parameters/4`,
        `media-type-unchecked ${post}/requestBody/content/nonsense`,
        `schema-keyword ${post}/responses/weird`,
        `webhooks-callbacks ${post}/callbacks`,
        'webhooks-callbacks /webhooks',
        `servers ${post}/servers`,
        `format-unknown ${body}/properties/a/format`,
        `pattern-unusable ${body}/properties/b/pattern`,
        `pattern-unusable ${body}/patternProperties/\\Ax`,
        `schema-keyword ${body}/properties/c/divisibleBy`,
        `schema-keyword ${body}/properties/d/type`,
        `schema-keyword ${body}/properties/e/maximum`,
        `schema-keyword ${body}/properties/f/enum`,
      ]),
    )
  })
})
