import type { Operation } from '../contract/instantiate.ts'
import type { DecisionInput } from '../model/decision.ts'
import type { Exchange } from '../model/exchange.ts'
import type { Subject } from '../model/subject.ts'
import type { CleanHead } from './hygiene.ts'
import type { Verdict } from './judge.ts'
import type { RequestStated } from './object-facts.ts'
import type { ApiSnapshot, Snapshot } from './snapshot.ts'

/** A call that may go upstream, with what it has shown. */
export interface AdmittedCall {
  readonly exchange: Exchange
  readonly snapshot: Snapshot
  readonly api: ApiSnapshot
  readonly head: CleanHead
  /** Null where the API has no contract, or, in observe mode, its contract has no such operation. */
  readonly operation: Operation | null
  readonly subject: Subject
  /** What path, query and body said of whose object it is. */
  readonly stated: RequestStated
  /** The policies' input at the last checkpoint played; null without an operation. */
  readonly input: DecisionInput | null
  /** The bytes that were judged are the bytes that go on. */
  readonly body: Uint8Array | null
  /** They are not the bytes as they came: decoded, or without what was taken out. */
  readonly bodyChanged: boolean
  readonly verdict: Verdict
}
