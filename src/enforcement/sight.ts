import type { Operation } from '../contract/instantiate.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { ObjectPlan } from '../model/operation.ts'
import { reason } from '../model/reason.ts'

/** What of a call an entrance lets the gate see, and what the gate can have changed on its way upstream. */
export interface Sight {
  /**
   * `whole`: all of it, null where there is none. `partial`: its beginning. `unseen`: the entrance cannot say whether
   * there is one.
   */
  readonly body: 'whole' | 'partial' | 'unseen'
  /** What becomes of an operation that takes a body which is `unseen`; a `partial` one never counts as validated. */
  readonly bodies: 'deny' | 'unchecked'
  /** The answer comes back through the gate: its contract is held and its object judged. */
  readonly answer: boolean
  /**
   * Fields by which a caller would pass for a proxy: taken out as the gate says; or calls that have them are refused;
   * or the proxy is trusted to take them out.
   */
  readonly strips: 'gate' | 'refuse' | 'proxy'
  /** The target can be written anew, as the gate judged it. */
  readonly retargets: boolean
  /** The body can be written anew, as the gate judged it. */
  readonly rewrites: boolean
}

/** Of an entrance through which the whole exchange goes. */
export const FULL_SIGHT: Sight = Object.freeze({
  body: 'whole',
  bodies: 'deny',
  answer: true,
  strips: 'gate',
  retargets: true,
  rewrites: true,
})

/** The contract's view of a body that was not seen whole: what cannot be validated is denied. */
export function unseenBody(
  operation: Operation,
  sight: Sight,
  contentType: string | undefined,
  body: Uint8Array | null,
): readonly Finding[] {
  if (operation.body === 'none') return operation.checkBody(contentType, body).findings
  if (sight.body === 'partial')
    return [finding(reason('body-partial', 'contract', { bytes: body?.byteLength ?? 0 }))]
  return sight.bodies === 'deny' ? [finding(reason('body-unseen', 'contract', { body: operation.body }))] : []
}

/** The call waits for what its answer would state, and no answer will come this way. */
export function waitsForAnswer(object: ObjectPlan | undefined, pending: boolean, sight: Sight): boolean {
  return pending && !sight.answer && object?.ownerKnownAt === 'response'
}

export function unseenAnswer(): Finding {
  return finding(reason('answer-unseen', 'stage'))
}

/** Acts and stages that could not be played, as the record names them. */
export function notPlayed(sight: Sight): readonly string[] {
  const names: string[] = []
  if (sight.body !== 'whole') names.push('body-contract')
  if (sight.strips === 'proxy') names.push('field-stripping')
  if (!sight.answer) names.push('upstream', 'response-contract', 'response-decision')
  return names
}
