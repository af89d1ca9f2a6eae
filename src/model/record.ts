import type { Decision, DecisionInput, Effect, FieldObligation, ItemInput, Mode } from './decision.ts'
import type { EntranceName, ExchangeId, Instant } from './exchange.ts'
import type { Reason } from './reason.ts'
import type { Subject } from './subject.ts'

/**
 * One record per exchange: `intent`, written before anything goes upstream (or with the refusal), `outcome`,
 * written before the last byte goes to the caller, and `cut` where caller or upstream left before the end.
 * These are the entries as the pipeline states them; the audit room redacts, seals and chains them.
 *
 * Which parts are personal is said here once, because the audit room seals exactly `IntentEntry.personal`,
 * the subject, and `attributes`.
 */
export interface IntentEntry {
  readonly id: ExchangeId
  readonly at: Instant
  readonly entrance: EntranceName
  readonly tenant: string
  readonly environment: string
  /** Config name of the API; empty where no API was found. */
  readonly api: string
  /** `shop.getOrder`; empty where no operation was found. */
  readonly operation: string
  readonly governed: boolean
  readonly mode: Mode
  readonly method: string
  /** Template with its base path, or empty; concrete paths are personal. */
  readonly template: string
  /**
   * Who called; of a refused token whose signature verified, whom it names: why it was refused stands in the head's
   * decision, and `attributes.principal` is who was judged, nobody.
   */
  readonly subject: Subject
  readonly bundle: string
  /** Head and body decisions, in order. */
  readonly decisions: readonly Decision[]
  /** The shape of what came: never values. */
  readonly request: MessageShape
  readonly personal: PersonalPart
  /** The decision's input at its last checkpoint so far, cut down to the attributes the policies read. */
  readonly attributes: RecordedInput | null
}

export interface PersonalPart {
  readonly address: string
  readonly path: string
  readonly userAgent: string
  readonly host: string
}

/** `DecisionInput` where every attribute that no policy reads is left out. */
export type RecordedInput = Pick<DecisionInput, 'checkpoint' | 'action'> & {
  readonly principal: Pick<DecisionInput['principal'], 'type' | 'id'> & Partial<DecisionInput['principal']>
  readonly resource: Pick<DecisionInput['resource'], 'api' | 'objectType' | 'unknown'> &
    Partial<DecisionInput['resource']>
  readonly context: Partial<DecisionInput['context']>
  /** Paths the record keeps, whether or not the call had them: what is not among them is not known of it. */
  readonly kept?: readonly string[]
  /** Of a list judged item by item: what was read of each kind of item, in the order of the decision's rows. */
  readonly items?: readonly ItemInput[]
  /** The path parameter that an item's `id` stands for. */
  readonly itemParam?: string
  /** False: no policy of the operation asked for ids, so items were not told apart by them, whatever is `kept`. */
  readonly itemIds?: boolean
}

export interface MessageShape {
  readonly bytes: number
  readonly mediaType: string
  /** Keyed digest (base64url HMAC-SHA-256, truncated to 16 bytes) of the body; empty for none. */
  readonly digest: string
  /** Names of query parameters, sorted; of an ungoverned API's JSON body also the pointers with their types. */
  readonly query: readonly string[]
  readonly fields?: readonly string[]
}

export interface OutcomeEntry {
  readonly id: ExchangeId
  readonly at: Instant
  /**
   * What was decided to be sent: the upstream's answer, a refusal, or a refusal because the upstream failed
   * (unreachable, too slow, broken off), which says nothing against the caller.
   */
  readonly action: 'forwarded' | 'refused' | 'failed'
  /**
   * The last decision's effect as it was acted upon: `allow` exactly where the action is `forwarded`, also of a call
   * that observe mode let through although it was denied (`wouldDeny`).
   */
  readonly effect: Effect
  /** Something is only observed (API, operation, stage or policy): enforcing it would have refused. */
  readonly wouldDeny: boolean
  /** What a candidate bundle would have decided, where one was evaluated beside the one in force. */
  readonly candidate?: CandidateVerdict
  readonly status: number
  /** The answer's checkpoint and, where stages failed, what they said; refusals repeat nothing. */
  readonly decisions: readonly Decision[]
  readonly attributes: RecordedInput | null
  /** Status the upstream gave; 0 where it was not asked. */
  readonly upstreamStatus: number
  readonly lookups: readonly { readonly operation: string; readonly status: number }[]
  readonly released: MessageShape & {
    readonly dropped: readonly string[]
    /** The API is enforced and its answers are only observed: what is dropped or replaced went out as it came. */
    readonly kept?: true
    /** What stood at each of them (syntax/value-sight.ts), in the same order: where no reason of a decision tells it. */
    readonly droppedTypes?: readonly string[]
    /**
     * Fields that were dropped, redacted or masked for this caller: JSON pointers with `*` for indexes, or
     * `header X-Email`; at most 100.
     */
    readonly redacted?: readonly { readonly kind: FieldObligation['kind']; readonly pointer: string }[]
    /** Where the answer was sampled: classes that values of places told which the contract gives none. */
    readonly detected?: readonly { readonly class: string; readonly pointer: string }[]
  }
  /** Of an answer that is a sequence, held against the contract item by item. */
  readonly sequence?: SequenceShape
  /** The upstream's own words, where callers got others: bounded, and personal, so sealed like the attributes. */
  readonly original?: string
  /** Acts or stages this entrance or mode could not play, by name. */
  readonly notPlayed: readonly string[]
  /** Microseconds. `gate` is all but the upstream and the waiting for bytes of the caller. */
  readonly timings: { readonly total: number; readonly upstream: number; readonly gate: number }
}

/** Items of one streamed answer. */
export interface SequenceShape {
  readonly items: number
  readonly released: number
  /** Left out because they do not fit the contract; what policies leave out stands in the decision. */
  readonly unfit: number
}

export interface CandidateVerdict {
  readonly bundle: string
  readonly effect: Effect
  /** Whether it differs from what the bundle in force decided. */
  readonly changed: boolean
  /**
   * It would have let the call go on beyond where it ended, and what a later checkpoint would then say is not known:
   * `changed` says only that the call got further.
   */
  readonly undecided?: boolean
  readonly reasons: readonly Reason[]
  readonly policies: readonly string[]
}

export interface CutEntry {
  readonly id: ExchangeId
  readonly at: Instant
  /** Body bytes the caller took. */
  readonly bytes: number
  readonly why: string
}

/** A record as read back, its personal parts opened where the key still exists (null: erased). */
export interface ExchangeRecord {
  readonly v: 1
  readonly place: RecordPlace
  readonly intent: Omit<IntentEntry, 'subject' | 'personal' | 'attributes'> & {
    readonly subject: Subject | null
    readonly personal: PersonalPart | null
    readonly attributes: RecordedInput | null
    readonly sealed: 'open' | 'erased'
  }
  /** Null while open; `unknown` after recovery closed it. */
  readonly outcome: OutcomeEntry | 'unknown' | null
  readonly cut: CutEntry | null
}

/** Where a record stands: node, boot, thread and the intent's sequence in its chain. */
export interface RecordPlace {
  readonly node: string
  readonly boot: string
  readonly thread: number
  readonly sequence: number
}
