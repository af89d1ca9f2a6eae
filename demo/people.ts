// Who the demo's provider knows, what each may ask for, and which APIs tokens are for.

export const SCOPES = [
  'orders:read',
  'orders:write',
  'customers:read',
  'customers:write',
  'payments:read',
  'payments:write',
  'admin',
] as const

/** Resource indicators (RFC 8707), and with them the tokens' `aud`. */
export const SHOP_RESOURCE = 'https://shop.example'
export const BILLING_RESOURCE = 'https://billing.example'
export const RESOURCES: readonly string[] = [SHOP_RESOURCE, BILLING_RESOURCE]

export type Person = 'ana' | 'ben' | 'olga'
export type Machine = 'reporter'

interface Rights {
  readonly scopes: readonly string[]
  readonly groups: readonly string[]
}

const PEOPLE: ReadonlyMap<string, Rights> = new Map<Person, Rights>([
  [
    'ana',
    {
      scopes: ['orders:read', 'orders:write', 'customers:read', 'payments:read', 'payments:write'],
      groups: ['customers'],
    },
  ],
  ['ben', { scopes: ['orders:read', 'customers:read'], groups: ['customers'] }],
  ['olga', { scopes: SCOPES, groups: ['staff'] }],
])

export const REPORTER_SCOPES: readonly string[] = ['orders:read', 'payments:read']

export function rightsOf(person: string | undefined): Rights | undefined {
  return PEOPLE.get(person ?? '')
}

export function isCaller(name: unknown): name is Person | Machine {
  return typeof name === 'string' && (name === 'reporter' || PEOPLE.has(name))
}
