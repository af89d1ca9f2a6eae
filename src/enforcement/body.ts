import { isFault, SallyportError } from '../model/errors.ts'
import type { Source } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'

const NOTHING = new Uint8Array(0)

export type Collected =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** More than the limit: what was read so far, so that an observed answer can still be passed on. */
  | {
      readonly ok: false
      readonly read: readonly Uint8Array[]
      /** Set where time ran out, not room: the rest, with the part that was being waited for. */
      readonly late?: Source
    }

/** Reads a source to its end, holding at most `limit` bytes and one chunk. Rejects as the source does. */
export async function collect(source: Source, limit: number): Promise<Collected> {
  const first = await source.read()
  if (first === null) return { ok: true, bytes: NOTHING }
  const read: Uint8Array[] = [first]
  let total = first.byteLength
  while (total <= limit) {
    const chunk = await source.read()
    if (chunk === null) return { ok: true, bytes: read.length === 1 ? first : Buffer.concat(read, total) }
    read.push(chunk)
    total += chunk.byteLength
  }
  return { ok: false, read }
}

/**
 * `collect` with `ms` for all of it, however the parts come: on expiry the source is cancelled, which ends its read,
 * and the fault is `late`.
 */
export async function collectWithin(
  source: Source,
  limit: number,
  ms: number,
  late: 'body-too-slow' | 'upstream-timeout',
): Promise<Collected> {
  let expired = false
  const timer = setTimeout(() => {
    expired = true
    source.cancel('too slow')
  }, ms)
  try {
    const collected = await collect(source, limit)
    if (!expired) return collected
  } finally {
    clearTimeout(timer)
  }
  throw new SallyportError(late, 'the body came too slowly')
}

/**
 * `collect`, but for `ms` only: what has not come by then is left to be read on. Nothing is cancelled, and nobody is
 * told that the source is slow.
 */
export async function collectFor(source: Source, limit: number, ms: number): Promise<Collected> {
  const read: Uint8Array[] = []
  let total = 0
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms)
  })
  try {
    while (total <= limit) {
      const waited = source.read()
      const chunk = await Promise.race([waited, late])
      if (chunk === 'late') return { ok: false, read, late: startedWith(waited, source) }
      if (chunk === null) return { ok: true, bytes: Buffer.concat(read, total) }
      read.push(chunk)
      total += chunk.byteLength
    }
    return { ok: false, read }
  } finally {
    clearTimeout(timer)
  }
}

/** The source, of which one part is already asked for. */
function startedWith(first: Promise<Uint8Array | null>, rest: Source): Source {
  let given = false
  // Who reads on hears of a fault then.
  first.catch(() => undefined)
  return {
    read: () => {
      if (given) return rest.read()
      given = true
      return first
    },
    get trailers() {
      return rest.trailers
    },
    cancel: (why) => rest.cancel(why),
  }
}

/** An announced length says before the first byte, and before the body is invited, that it is too much. */
export function announcedTooLarge(announced: number | undefined, limit: number): Finding | null {
  return announced === undefined || announced <= limit ? null : tooLarge(limit)
}

/**
 * The request body within its plan, `ms` for all of it. What breaks a cap holds in every mode: it protects the gate
 * itself, so these findings are marked `always`.
 */
export async function readRequestBody(
  source: Source,
  limit: number,
  ms: number,
): Promise<
  { readonly bytes: Uint8Array; readonly finding: null } | { readonly bytes: null; readonly finding: Finding }
> {
  try {
    const collected = await collectWithin(source, limit, ms, 'body-too-slow')
    if (collected.ok) return { bytes: collected.bytes, finding: null }
    source.cancel('over the limit')
    return refused(tooLarge(limit))
  } catch (error) {
    source.cancel('not wanted')
    if (isFault(error, 'body-too-slow')) return refused(finding(reason('body-too-slow', 'hygiene'), true))
    return refused(finding(reason('body-broken-off', 'hygiene'), true))
  }
}

function tooLarge(limit: number): Finding {
  return finding(reason('body-too-large', 'contract', { limit }, `more than ${limit} bytes`), true)
}

function refused(found: Finding): { readonly bytes: null; readonly finding: Finding } {
  return { bytes: null, finding: found }
}

/** Chunks already read, then the rest of the source: an over-plan answer that is passed on after all. */
export function rejoin(read: readonly Uint8Array[], rest: Source): Source {
  let next = 0
  return {
    read: () => {
      const chunk = read[next++]
      return chunk === undefined ? rest.read() : Promise.resolve(chunk)
    },
    get trailers() {
      return rest.trailers
    },
    cancel: (why) => rest.cancel(why),
  }
}

/**
 * The same source, but `beforeLast` is called before the last chunk is handed out: the outcome is written before
 * the last byte goes to the caller. It may refuse by throwing.
 */
export function heldBack(source: Source, beforeLast: (bytes: number) => Promise<void> | undefined): Source {
  let held: Uint8Array | null = null
  let total = 0
  let started = false
  let ended = false
  return {
    read: async () => {
      if (ended) return null
      if (!started) {
        started = true
        held = await source.read()
      }
      if (held === null) {
        ended = true
        await beforeLast(total)
        return null
      }
      const give: Uint8Array = held
      total += give.byteLength
      held = await source.read()
      if (held === null) {
        ended = true
        await beforeLast(total)
      }
      return give
    },
    get trailers() {
      return source.trailers
    },
    cancel: (why) => source.cancel(why),
  }
}

/**
 * The same source, but `beforeEnd` is called before its end is told. Where no length was announced the end is what the
 * caller gets last (RFC 9112 §7.1), so nothing has to wait for what comes after it: an event goes out when it comes.
 */
export function endHeld(source: Source, beforeEnd: (bytes: number) => Promise<void> | undefined): Source {
  let total = 0
  let ended = false
  return {
    read: async () => {
      if (ended) return null
      const chunk = await source.read()
      if (chunk !== null) {
        total += chunk.byteLength
        return chunk
      }
      ended = true
      await beforeEnd(total)
      return null
    },
    get trailers() {
      return source.trailers
    },
    cancel: (why) => source.cancel(why),
  }
}
