import { describe, expect, test } from 'vitest'
import { isFault } from '../../model/errors.ts'
import type { OperationPlan } from '../../model/operation.ts'
import { compilePolicies } from './compile.ts'
import { readPlan } from './plan.ts'
import type { ApiOperations } from './schema.ts'

function operation(
  key: string,
  method: string,
  template: string,
  more: Partial<OperationPlan> = {},
): OperationPlan {
  return {
    key,
    api: key.slice(0, key.indexOf('.')),
    method,
    template,
    tags: ['orders'],
    kind: method === 'GET' ? 'read' : 'write',
    deprecated: false,
    security: { need: 'required', alternatives: [] },
    ...more,
  }
}

const ORDER = {
  object: {
    type: 'order',
    owner: ['customerId'],
    tenant: ['tenant'],
    hideAbsent: true,
    ownerKnownAt: 'response',
  },
} as const

const APIS: readonly ApiOperations[] = [
  {
    api: 'shop',
    operations: [
      operation('shop.getOrder', 'GET', '/orders/{orderId}', ORDER),
      operation('shop.listOrders', 'GET', '/orders'),
      operation('shop.health', 'GET', '/health', { security: { need: 'anonymous', alternatives: [] } }),
    ],
  },
  { api: 'billing', operations: [operation('billing.GET /invoices', 'GET', '/invoices')] },
]

function compile(...texts: string[]) {
  return compilePolicies({
    files: texts.map((text, index) => ({ file: `p${index + 1}.cedar`, text })),
    apis: APIS,
  })
}

function faultOf(...texts: string[]): { message: string; errors: readonly string[] } {
  try {
    compile(...texts)
  } catch (error) {
    if (!isFault(error, 'policy-invalid')) throw error
    return { message: error.message, errors: error.data['errors'] as readonly string[] }
  }
  throw new Error('nothing was found wrong')
}

const PERMIT = 'permit(principal, action, resource);'

test('ids are @id or file and number, and policies go to the APIs their action scope mentions', () => {
  const { plan } = compile(
    `@id("all") ${PERMIT}\npermit(principal, action == Action::"shop.getOrder", resource);`,
    'permit(principal, action in [Action::"billing/read", Action::"shop/tag/orders"], resource);',
  )
  expect(readPlan(plan).policies.map(({ id, apis }) => ({ id, apis }))).toEqual([
    { id: 'all', apis: ['shop', 'billing'] },
    { id: 'p1.cedar#2', apis: ['shop'] },
    { id: 'p2.cedar#1', apis: ['shop', 'billing'] },
  ])
})

test('the plan survives JSON, and its reads are the union of the policies’', () => {
  const { plan } = compile(
    'permit(principal is User in Group::"corp/staff", action in Action::"shop/all", resource);',
    `forbid(principal, action == Action::"shop.getOrder", resource)
     when { resource has tenant && resource.params has orderId && resource.params.orderId like "x*" }
     unless { context has acr && context.acr == "2" };`,
  )
  expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  expect(plan.reads).toEqual([
    'context.acr',
    'principal.groups',
    'resource.params.orderId',
    'resource.tenant',
  ])
})

test('no policies and no APIs compile: everything is denied then', () => {
  expect(compile().plan.reads).toEqual([])
  expect(compilePolicies({ files: [], apis: [] }).warnings).toEqual([])
})

test('a parse error has file, line and column, also behind wide characters', () => {
  expect(faultOf(PERMIT, '// éé 😀\npermit(principal, action, resorce);').message).toMatch(
    /^p2\.cedar:2:27: /,
  )
  expect(faultOf('permit(principal, action, resource').message).toMatch(
    /^p1\.cedar:1:35: unexpected end of input/,
  )
  expect(faultOf('/* é */ permit(principal, action, resource);').message).toMatch(
    /^p1\.cedar:1:4: invalid token/,
  )
})

test('a type error is reported once, at its place, whatever the number of actions', () => {
  const { errors } = faultOf(
    `// 😀 before\n${PERMIT}\npermit(principal, action in Action::"shop/read", resource)\n  when { context.nope == 1 };`,
  )
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatch(/^p1\.cedar:4:10: attribute `nope` in context .*not found/)
})

test('an optional attribute must be tested for', () => {
  expect(faultOf('permit(principal, action, resource) when { context.acr == "1" };').message).toContain(
    'context has acr',
  )
  expect(
    faultOf(
      'permit(principal, action == Action::"shop.getOrder", resource) when { resource.owner == principal };',
    ).message,
  ).toContain('has owner')
})

