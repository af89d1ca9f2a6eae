import type { DecisionPointSettings } from '../model/channel.ts'
import type { DecisionPoints } from './decision-points-schema.ts'

/** Those that are configured, as gate threads take them. */
export function decisionPointSettings(config: DecisionPoints): readonly DecisionPointSettings[] {
  const { extAuthz, extAuthzHttp, forwardAuth } = config
  const points: DecisionPointSettings[] = []
  if (extAuthz !== undefined) points.push({ ...extAuthz, kind: 'ext-authz', key: 'decisionPoints.extAuthz' })
  if (extAuthzHttp !== undefined)
    points.push({ ...extAuthzHttp, kind: 'ext-authz-http', key: 'decisionPoints.extAuthzHttp' })
  if (forwardAuth !== undefined)
    points.push({ ...forwardAuth, kind: 'forward-auth', key: 'decisionPoints.forwardAuth' })
  return points
}
