import type { RouteMatch } from './operation.ts'
import type { Reason } from './reason.ts'
import type { Subject } from './subject.ts'

/** A statement about the call, with its evidence. None blocks by itself: `decide` weighs them. */
export type Fact =
  | { readonly kind: 'route'; readonly match: RouteMatch }
  | { readonly kind: 'subject'; readonly subject: Subject }
  | Finding

/**
 * Something that speaks against the call, from the stage that saw it. In observe mode it is recorded and the
 * call goes on, unless `always` is set (framing, size and time caps hold in every mode).
 */
export interface Finding {
  readonly kind: 'finding'
  readonly reason: Reason
  readonly always: boolean
}

export function finding(reason: Reason, always = false): Finding {
  return { kind: 'finding', reason, always }
}
