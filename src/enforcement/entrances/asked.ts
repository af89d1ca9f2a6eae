import type { Caller, EntranceName, Exchange, ExchangeId, RequestHead } from '../../model/exchange.ts'
import type { Finding } from '../../model/fact.ts'
import { finding } from '../../model/fact.ts'
import type { Random } from '../../model/ports.ts'
import { reason } from '../../model/reason.ts'
import { parseIp } from '../../syntax/ip.ts'
import { uuid7 } from '../../syntax/uuid.ts'
import { type Advice, playAdmission, refuseUnstated } from '../admission.ts'
import { bytesSource } from '../bytes-source.ts'
import type { Gate } from '../gate.ts'
import type { Sight } from '../sight.ts'

/** A call as somebody who carries it states it, when asking whether it may go on. */
export interface Asked {
  readonly head: RequestHead
  readonly caller: Caller
  /** As far as it was shown; null: none was. */
  readonly body: Uint8Array | null
  readonly sight: Sight
}

export type Reading =
  | { readonly ok: true; readonly asked: Asked }
  /** What is stated is not clear enough to be judged. */
  | { readonly ok: false; readonly finding: Finding }

export const UNKNOWN_CALLER: Caller = { bytes: new Uint8Array(16), text: '::', port: 0 }
/** The host is stated apart: a target with another would be judged by a host the call does not go to. */
const ABSOLUTE = /^https?:/i
const NO_HEAD: RequestHead = { method: '', target: '', httpVersion: '1.1', fields: [], secure: false }

/** Judges what was asked; each asking is an exchange with a record of its own. */
export function advise(
  gate: Gate,
  random: Random,
  entrance: EntranceName,
  reading: Reading,
): { readonly id: ExchangeId; readonly advice: Promise<Advice> } {
  const received = gate.clock.now()
  const id = uuid7(received.wallMs, random.bytes(10)) as ExchangeId
  const opened = { id, entrance, received }
  const stated = reading.ok && ABSOLUTE.test(reading.asked.head.target) ? unclear('origin-form') : reading
  if (!stated.ok) {
    const exchange: Exchange = { ...opened, caller: UNKNOWN_CALLER, head: NO_HEAD, body: null }
    return { id, advice: refuseUnstated(exchange, stated.finding, gate) }
  }
  const { head, caller, body, sight } = stated.asked
  const exchange: Exchange = { ...opened, caller, head, body: body === null ? null : bytesSource(body) }
  return { id, advice: playAdmission(exchange, gate, sight) }
}

/** `lacking`: name of what the proxy does not state, or not exactly once. */
export function unclear(lacking: string): Reading {
  return { ok: false, finding: finding(reason('proxy-unclear', 'hygiene', { lacking }), true) }
}

/** Null for anything but one address. */
export function callerAt(text: string | undefined, port = 0): Caller | null {
  const ip = text === undefined || text.includes('%') ? null : parseIp(text)
  return ip === null ? null : { bytes: ip.bytes, text: ip.text, port }
}
