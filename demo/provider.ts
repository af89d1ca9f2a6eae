import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AccessToken, Client, Context } from 'oidc-provider'
import { errors, Provider } from 'oidc-provider'
import { listen, stop } from './listen.ts'
import type { Machine, Person } from './people.ts'
import { REPORTER_SCOPES, RESOURCES, rightsOf, SCOPES, SHOP_RESOURCE } from './people.ts'

// A real OpenID provider on loopback, with one thing no real one has: a grant that gives out a person's token
// without a browser or a password. Keys and client secrets are made at each start and never leave the process.

export interface TokenOptions {
  /** Scopes separated by spaces; left out: all the caller may have. More than that is refused. */
  readonly scope?: string
  /** `SHOP_RESOURCE` (the default) or `BILLING_RESOURCE`; becomes `aud`. */
  readonly resource?: string
  /** Left out: 900. For a person 0 or less gives a token that ended that long ago. */
  readonly ttlSeconds?: number
}

export interface DemoProvider {
  readonly issuer: string
  /** Asks the token endpoint over HTTP for an RFC 9068 access token. Rejects with the provider's reason. */
  token(caller: Person | Machine, options?: TokenOptions): Promise<string>
  /** Signs with a new key from now on; the keys before it stay published. Returns the new key's id. */
  rotateKeys(): string
  close(): Promise<void>
}

export const PERSON_GRANT = 'urn:sallyport:demo:person'
const TTL_SECONDS = 900

/** Rejects with node's own error (`EADDRINUSE`, `EACCES`, …) where the port cannot be had. */
export async function startProvider(at: { host: string; port: number }): Promise<DemoProvider> {
  const secrets = { 'demo-cli': newSecret(), reporter: newSecret() }
  const server = createServer()
  const issuer = await listen(server, at)

  // oidc-provider reads its keys once, so new keys mean a new Provider behind the same socket. Nothing is lost
  // by that: access tokens are JWTs, and it keeps no sessions here.
  let keys = [newKey()]
  let handle = issue(issuer, keys, secrets)
  server.on('request', (request, response) => handle(request, response))

  return {
    issuer,
    async token(caller, options = {}) {
      const form = new URLSearchParams({
        ...(caller === 'reporter'
          ? { grant_type: 'client_credentials', scope: options.scope ?? REPORTER_SCOPES.join(' ') }
          : { grant_type: PERSON_GRANT, person: caller, scope: options.scope ?? '' }),
        resource: options.resource ?? SHOP_RESOURCE,
        ttl_seconds: String(options.ttlSeconds ?? TTL_SECONDS),
      })
      const client = caller === 'reporter' ? 'reporter' : 'demo-cli'
      const basic = Buffer.from(`${client}:${secrets[client]}`).toString('base64')
      const headers = { authorization: `Basic ${basic}`, accept: 'application/json' }
      const response = await fetch(`${issuer}/token`, { method: 'POST', headers, body: form })
      const answer = (await response.json()) as Record<string, unknown>
      if (typeof answer['access_token'] === 'string') return answer['access_token']
      throw new Error(`no token for ${caller}: ${answer['error']} (${answer['error_description']})`)
    },
    rotateKeys() {
      const key = newKey()
      keys = [key, ...keys]
      handle = issue(issuer, keys, secrets)
      return key.kid
    },
    close: () => stop(server),
  }
}

type Secrets = Readonly<Record<'demo-cli' | 'reporter', string>>
type Keys = readonly ReturnType<typeof newKey>[]

