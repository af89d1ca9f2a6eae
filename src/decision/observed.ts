import type { ObservableStage } from '../model/bundle.ts'
import type { Reason, ReasonCode } from '../model/reason.ts'

/**
 * Which stage answers for a reason, where stages are observed one by one (`apis.*.observe`). Null: it has its effect
 * whatever is observed, as framing, routes, caps, audit and the gate's own failures have. A path that is no operation is
 * among them: nothing would be left to judge the call by.
 */
export function stageOf({ code, source, evidence }: Reason): ObservableStage | null {
  const own = OWN_STAGE[code]
  if (own !== undefined) return own
  switch (source) {
    case 'identity':
      return 'identity'
    case 'contract':
      return code.startsWith('response-') ? 'response' : 'contract'
    case 'policy':
    case 'object':
      return 'policy'
    case 'zone':
      return 'zone'
    case 'stage':
      return FAILED_STAGE.get(evidence['stage']) ?? null
    default:
      return null
  }
}

/** Reasons whose source does not tell: what the floor asks of tokens, and an upstream that does not state an owner. */
const OWN_STAGE: Partial<Record<ReasonCode, ObservableStage>> = {
  'insufficient-scope': 'identity',
  'upstream-failed': 'policy',
}

const FAILED_STAGE: ReadonlyMap<unknown, ObservableStage> = new Map([
  ['identity', 'identity'],
  ['contract', 'contract'],
  ['policy', 'policy'],
  ['zone', 'zone'],
  ['response', 'response'],
])
