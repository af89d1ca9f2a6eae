import type { Detected } from '../contract/instantiate.ts'
import type { ApiPlan } from '../model/bundle.ts'
import type { ExchangeId } from '../model/exchange.ts'
import type { ReadAnswer } from './read-answer.ts'

const NOTHING: readonly Detected[] = Object.freeze([])

/**
 * Classes that values of a sampled answer tell and its contract does not state: a signal for people, in record and
 * metrics, which no decision reads. Which answers are sampled is told by the exchange's id, so that it can be told again.
 */
export function sampled({ sampling }: ApiPlan, id: ExchangeId, { check }: ReadAnswer): readonly Detected[] {
  if (sampling === undefined || check?.sample === undefined || !isSampled(id, sampling.share)) return NOTHING
  return check.sample(sampling.maxValues)
}

/** The last 32 bits of a UUIDv7 are random (RFC 9562 §5.7). */
export function isSampled(id: string, share: number): boolean {
  return Number.parseInt(id.slice(-8), 16) / 2 ** 32 < share
}