function issue(issuer: string, keys: Keys, secrets: Secrets): ReturnType<Provider['callback']> {
  const client = (id: keyof Secrets, grant: string) => ({
    client_id: id,
    client_secret: secrets[id],
    grant_types: [grant],
    response_types: [],
    redirect_uris: [],
  })
  const provider = new Provider(issuer, {
    // Every default that oidc-provider announces on the console is replaced here; the console is the caller's.
    adapter: NothingStored,
    jwks: { keys },
    ttl: {
      AccessToken: TTL_SECONDS,
      ClientCredentials: requestedTtl,
      ...Object.fromEntries(UNUSED_TTLS.map((name) => [name, TTL_SECONDS])),
    },
    findAccount: () => undefined,
    clientBasedCORS: () => false,
    renderError: (context: Context, out: object) => {
      context.type = 'application/json'
      context.body = JSON.stringify(out)
    },
    clients: [client('demo-cli', PERSON_GRANT), client('reporter', 'client_credentials')],
    clientDefaults: {
      id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'client_secret_basic',
    },
    clientAuthMethods: ['client_secret_basic'],
    responseTypes: [],
    scopes: ['openid'],
    extraTokenClaims: (_: Context, token: AccessToken) => {
      const groups = rightsOf(token.accountId)?.groups
      return groups && { groups: [...groups] }
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_: Context, resource: string, { clientId }: Client) =>
          resourceServer(resource, clientId === 'reporter' ? REPORTER_SCOPES : SCOPES),
      },
    },
  })
  provider.registerGrantType(PERSON_GRANT, personGrant, ['person', 'scope', 'resource', 'ttl_seconds'])
  return provider.callback()

  async function personGrant(context: Context): Promise<void> {
    const { client, params } = context.oidc
    const rights = rightsOf(params['person'])
    if (!rights || params['person'] === undefined) throw new errors.InvalidRequest('person is not known')
    const scopes = params['scope']?.split(' ') ?? rights.scopes
    const lacking = scopes.filter((scope) => !rights.scopes.includes(scope))
    if (lacking.length > 0)
      throw new errors.InvalidScope(`${params['person']} may not have ${lacking.join(' ')}`)

    const ttl = Number(params['ttl_seconds'] ?? TTL_SECONDS)
    if (!Number.isSafeInteger(ttl)) throw new errors.InvalidRequest('ttl_seconds must be a whole number')
    const now = Math.floor(Date.now() / 1000)
    const exp = now + ttl
    const token = new provider.AccessToken({
      accountId: params['person'],
      client,
      gty: PERSON_GRANT,
      iat: ttl > 0 ? now : exp - TTL_SECONDS, // never issued after it ended
      exp,
    })
    const resource = params['resource'] ?? SHOP_RESOURCE
    token.resourceServer = new provider.ResourceServer(resource, resourceServer(resource, SCOPES))
    token.scope = scopes.join(' ')
    context.body = {
      access_token: await token.save(),
      token_type: 'Bearer',
      expires_in: Math.max(0, ttl),
      scope: token.scope,
    }
  }
}

function resourceServer(resource: string, scopes: readonly string[]): object {
  if (!RESOURCES.includes(resource))
    throw new errors.InvalidTarget(`tokens are given for ${RESOURCES.join(', ')}`)
  const jwt = { sign: { alg: 'ES256' } }
  return { scope: scopes.join(' '), audience: resource, accessTokenFormat: 'jwt', jwt }
}

function requestedTtl(context: Context): number {
  const seconds = Number(context.oidc.body?.['ttl_seconds'])
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : TTL_SECONDS
}

/** Artifacts that are never issued here, named because an unset ttl is announced on stdout. */
const UNUSED_TTLS = [
  'AuthorizationCode',
  'BackchannelAuthenticationRequest',
  'DeviceCode',
  'Grant',
  'IdToken',
  'Interaction',
  'PreAuthorizedCode',
  'RefreshToken',
  'Session',
]

/** JWT access tokens are not stored, and nothing else is issued; clients are configured, not looked up. */
class NothingStored {
  async find(): Promise<undefined> {}
  async findByUid(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}
  async upsert(): Promise<void> {}
  async consume(): Promise<void> {}
  async destroy(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
}

function newKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'ES256', use: 'sig' }
}

function newSecret(): string {
  return randomBytes(32).toString('base64url')
}
