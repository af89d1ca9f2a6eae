import type { ApiPlan } from '../../model/bundle.ts'
import type { Decision, PolicyEngine } from '../../model/decision.ts'
import type { Finding } from '../../model/fact.ts'
import type { OperationPlan } from '../../model/operation.ts'
import type { Reason } from '../../model/reason.ts'
import type { ExchangeRecord, OutcomeEntry } from '../../model/record.ts'
import type { Subject } from '../../model/subject.ts'
import type { ScopeCheck } from '../floor.ts'
import type { ApiOutline, BundleOutline, OperationOutline } from './outline.ts'

/** The bundle that recorded calls are held against. */
export interface ReplayBundle {
  readonly outline: BundleOutline
  readonly engine: PolicyEngine
  /** Attribute paths of the policies that can decide this operation. */
  reads(api: string, operation: string): ReadonlySet<string>
  /**
   * Where it routes a call; asked only where its routes differ from those the record was made with. Null where the query
   * or a field would tell.
   */
  route(
    method: string,
    host: string,
    path: string,
  ): { readonly api: string; readonly operation: string } | null
  /** Where the caller stands among its trust zones, and what they say against the call; null where it has none. */
  readonly zone:
    | ((subject: Subject, address: string, api: ApiPlan, operation: OperationPlan) => Standing)
    | null
}

export interface Standing {
  /** Empty: in none. */
  readonly zone: string
  readonly against: Finding | null
}

/** What may come of a call: what is acted upon, so that a call only observed is allowed. */
export type Acted = 'allow' | 'deny'

export type Replayed =
  | { readonly kind: 'same'; readonly effect: Acted }
  | {
      readonly kind: 'changed'
      readonly from: Acted
      readonly to: Acted
      /** Of the new decision. */
      readonly reasons: readonly Reason[]
      readonly policies: readonly string[]
      /** What the recorded call did not get to, and may still refuse an allowed one: `contract`, `response`. */
      readonly unplayed: readonly string[]
      /** Of a list whose items would be others. */
      readonly items?: ItemsReleased
      /** Of a call that is allowed either way: what was hidden of its answer and no longer is, and the other way round. */
      readonly fields?: FieldsHidden
    }
  | { readonly kind: 'undecidable'; readonly missing: readonly string[] }

/** Each as `mask class:pci`. */
export interface FieldsHidden {
  readonly narrowed: readonly string[]
  readonly widened: readonly string[]
}

export interface ItemsReleased {
  readonly lost: number
  readonly gained: number
}

/** A recorded call that came to an end. */
export interface RecordedCall {
  readonly record: ExchangeRecord
  readonly outcome: OutcomeEntry
  readonly decisions: readonly Decision[]
  readonly before: Acted
}

/** The bundle a record was made with beside the one it is held against, and what of the two was compared once. */
export interface Comparison {
  readonly made: BundleOutline
  readonly by: ReplayBundle
  readonly sameRoutes: boolean
  /** The other bundle takes fewer or shorter fields, or shorter tokens. */
  readonly tighter: boolean
  reads(operation: OperationPlan): OperationReads
}

/** What a call is held against. */
export interface Against {
  readonly api: ApiOutline
  readonly operation: OperationOutline
  /** The operation the record was made of, and how its API identified; undefined where it had none. */
  readonly own: OperationOutline | undefined
  readonly from: ApiOutline | undefined
  readonly identity: string | undefined
}

/** What the policies read that can decide an operation. */
export interface OperationReads {
  /** Attributes that come from the record. */
  readonly recorded: ReadonlySet<string>
  /** Attributes that the two bundles would state differently of one and the same call. */
  readonly elsewhere: readonly string[]
  readonly object: boolean
  readonly params: boolean
  readonly checkpoint: boolean
}

/** Who is judged, from where, and with which scopes. */
export interface Caller {
  readonly subject: Subject
  readonly scopes: ScopeCheck
  readonly zone: string
}
