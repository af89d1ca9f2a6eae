import type { DecisionPointSettings } from '../model/channel.ts'
import type { DecisionPoints } from './decision-points-schema.ts'

/** Those that are configured, as gate threads take them. `digest` reads a secret and gives its SHA-256 in hex. */
export function decisionPointSettings(
  config: DecisionPoints,
  digest: (reference: string) => string,
): readonly DecisionPointSettings[] {
  const { extAuthz, extAuthzHttp, forwardAuth, authzen } = config
  const points: DecisionPointSettings[] = []
  if (extAuthz !== undefined) points.push({ ...extAuthz, kind: 'ext-authz', key: 'decisionPoints.extAuthz' })
  if (extAuthzHttp !== undefined)
    points.push({ ...extAuthzHttp, kind: 'ext-authz-http', key: 'decisionPoints.extAuthzHttp' })
  if (forwardAuth !== undefined)
    points.push({ ...forwardAuth, kind: 'forward-auth', key: 'decisionPoints.forwardAuth' })
  if (authzen !== undefined) {
    const { host, port, peers, origin, credentials } = authzen
    const shown = host.includes(':') ? `[${host}]` : host
    points.push({
      kind: 'authzen',
      key: 'decisionPoints.authzen',
      host,
      port,
      peers,
      bodies: 'deny',
      origin: origin ?? `http://${shown}:${port}`,
      credentials: credentials.map(digest),
      defaultDomain: authzen.default,
    })
  }
  return points
}

/** What of them only a start can change: domains are in the bundle. */
export function startOnlyPoints({ authzen, ...others }: DecisionPoints): unknown {
  if (authzen === undefined) return others
  const { domains: _, ...rest } = authzen
  return { ...others, authzen: rest }
}
