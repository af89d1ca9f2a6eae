import type { Exchange } from '../model/exchange.ts'
import type { Subject } from '../model/subject.ts'
import { principalId } from '../model/subject.ts'
import type { Candidate } from './pinned.ts'
import type { Snapshot } from './snapshot.ts'

/** Keyed digest of a text, base64url (22 characters). */
export type CanaryDigest = (text: string) => string

/** Bytes of an IPv6 address that tell networks apart: a caller owns its /64 and may change the rest at will. */
const NETWORK_BYTES = 8

/**
 * The bundle that judges the caller instead of the one in force, or null. Who is among the candidate's share is
 * settled by whom identity verified, of an anonymous caller by its address: the same at every call, on every thread
 * and node with the same key, and nothing a caller can choose by how it calls. A larger share holds all of a
 * smaller one's callers; another candidate has others.
 */
export function canaryFor(
  candidate: Candidate | null,
  subject: Subject,
  exchange: Exchange,
  digest: CanaryDigest | undefined,
): Snapshot | null {
  if (candidate === null || candidate.share <= 0 || digest === undefined) return null
  const { snapshot, share } = candidate
  return isInShare(snapshot.bundle, callerKey(subject, exchange), share, digest) ? snapshot : null
}

/** `share`: percent, 0 to 100. */
export function isInShare(bundle: string, caller: string, share: number, digest: CanaryDigest): boolean {
  const bytes = Buffer.from(digest(`${bundle}\n${caller}`), 'base64url')
  return (bytes.readUInt32BE(0) / 2 ** 32) * 100 < share
}

function callerKey(subject: Subject, { caller }: Exchange): string {
  if (subject.kind !== 'anonymous') return `principal ${principalId(subject)}`
  const { bytes } = caller
  const v4 = bytes.subarray(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 0xff))
  return `address ${Buffer.from(v4 ? bytes : bytes.subarray(0, NETWORK_BYTES)).toString('hex')}`
}