test('ownership type-checks without naming the principal’s type', () => {
  const own = 'when { resource has owner && resource.owner == principal };'
  const texts = [
    `permit(principal, action == Action::"shop.getOrder", resource) ${own}`,
    `permit(principal is User, action in Action::"shop/read", resource is Object) ${own}`,
    `permit(principal, action in Action::"shop/all", resource) ${own}`,
  ]
  for (const text of texts) expect(compile(text).warnings).toEqual([])
})

test('anonymous callers have no tenant: a policy that may meet one must say which callers it means', () => {
  const tenant = 'when { resource has tenant && principal.tenant == resource.tenant };'
  expect(
    compile(`permit(principal, action == Action::"shop.getOrder", resource) ${tenant}`).warnings,
  ).toEqual([])
  expect(faultOf('forbid(principal, action, resource) when { principal.tenant == "x" };').message).toContain(
    'Anonymous',
  )
})

test.each([
  ['permit(principal, action == Action::"shop.getOrdr", resource);', '1:29', 'Action::"shop.getOrder"'],
  ['forbid(principal, action in Action::"shop/tag/order", resource);', '1:29', 'Action::"shop/tag/orders"'],
  [
    'permit(principal, action, resource) when { action == Action::"biling.GET /invoices" };',
    '1:54',
    'Action::"billing.GET /invoices"',
  ],
  ['permit(principal, action, resource in Api::"shpo");', '1:39', 'Api::"shop"'],
  [
    'permit(principal, action, resource == Operation::"shop.listOrder");',
    '1:39',
    'Operation::"shop.listOrders"',
  ],
])('a misspelt name is an error with the nearest known one: %s', (text, place, close) => {
  expect(faultOf(text).message).toMatch(new RegExp(`^p1\\.cedar:${place}: there is no `))
  expect(faultOf(text).message).toContain(`the nearest is ${close}`)
})

test('policies of one API may name actions of another', () => {
  const text = 'forbid(principal, action, resource) unless { action in Action::"shop/all" };'
  expect(compile(text).warnings).toEqual([])
})

test('duplicate and unusable ids are errors', () => {
  expect(faultOf(`@id("a") ${PERMIT}`, `\n@id("a") ${PERMIT}`).message).toBe(
    'p2.cedar:2:1: the id a is taken by the policy at p1.cedar:1',
  )
  expect(faultOf(`@id("p1.cedar#2") ${PERMIT}${PERMIT}`).message).toContain('is taken')
  expect(faultOf(`@id("") ${PERMIT}`).message).toContain('@id holds')
  expect(faultOf(`@id("a\\u{1b}[2J") ${PERMIT}`).message).toContain('@id holds')
  expect(faultOf(`@id("${'x'.repeat(201)}") ${PERMIT}`).message).toContain('@id holds')
})

test('a parse error in a template has its place, and so has one beside it', () => {
  const broken = 'permit(principal == ?principal, action, resource) when { resource == ?resource };'
  expect(faultOf(`${PERMIT} // é\n${broken}`).message).toMatch(/^p1\.cedar:2:70: found template slot/)
  expect(faultOf(`permit(principal == ?who, action, resource);`).message).toMatch(/^p1\.cedar:1:21: /)
  const sound = 'permit(principal == ?principal, action, resource);'
  expect(faultOf(`${sound}\npermit(principal, action, resorce);`).message).toMatch(/^p1\.cedar:2:27: /)
})

test('what no checkpoint can answer is refused at load', () => {
  for (const condition of [
    'resource.owner in Group::"corp/staff"',
    'resource.owner.tenant == principal.tenant',
    'resource.owner is User in Group::"corp/staff"',
  ]) {
    const text = `permit(principal is User, action == Action::"shop.getOrder", resource) when { resource has owner && ${condition} };`
    expect(faultOf(text).message).toContain('only the id is known')
  }
})

test('all faults of a run are reported together', () => {
  const bad = 'permit(principal, action == Action::"nope", resource);'
  const { message, errors } = faultOf(`${bad}\n${bad}`, bad)
  expect(errors.map((line) => line.split(' ')[0])).toEqual([
    'p1.cedar:1:29:',
    'p1.cedar:2:29:',
    'p2.cedar:1:29:',
  ])
  expect(message).toContain('(and 2 more)')
})

test('a policy that can never apply is a warning with its place', () => {
  const { warnings } = compile(
    `${PERMIT}\npermit(principal is Anonymous, action == Action::"shop.getOrder", resource);`,
  )
  expect(warnings[0]).toMatchObject({ file: 'p1.cedar', line: 2, column: 1, policy: 'p1.cedar#2' })
})

test('an action scope that names nothing is a warning', () => {
  const { warnings } = compile('forbid(principal, action in [], resource);')
  expect(warnings.map(({ message }) => message)).toEqual([
    'the action scope names nothing: the policy never applies',
  ])
})

