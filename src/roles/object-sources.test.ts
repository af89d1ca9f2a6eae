import { afterEach, describe, expect, it } from 'vitest'
import { type ConfigFolder, configFolder } from '../../test/config-folder.ts'
import { SHOP } from '../../test/object-gate.ts'
import { isFault } from '../model/errors.ts'
import type { ObjectPlan } from '../model/operation.ts'
import { compileBundle } from './compile-bundle.ts'

let folder: ConfigFolder
afterEach(() => folder.remove())

const RULE =
  'order: { path: "/orders/{orderId}", owner: /customerId, equals: { claim: customer_id }, lookup: getOrder, hideAbsent: true, list: { operation: listOrders, items: /data/items, id: /id, counts: [/total] } }'

const EXTENDED = SHOP.replace(
  '  /orders/{orderId}:\n',
  `  /orders/{orderId}:
    x-sallyport:
      object: { type: order, owner: /customerId, equals: { claim: customer_id }, lookup: getOrder, hideAbsent: true }
`,
).replace(
  '    get: { operationId: listOrders,',
  '    get: { operationId: listOrders, x-sallyport: { list: { of: order, items: /data/items, id: /id, counts: [/total] } },',
)

function compile(files: Readonly<Record<string, string>>, api = ''): ReturnType<typeof compileBundle> {
  folder = configFolder()
  return compileBundle(
    folder.write({
      'sallyport.yaml': `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  shop:
    contract: ./shop.yaml
    upstream: http://127.0.0.1:3000
    identity: { accept: [corp], audience: shop }
${api}
policies: ./policies
`,
      'shop.yaml': SHOP,
      'policies/shop.cedar': 'permit (principal, action, resource);',
      ...files,
    }),
  )
}

function ruled({ apis, head }: ReturnType<typeof compileBundle>): unknown {
  const plans: Record<string, ObjectPlan> = {}
  for (const { plan } of apis[0]?.contract?.operations ?? []) if (plan.object) plans[plan.key] = plan.object
  return { plans, claims: head.issuers.map(({ claims }) => claims) }
}

function problems(files: Readonly<Record<string, string>>, api = ''): string {
  try {
    compile(files, api)
  } catch (error) {
    if (isFault(error, 'config-invalid')) return error.message.replaceAll(`${folder.path}/`, '')
    throw error
  }
  throw new Error('nothing was wrong')
}

