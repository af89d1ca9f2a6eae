import { describe, expect, it } from 'vitest'
import { isStripped } from './identity-fields.ts'

const NONE: ReadonlySet<string> = new Set()
const stripped = (name: string, declared = NONE, stripHeaders: readonly string[] = []): boolean =>
  isStripped(name.toLowerCase(), { stripHeaders }, declared)

/** By what login proxies, gateways, meshes and clouds write into requests for those behind them. */
const FORGEABLE = `
Forwarded Via X-Forwarded X-Forwarded-For X-Forwarded-Host X-Forwarded-Port X-Forwarded-Proto X-Forwarded-Prefix
X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups X-Forwarded-Preferred-Username X-Forwarded-Access-Token
X-Forwarded-Client-Cert X-Forwarded-Ssl X-Forwarded-Scheme X-Forwarded-Server X-Forwarded-Tls-Client-Cert
X-Amzn-Oidc-Data X-Amzn-Oidc-Identity X-Amzn-Oidc-Accesstoken X-Amzn-Mtls-Clientcert-Subject
X-Goog-Authenticated-User-Email X-Goog-Authenticated-User-Id X-Goog-Iap-Jwt-Assertion
Cf-Access-Jwt-Assertion Cf-Access-Authenticated-User-Email CF-Connecting-IP CF-Connecting-IPv6
X-Ms-Client-Principal X-Ms-Client-Principal-Name X-Ms-Client-Principal-Id X-MS-TOKEN-AAD-ID-TOKEN
X-Webauth-User X-WEBAUTH-NAME X-Auth-User X-Auth-Username X-Auth-Groups X-Auth-Roles X-Auth-Request-User
X-Username X-Roles X-Role X-Groups X-Userinfo X-Jwt-Assertion X-JWT-Claims Impersonate-User Impersonate-Group
Impersonate-Extra-Scopes X-Remote-User X-Remote-Group X-Remote-Extra-Scopes Remote-User Remote-Groups
X-Consumer-Id X-Consumer-Username X-Consumer-Custom-Id X-Credential-Identifier X-Authenticated-Userid
X-SSL-Client-Cert X-SSL-Client-Verify Ssl-Client-Cert Ssl-Client-S-Dn Client-Cert Client-Cert-Chain X-ARR-ClientCert
X-Pomerium-Jwt-Assertion X-Pomerium-Claim-Email X-Authentik-Username X-Scope-OrgId X-Tenant-Id X-Client-Id
X-Real-IP X-Client-IP True-Client-IP X-Cluster-Client-Ip Fastly-Client-Ip WL-Proxy-Client-IP
X-Gateway-Identity X-Gateway-User X-Envoy-External-Address X-Envoy-Internal OIDC_CLAIM_sub SM_USER iv-user Shib-User
X-Original-URL X-Original-Host X-Rewrite-URL X-HTTP-Method-Override X-User X-User-Id X-User-Roles X-Apigateway-Api-Userinfo
Sallyport-Exchange Sallyport-Subject X-Sallyport-Anything
`
  .trim()
  .split(/\s+/)

/** What callers send for themselves, some of it close to the above. */
const CALLERS_OWN = `
Accept Accept-Language Content-Type Cookie Origin Referer User-Agent Priority Date Prefer Idempotency-Key If-Match
X-User-Agent X-Grpc-Web X-Requested-With X-Request-Id X-Correlation-Id X-Csrf-Token X-Xsrf-Token X-Api-Key X-Api-Version
X-Auth-Token X-Authorization Authorization Traceparent Tracestate Baggage X-Amzn-Trace-Id X-Cloud-Trace-Context X-B3-Traceid
X-Goog-Api-Client X-Goog-User-Project X-Ms-Version X-Ms-Client-Request-Id X-Client-Version X-Client-Data X-Device-Id
X-Group-By X-Username-Hint X-Email-Format X-Rolesets X-Forward-To-Printer Sec-Fetch-Site Sec-Ch-Ua DNT Save-Data
Signature Signature-Input DPoP Last-Event-Id Remotely Viable Sslmode
`
  .trim()
  .split(/\s+/)

describe('fields that tell who calls', () => {
  it.each(FORGEABLE)('%s is stripped, however it is spelt', (name) => {
    for (const spelt of [name, name.replaceAll('-', '_'), name.replaceAll('-', '.'), name.replace('-', '_')])
      expect(stripped(spelt), spelt).toBe(true)
  })

  it.each(CALLERS_OWN)('%s goes on', (name) => {
    expect(stripped(name)).toBe(false)
  })
})

describe('a header parameter of the contract', () => {
  const declared = new Set(['x-tenant-id', 'x-roles', 'x-gateway-mode'])

  it('goes on, in the spelling that was held against its schema and no other', () => {
    expect(stripped('X-Tenant-Id', declared)).toBe(false)
    expect(stripped('X-Gateway-Mode', declared)).toBe(false)
    expect(stripped('X_Tenant_Id', declared)).toBe(true)
    expect(stripped('X.Roles', declared)).toBe(true)
    expect(stripped('X-Groups', declared)).toBe(true)
  })

  it.each(['x-forwarded-for', 'x-forwarded-user', 'forwarded', 'via', 'sallyport-subject', 'x-sallyport-a'])(
    'never makes %s the caller’s to say',
    (name) => {
      expect(stripped(name, new Set([name]))).toBe(true)
    },
  )
})

it('configuration strips more, whatever the contract declares', () => {
  const more = ['x-team', 'x-tenant-id']
  expect(stripped('X-Team', NONE, more)).toBe(true)
  expect(stripped('X_Team', NONE, more)).toBe(true)
  expect(stripped('X-Tenant-Id', new Set(['x-tenant-id']), more)).toBe(true)
  expect(stripped('X-Teams', NONE, more)).toBe(false)
})
