import { z } from 'zod'
import { parseCidr } from '../syntax/cidr.ts'
import { authzenPoint } from './authzen-schema.ts'
import { basePath, bindAddress, refuse } from './forms.ts'

/** Where proxies ask for decisions about calls that do not come through the gate. Each is off unless it is written. */

const MAX_PEERS = 100

const peer = z.string().superRefine((text, context) => {
  if (parseCidr(text) !== null) return
  refuse(
    context,
    'must be an address block without bits beyond its prefix, or one address',
    'For example 127.0.0.1/32 or 10.1.0.0/16.',
  )
})

const place = {
  host: bindAddress.default('127.0.0.1').describe('Address askings come in on; `0.0.0.0` or `::` for all.'),
  peers: z
    .array(peer)
    .min(1)
    .max(MAX_PEERS)
    .default(['127.0.0.0/8', '::1/128'])
    .describe(
      'Address blocks of the proxies that may ask; connections from elsewhere are ended. Peers are believed what they state of a call: method, target, host, scheme and the caller’s address.',
    ),
  bodies: z
    .enum(['deny', 'unchecked'])
    .default('deny')
    .describe(
      'What becomes of operations that take a body where the proxy does not show it. `deny`: they are denied. `unchecked`: they are decided by their head, and their records say that the body’s contract was not played. A body that is shown in part is denied either way.',
    ),
}

const port = z.int().min(1).max(65_535)

const showsBodies = z.int().min(16_384).max(67_108_864).default(4_194_304)

const maxRequestBytes = z
  .int()
  .min(1)
  .max(67_108_864)
  .optional()
  .describe(
    'Exactly as `max_request_bytes` of Envoy’s `with_request_body`. Envoy marks a body that fills this buffer as whole although more may follow, so only shorter ones count as whole. Left out: only bodies of their announced length do, which over HTTP none has.',
  )

export const decisionPoints = z
  .strictObject({
    extAuthz: z
      .strictObject({
        ...place,
        port: port.default(9191).describe('TCP port of the gRPC service.'),
        maxRequestBytes,
        maxMessageBytes: showsBodies.describe(
          'Largest CheckRequest in bytes, the body in it included: more than `max_request_bytes` of `with_request_body`.',
        ),
      })
      .optional()
      .describe('Envoy’s external authorization over gRPC (`grpc_service`).'),
    extAuthzHttp: z
      .strictObject({
        ...place,
        port: port.default(9192).describe('TCP port of the HTTP service.'),
        pathPrefix: basePath
          .default('')
          .describe('As `path_prefix` of `http_service`: taken off the target again.'),
        maxRequestBytes,
        maxBodyBytes: showsBodies.describe('Largest body of an asking in bytes.'),
      })
      .optional()
      .describe('Envoy’s external authorization over HTTP (`http_service`).'),
    forwardAuth: z
      .strictObject({
        ...place,
        port: port.default(9193).describe('TCP port.'),
        dialect: z
          .enum(['nginx', 'traefik'])
          .describe(
            'How the proxy states a call. `nginx`: in X-Original-Method, X-Original-URI, X-Original-Host, X-Original-Proto and X-Real-IP. `traefik` (also Caddy): in X-Forwarded-Method, -Uri, -Host, -Proto, and the last address of X-Forwarded-For.',
          ),
        identityFields: z
          .enum(['refuse', 'proxy'])
          .default('refuse')
          .describe(
            'What becomes of calls with a field by which a caller would pass for a proxy (X-User, Client-Cert …), because it cannot be taken out from here. `refuse`: they are refused. `proxy`: the proxy is trusted to take such fields out.',
          ),
      })
      .optional()
      .describe('nginx’s auth_request, Traefik’s forwardAuth and Caddy’s forward_auth.'),
    authzen: authzenPoint(place.peers)
      .optional()
      .describe('The AuthZEN Authorization API 1.0, for applications that ask before they act.'),
  })
  .describe(
    'Where proxies ask for decisions about calls that go past the gate. Read at start: changes take effect at the next one.',
  )

export type DecisionPoints = z.infer<typeof decisionPoints>