describe('object rules', () => {
  it('are the same from configuration, from the file beside the contract, and from the contract', () => {
    const configured = ruled(compile({}, `    objects: { ${RULE} }`))
    expect(configured).toMatchObject({
      claims: [['customer_id']],
      plans: {
        'shop.getOrder': { type: 'order', ownerKnownAt: 'response' },
        'shop.changeOrder': { lookup: 'shop.getOrder', ownerKnownAt: 'body' },
        'shop.listOrders': {
          type: 'order',
          hideAbsent: false,
          items: { at: ['data', 'items'], param: 'orderId' },
        },
      },
    })
    folder.remove()
    expect(ruled(compile({ 'shop.sallyport.yaml': `objects: { ${RULE} }` }))).toEqual(configured)
    folder.remove()
    const named = compile({ 'rules/orders.yaml': `objects: { ${RULE} }` }, '    overlay: ./rules/orders.yaml')
    expect(ruled(named)).toEqual(configured)
    expect(named.read.files).toContain(folder.at('rules/orders.yaml'))
    folder.remove()
    expect(ruled(compile({ 'shop.yaml': EXTENDED }))).toEqual(configured)
  })

  it('of a contract’s operations may state their mode, once', () => {
    const observed = SHOP.replace(
      'operationId: search,',
      'operationId: search, x-sallyport: { mode: observe },',
    )
    const { apis } = compile({ 'shop.yaml': observed })
    const modes = apis[0]?.contract?.operations.flatMap(({ plan }) =>
      plan.mode ? [[plan.key, plan.mode]] : [],
    )
    expect(modes).toEqual([['shop.search', 'observe']])
    folder.remove()
    expect(problems({ 'shop.yaml': observed }, '    operations: { search: { mode: enforce } }')).toMatch(
      /shop\.yaml:\d+.*the mode of search is stated in sallyport\.yaml \(apis\.shop\.operations\.search\) already/,
    )
  })

  it('beside a contract are watched, there or not', () => {
    expect(compile({}).read.files).toContain(folder.at('shop.sallyport.yaml'))
  })

  it.each([
    [
      'one type in two files',
      { 'shop.sallyport.yaml': `objects: { ${RULE} }` },
      `    objects: { ${RULE} }`,
      /shop\.sallyport\.yaml:1.*"order" is ruled in sallyport\.yaml \(apis\.shop\.objects\.order\) already/,
    ],
    [
      'one path in two files',
      { 'shop.sallyport.yaml': `objects: { ${RULE.replace('order:', 'other:')} }` },
      `    objects: { ${RULE} }`,
      /path is ruled by "order" in sallyport\.yaml/,
    ],
    [
      'one type in file and contract',
      { 'shop.yaml': EXTENDED, 'shop.sallyport.yaml': `objects: { ${RULE} }` },
      '',
      /shop\.yaml:\d+.*"order" is ruled in shop\.sallyport\.yaml/,
    ],
    [
      'an unknown key in the file',
      { 'shop.sallyport.yaml': 'objects: { order: { path: /orders, owners: /a } }' },
      '',
      /shop\.sallyport\.yaml:1.*unknown key "owners".*Did you mean "owner"/s,
    ],
    [
      'an unknown key in the contract',
      { 'shop.yaml': EXTENDED.replace('hideAbsent: true', 'hideAbsnt: true') },
      '',
      /shop\.yaml:\d+.*unknown key "hideAbsnt"/,
    ],
    [
      'a list of nothing known',
      { 'shop.yaml': EXTENDED.replace('of: order', 'of: odrer') },
      '',
      /shop\.yaml:\d+.*no object rule for "odrer"/,
    ],
    ['an overlay that is not there', {}, '    overlay: ./none.yaml', /none\.yaml does not exist/],
    [
      'two places of the request',
      {},
      '    objects: { order: { path: "/orders/{orderId}", owner: [{ path: orderId }, { query: x }] } }',
      /at most one field/,
    ],
    [
      'a place that names two',
      {},
      '    objects: { order: { path: "/orders/{orderId}", owner: { path: orderId, query: x } } }',
      /one place/,
    ],
    [
      'no such path parameter',
      {},
      '    objects: { order: { path: "/orders/{orderId}", owner: { path: customerId } } }',
      /sallyport\.yaml:\d+.*no parameter customerId/,
    ],
    [
      'no such query parameter',
      {},
      '    objects: { order: { path: "/orders/{orderId}", owner: { query: customerId } } }',
      /query parameter customerId/,
    ],
    [
      'no body',
      {},
      '    objects: { order: { path: /search, owner: { body: /customerId } } }',
      /takes a body/,
    ],
    [
      'a list without a field',
      {},
      '    objects: { order: { path: "/accounts/{account}", owner: { path: account }, list: { operation: listOrders } } }',
      /owner or tenant has to name a field/,
    ],
    [
      'a list that is none',
      {},
      '    objects: { order: { path: "/orders/{orderId}", owner: /a, list: { operation: nothing } } }',
      /no operation nothing/,
    ],
  ])('are refused with their place: %s', (_what, files, api, message) => {
    expect(problems(files, api)).toMatch(message)
  })

  it('warn where an item declares no such field', () => {
    const { warnings } = compile(
      {},
      '    objects: { order: { path: "/orders/{orderId}", owner: /customer, list: { operation: listOrders, items: /data/items } } }',
    )
    expect(warnings.map(({ message }) => message).join()).toMatch(/data\/items\/0\/customer.*did you mean/)
  })
})
