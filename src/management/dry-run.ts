import type { Decision, Mode } from '../model/decision.ts'
import type { RawFields } from '../model/exchange.ts'
import type { Subject } from '../model/subject.ts'

/** A call to be judged without a running gate and without its upstream. */
export interface DryCall {
  readonly config: string
  readonly method: string
  /** Absolute (`http://host/path?query`), or a path; taken as it is, because the gate judges that form too. */
  readonly url: string
  /** Besides Host, Authorization and what the body asks for. */
  readonly fields: RawFields
  /** An access token; null: none is sent. */
  readonly token: string | null
  readonly body: Uint8Array | null
  /** Where the call is to come from: what zones and policies see. Left out: this machine. */
  readonly address?: string
}

/**
 * `undecided`: the call would go on so far, and what decides it only the upstream knows. `allow` speaks of the
 * request: the answer is judged by its contract when there is one.
 */
export type DryVerdict = 'allow' | 'deny' | 'undecided'

export interface DryRun {
  readonly verdict: DryVerdict
  readonly mode: Mode
  /** False: the API is observed, so a denied call would go on and be recorded as would-deny. */
  readonly enforced: boolean
  /** What the caller would get; null: the upstream’s own status. */
  readonly status: number | null
  /** Hash of the bundle the configuration gives, as a gate would state it. */
  readonly bundle: string
  readonly api: string
  readonly operation: string
  readonly template: string
  readonly governed: boolean
  readonly subject: Subject
  /** At each checkpoint that could be played. */
  readonly decisions: readonly Decision[]
  readonly wait: Wait | null
  /** The request a gate would have sent next; it was not sent. Null for a call that ends before. */
  readonly next: {
    readonly purpose: 'look-up' | 'call'
    readonly method: string
    readonly url: string
  } | null
  /** The smallest change that would allow a denied call; empty otherwise. */
  readonly change: string
  /** What a dry run could not know or do, and what went wrong beside the verdict. */
  readonly notes: readonly string[]
}

/** What an undecided call waits for, and what each answer would make of it. */
export interface Wait {
  /** `resource.owner`, `resource.tenant`. */
  readonly attributes: readonly string[]
  /** Whose answer states them: that of the call itself, or of the look-up before it. */
  readonly statedBy: 'answer' | 'look-up'
  /** JSON pointers into that answer, in the order of `attributes`. */
  readonly pointers: readonly string[]
  /** Policies that read them. */
  readonly policies: readonly string[]
  /** The verdict where the object is the caller’s own, and where it is someone else’s. */
  readonly ifOwn: 'allow' | 'deny'
  readonly ifForeign: 'allow' | 'deny'
  /** The answer is a list, and every item of it is judged by itself. */
  readonly list: boolean
  /** What a caller would get in a deny. */
  readonly deniedStatus: number
}
