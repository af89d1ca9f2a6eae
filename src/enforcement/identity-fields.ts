import type { ApiPlan } from '../model/bundle.ts'

/**
 * Fields by which somebody in front of a service tells it who calls, from where, or what was asked for. Upstreams
 * believe them, so a caller's own end at the gate, in every mode (standards 1.11, 2.14, 6.4): only the gate stands in
 * front of the upstream. Names are compared with `_` and `.` read as `-`, as CGI and its heirs read them.
 */
type Row = readonly [whose: string, ...names: readonly [string, ...string[]]]

/** Whatever begins like this. */
const FAMILIES: readonly Row[] = [
  ['the gate itself', 'sallyport-', 'x-sallyport-', 'x-gateway-'],
  ['proxies: address, host, scheme, certificate and user of the caller', 'x-forwarded-', 'x-original-'],
  [
    'TLS ends: the client certificate',
    'client-cert',
    'x-client-cert',
    'x-ssl-',
    'ssl-',
    'x-arr-',
    'x-amzn-mtls-',
  ],
  ['CGI-style logins', 'remote-', 'x-remote-', 'x-webauth-'],
  [
    'oauth2-proxy, nginx auth_request, Authelia',
    'x-auth-request-',
    'x-auth-user',
    'x-auth-group',
    'x-auth-role',
  ],
  ['Kong', 'x-consumer-', 'x-credential-', 'x-authenticated-'],
  ['mod_auth_openidc, Shibboleth, WebSEAL, SiteMinder', 'oidc-', 'x-oidc-', 'shib-', 'iv-', 'sm-'],
  [
    'identity-aware proxies',
    'cf-access-',
    'x-pomerium-',
    'x-authentik-',
    'x-vouch-',
    'x-goog-authenticated-',
    'x-goog-iap-',
  ],
  ['clouds', 'x-amzn-oidc-', 'x-ms-client-principal', 'x-ms-token-', 'x-appengine-', 'x-azure-'],
  ['service meshes: identity and routing of Envoy', 'x-envoy-'],
  ['WebLogic behind its proxy', 'wl-proxy-'],
  ['a verified token’s content', 'x-jwt-assertion', 'x-jwt-claim', 'x-jwt-payload'],
  ['Kubernetes: act as somebody else', 'impersonate-'],
]

/** Exactly these: names that others share a beginning with, as X-User-Agent does with X-User. */
const NAMES: readonly Row[] = [
  ['RFC 7239, RFC 9110 §7.6.3', 'forwarded', 'via'],
  ['the caller’s address', 'x-forwarded', 'x-real-ip', 'x-client-ip', 'client-ip', 'x-cluster-client-ip'],
  [
    'the caller’s address, by vendors',
    'true-client-ip',
    'x-true-client-ip',
    'fastly-client-ip',
    'proxy-client-ip',
  ],
  ['the caller’s address, by vendors', 'cf-connecting-ip', 'cf-connecting-ipv6', 'x-originating-ip'],
  ['the scheme', 'front-end-https', 'x-url-scheme'],
  ['another target or method than was judged', 'x-rewrite-url', 'x-http-method', 'x-http-method-override'],
  ['another target or method than was judged', 'x-method-override', 'x-host', 'x-middleware-subrequest'],
  ['the user', 'x-user', 'x-userid', 'x-username', 'x-userinfo', 'x-user-id', 'x-user-name', 'x-user-email'],
  [
    'the user',
    'x-user-info',
    'x-user-claims',
    'x-user-sub',
    'x-login',
    'x-email',
    'proxy-user',
    'x-proxy-user',
  ],
  [
    'the user, by API gateways',
    'x-endpoint-api-userinfo',
    'x-apigateway-api-userinfo',
    'x-subject',
    'x-principal',
  ],
  ['rights', 'x-user-role', 'x-user-roles', 'x-user-groups', 'x-user-scopes', 'x-user-permissions'],
  ['rights', 'x-role', 'x-roles', 'x-groups', 'x-scopes', 'x-permissions', 'x-claims'],
  ['the client', 'x-client-id', 'x-client-dn', 'x-client-verify'],
  ['the tenant', 'x-tenant', 'x-tenant-id', 'x-scope-orgid'],
]

const words = (table: readonly Row[]): string[] => table.flatMap(([_, ...names]) => names)

const NAMED: ReadonlySet<string> = new Set(words(NAMES))
/** Literals only, anchored: one pass over a name's beginning. */
const FAMILY = new RegExp(`^(?:${words(FAMILIES).join('|')})`)
/** What the gate states itself: no contract makes a caller's word of it. */
const GATES_OWN = /^(?:x-forwarded|forwarded$|via$|(?:x-)?sallyport-)/

/** As upstreams may read a name: lower case, `_` and `.` as `-`. */
function foldedName(lower: string): string {
  return lower.includes('_') || lower.includes('.') ? lower.replaceAll(/[_.]/g, '-') : lower
}

/** Fields that the gate has read and states itself, under names that CGI and its heirs read as theirs. */
const READ = new Set(['content-length', 'transfer-encoding', 'content-type', 'content-encoding'])
/** A contract that declares `content_type` beside them does not make them its own. */
const STANDARD = /^(?:content-|accept|authorization$|cookie$|if-|user-agent$)/
const foldedBy = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>()

/** None of those declared, and one of them to who reads `_` and `.` as `-`: its value was never held against a schema. */
function isTwin(lower: string, name: string, declared: ReadonlySet<string>): boolean {
  if (declared.size === 0 || declared.has(lower)) return false
  let names = foldedBy.get(declared)
  if (names === undefined) {
    names = new Set(Array.from(declared, foldedName))
    foldedBy.set(declared, names)
  }
  return names.has(name) && (name !== lower || !STANDARD.test(lower))
}

/**
 * May a caller's field not go upstream? `declared`: lower-case names of the header parameters that the operation's
 * contract asks callers for, in exactly that spelling; they are held against their schema and go on.
 */
export function isStripped(
  lower: string,
  api: Pick<ApiPlan, 'stripHeaders'>,
  declared: ReadonlySet<string>,
): boolean {
  const name = foldedName(lower)
  if (api.stripHeaders.length > 0 && api.stripHeaders.includes(name)) return true
  if (isTwin(lower, name, declared) || (name !== lower && READ.has(name))) return true
  if (!NAMED.has(name) && !FAMILY.test(name)) return false
  return !declared.has(lower) || GATES_OWN.test(name)
}