test.each([
  ['brackets', `${'('.repeat(100_000)}true${')'.repeat(100_000)}`],
  ['sets', `${'['.repeat(200)}1${']'.repeat(200)} == 1`],
  ['conjuncts', Array(5000).fill('context.scopesMet').join(' && ')],
  ['alternatives', `${'if context.scopesMet then true else '.repeat(1000)}true`],
  ['conditions', Array(2000).fill('true } when { true').join('')],
  ['negations', `${'!'.repeat(5000)}true`],
  ['attributes', `context${'.a'.repeat(3000)}`],
])('hostile depth is refused without harm: %s', (_, body) => {
  expect(faultOf(`permit(principal, action, resource) when { ${body} };`).message).toMatch(
    /^p1\.cedar:1:\d+: /,
  )
  // The evaluator’s stack is still sound.
  expect(readPlan(compile(PERMIT).plan).policies).toHaveLength(1)
})

test('a number that JSON would round is kept as written', () => {
  const age = (seconds: string): string =>
    `permit(principal, action, resource) when { context.tokenAgeSeconds < ${seconds} };`
  const literal = (seconds: string): string => JSON.stringify(compile(age(seconds)).plan.detail)
  expect(literal('9007199254740993')).toContain('{"__long":"9007199254740993"}')
  expect(literal('-9223372036854775808')).toContain('{"__long":"-9223372036854775808"}')
  expect(literal('9007199254740991')).toContain('{"__long":"9007199254740991"}')
  expect(faultOf(age('9223372036854775808')).message).toContain('9223372036854775808')
})

test('too much text is refused', () => {
  expect(faultOf(`${PERMIT}\n`, `// ${'x'.repeat(5_000_000)}`).message).toContain('altogether')
})

describe('zones, and what nothing states', () => {
  const compileIn = (text: string, unstated: ReadonlyMap<string, string> = new Map()) =>
    compilePolicies({
      files: [{ file: 'p.cedar', text }],
      apis: APIS.map((api) => ({ ...api, zone: 'payments' })),
      zones: ['payments', 'edge'],
      unstated,
    })

  test('a zone that is not declared is an error naming the nearest', () => {
    expect(
      compileIn('permit(principal in Zone::"edge", action, resource in Zone::"payments");').warnings,
    ).toEqual([])
    expect(() => compileIn('permit(principal, action, resource in Zone::"payment");')).toThrow(
      'p.cedar:1:39: there is no Zone::"payment"; the nearest is Zone::"payments"',
    )
    expect(() => compile('permit(principal in Zone::"edge", action, resource);')).toThrow(
      'there is no Zone::"edge"',
    )
  })

  test('the zone an API stands in is part of the plan', () => {
    const plan = readPlan(compileIn(PERMIT).plan)
    expect(plan.apis['shop']?.zone).toBe('payments')
    expect(readPlan(compile(PERMIT).plan).apis['shop']).not.toHaveProperty('zone')
  })

  test('a policy that reads what nothing states is warned of, by its place and the attribute', () => {
    const unstated = new Map([
      ['context.geo', 'no signal states it'],
      ['principal.roles', 'no rolesClaim'],
    ])
    const text = `@id("a") permit(principal in Role::"corp/x", action == Action::"shop.getOrder", resource);
@id("b") permit(principal, action == Action::"shop.getOrder", resource) when { context has geo && context.geo.country == "DE" };
@id("c") permit(principal, action == Action::"shop.getOrder", resource);`
    expect(compileIn(text, unstated).warnings).toMatchObject([
      { line: 1, policy: 'a', message: 'principal.roles is never known: no rolesClaim' },
      { line: 2, policy: 'b', message: 'context.geo is never known: no signal states it' },
    ])
  })

  test('plain Cedar is asked for by the plan, and any other word there is refused', () => {
    const input = { files: [{ file: 'p.cedar', text: PERMIT }], apis: APIS }
    const { plan } = compilePolicies({ ...input, failingForbid: 'ignore' })
    expect(readPlan(plan).failingForbid).toBe('ignore')
    expect(readPlan(compilePolicies(input).plan)).not.toHaveProperty('failingForbid')
    const detail = { ...(plan.detail as object), failingForbid: 'allow' }
    expect(() => readPlan({ ...plan, detail })).toThrow(expect.objectContaining({ code: 'bundle-corrupt' }))
  })

  test('a chain longer than Cedar’s JSON form takes is compiled all the same', () => {
    const body = Array(150).fill('context.scopesMet').join(' && ')
    expect(compileIn(`permit(principal, action, resource) when { ${body} };`).plan.reads).toEqual([
      'context.scopesMet',
    ])
  })
})
