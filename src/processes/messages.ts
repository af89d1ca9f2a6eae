import type { AddressTable, GateSettings, KeyNotice, SigningKeys, UrlNameTable } from '../model/channel.ts'
import type { Revocation } from '../model/directive.ts'

/**
 * Everything that crosses between control, the gate process and its threads. The gate process relays between the
 * two and keeps the last of each state, so that a replaced thread begins where the others are.
 */

/** State that control broadcasts; each thread holds the latest. */
export type State =
  | { readonly type: 'keys'; readonly notice: KeyNotice }
  | { readonly type: 'signing-keys'; readonly keys: SigningKeys }
  | { readonly type: 'addresses'; readonly table: AddressTable }
  | { readonly type: 'url-names'; readonly table: UrlNameTable }
  /** Secrets that gate threads send themselves, by their reference. */
  | { readonly type: 'credentials'; readonly table: Readonly<Record<string, string>> }

export type BundleRef = { readonly hash: string; readonly file: string }

/** What a bundle is prepared for: to be in force, or to be judged by beside the one that is. */
export type BundleUse = 'live' | 'candidate'

/** From control to every thread, passed on by the gate process as it is. */
type Relayed =
  | { readonly type: 'state'; readonly state: State }
  | { readonly type: 'revoke'; readonly sequence: number; readonly revocations: readonly Revocation[] }
  | { readonly type: 'rotate'; readonly sequence: number }
  | {
      readonly type: 'prepare'
      readonly epoch: number
      readonly bundle: BundleRef
      readonly use: BundleUse
    }
  | { readonly type: 'commit'; readonly epoch: number }
  | { readonly type: 'abandon'; readonly epoch: number }
  /** The candidate's share of callers in percent; null drops it. */
  | { readonly type: 'canary'; readonly sequence: number; readonly share: number | null }
  | { readonly type: 'drain'; readonly withinMs: number }

/** Control → gate process. */
export type ControlMessage = { readonly type: 'configure'; readonly settings: GateSettings } | Relayed

/** Gate process → control. */
export type GateMessage =
  | { readonly type: 'listening'; readonly port: number; readonly threads: number }
  | {
      readonly type: 'prepared'
      readonly epoch: number
      readonly longestStepMs: number
      readonly totalMs: number
    }
  | {
      readonly type: 'prepare-failed'
      readonly epoch: number
      readonly message: string
      readonly code?: string
    }
  | { readonly type: 'committed'; readonly epoch: number }
  | { readonly type: 'applied'; readonly sequence: number }
  | { readonly type: 'key-wanted'; readonly issuer: string; readonly kid: string }
  | { readonly type: 'counters'; readonly thread: number; readonly counters: CounterDeltas }
  | { readonly type: 'thread-died'; readonly thread: number; readonly why: string }
  | { readonly type: 'drained' }
  /** `at`: the decision point that cannot listen; left out: the gate's own address. */
  | {
      readonly type: 'failed'
      readonly code: string
      readonly message: string
      readonly at?: { readonly key: string; readonly host: string; readonly port: number }
    }

/** Gate process → thread. */
export type ThreadCommand =
  | Relayed
  | { readonly type: 'listen'; readonly host: string; readonly port: number; readonly shared: boolean }

/** Thread → gate process. */
export type ThreadReport =
  | {
      readonly type: 'prepared'
      readonly epoch: number
      readonly longestStepMs: number
      readonly totalMs: number
    }
  | {
      readonly type: 'prepare-failed'
      readonly epoch: number
      readonly message: string
      readonly code?: string
    }
  | { readonly type: 'committed'; readonly epoch: number }
  | { readonly type: 'applied'; readonly sequence: number }
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'listen-failed'; readonly code: string; readonly message: string }
  | { readonly type: 'key-wanted'; readonly issuer: string; readonly kid: string }
  | { readonly type: 'counters'; readonly counters: CounterDeltas }
  | { readonly type: 'drained' }

/** What a thread counted since its last report; keys are `<name>|<label values joined by |>`. */
export type CounterDeltas = Readonly<Record<string, number>>
