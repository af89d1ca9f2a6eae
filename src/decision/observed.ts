import type { ApiPlan, ObservableStage } from '../model/bundle.ts'
import type { OperationPlan } from '../model/operation.ts'
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

/** The stages that are only observed for calls of an operation: `answers: observe` is the answers' own stage. */
export function observedStages(
  { observeStages, answers }: Pick<ApiPlan, 'observeStages' | 'answers'>,
  operation: Pick<OperationPlan, 'answers'> | null,
): readonly ObservableStage[] | undefined {
  if ((operation?.answers ?? answers) !== 'observe' || observeStages?.includes('response') === true)
    return observeStages
  return [...(observeStages ?? []), 'response']
}

/** Undeclared fields and parameters of an operation with `unknownFields: observe`: the reason itself says so. */
export function isObservedByRule({ code, evidence }: Reason): boolean {
  return UNKNOWN_FIELDS.has(code) && evidence['mode'] === 'observe'
}

const UNKNOWN_FIELDS: ReadonlySet<ReasonCode> = new Set([
  'field-undeclared',
  'field-read-only',
  'parameter-undeclared',
])
