import type { DecisionInput } from '../src/model/decision.ts'

/** One set of policies with calls it judges. */
export interface PolicyShape {
  readonly name: string
  readonly policies: readonly string[]
  /** Action keys with their groups. */
  readonly actions: Readonly<Record<string, readonly string[]>>
  readonly inputs: readonly DecisionInput[]
  /** Every policy's scope covers every call, so that all conditions are evaluated. */
  readonly allApply: boolean
}

const GROUPS = ['shop/all', 'shop/read']
const ONE_ACTION = { 'shop.getOrder': GROUPS }
const CALLS = 256

/** Conditions as people write them, of every kind; most do not hold, so that none cuts the others short. */
const CONDITIONS: readonly ((i: number) => string)[] = [
  (i) =>
    `permit(principal, action, resource) when { principal in Group::"corp/g${i}" && context.scopesMet };`,
  () =>
    'permit(principal, action in Action::"shop/read", resource) when { resource has owner && resource.owner == principal };',
  (i) => `forbid(principal, action, resource) when { context.ip.isInRange(ip("10.${i % 250}.0.0/16")) };`,
  (i) => `forbid(principal, action, resource) when { context.tokenAgeSeconds > ${3600 + i} };`,
  (i) => `permit(principal is User, action, resource) when { context.scopes.contains("orders:${i}") };`,
  (i) =>
    `permit(principal is User, action, resource) when { resource has tenant && resource.tenant == principal.tenant && context.path like "/v1/orders/*${i}" };`,
  (i) => `permit(principal, action, resource) when { context has acr && context.acr == "level-${i}" };`,
  () =>
    'forbid(principal, action in Action::"shop/all", resource) unless { context.audience.contains("shop") };',
  (i) => `permit(principal is User, action, resource) when { principal.client == "app-${i}" };`,
  (i) =>
    `permit(principal, action, resource in Api::"shop") when { resource.params has orderId && resource.params.orderId == "o-${i}" };`,
]

function call(i: number, groups: readonly string[], action = 'shop.getOrder'): DecisionInput {
  const user = `corp/u${i}`
  return {
    checkpoint: 'response',
    principal: { type: 'User', id: user, groups, client: `app-${i % 60}`, tenant: `t${i % 5}` },
    action,
    resource: {
      api: 'shop',
      objectType: 'order',
      params: { orderId: `o-${i}` },
      owner: i % 3 === 0 ? user : 'corp/other',
      tenant: `t${i % 7}`,
      unknown: [],
    },
    context: {
      scopes: ['orders:read', `orders:${i % 100}`],
      scopesMet: i % 11 !== 0,
      issuer: 'https://idp.example',
      audience: ['shop'],
      tokenAgeSeconds: (i * 37) % 3_700,
      method: 'GET',
      path: `/v1/orders/o-${i}`,
      ip: `10.${(i * 7) % 256}.3.${i % 256}`,
      acr: `level-${i % 3}`,
    },
  }
}

function calls(one: (i: number) => DecisionInput): readonly DecisionInput[] {
  // Spread over what the policies name.
  return Array.from({ length: CALLS }, (_, i) => one((i * 389) % 1_000))
}

const many = (one: (i: number) => string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => one(i))

const mixed = (count: number): readonly string[] =>
  many((i) => CONDITIONS[i % CONDITIONS.length]?.(Math.floor(i / CONDITIONS.length)) ?? '', count)

/** Ten of a thousand. */
const tenGroups = (i: number): string[] =>
  Array.from({ length: 10 }, (_, k) => `corp/g${(i + k * 97) % 1_000}`)

const operation = (i: number): string => `shop.operation${i}`

export const SHAPES: readonly PolicyShape[] = [
  {
    name: '50, all applicable',
    policies: mixed(50),
    actions: ONE_ACTION,
    inputs: calls((i) => call(i, tenGroups(i))),
    allApply: true,
  },
  {
    name: '1,000, an action each',
    policies: many(
      (i) =>
        `permit(principal, action == Action::"${operation(i)}", resource) when { principal in Group::"corp/g${i}" && context.scopesMet };`,
      1_000,
    ),
    actions: Object.fromEntries(many(operation, 1_000).map((key) => [key, GROUPS])),
    inputs: calls((i) => call(i, tenGroups(i), operation(i))),
    allApply: false,
  },
  {
    name: '1,000, a group each',
    policies: many(
      (i) =>
        `permit(principal in Group::"corp/g${i}", action in Action::"shop/read", resource) when { context.scopesMet };`,
      1_000,
    ),
    actions: ONE_ACTION,
    inputs: calls((i) => call(i, tenGroups(i))),
    allApply: false,
  },
  {
    name: '1,000, a principal each',
    policies: many(
      (i) =>
        `permit(principal == User::"corp/u${i}", action in Action::"shop/read", resource) when { context.scopesMet };`,
      1_000,
    ),
    actions: ONE_ACTION,
    inputs: calls((i) => call(i, tenGroups(i))),
    allApply: false,
  },
  {
    name: '1,000, a resource each',
    policies: many(
      (i) =>
        `permit(principal, action in Action::"shop/read", resource == Object::"shop/order/o-${i}") when { resource.owner == principal };`,
      1_000,
    ),
    actions: ONE_ACTION,
    inputs: calls((i) => call(i, tenGroups(i))),
    allApply: false,
  },
]
