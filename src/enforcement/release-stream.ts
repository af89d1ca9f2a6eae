import { SallyportError } from '../model/errors.ts'
import type { Answer, RawFields, Source } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import type { UpstreamAnswer } from '../model/ports.ts'
import { fieldValue } from '../syntax/http.ts'
import type { AdmittedCall } from './admitted-call.ts'
import { endHeld, heldBack } from './body.ts'
import { callerFields } from './forward.ts'
import type { Gate } from './gate.ts'
import { ItemStream, StreamCut } from './item-stream.ts'
import type { Ending, Journal } from './journal.ts'
import { mediaTypeOf } from './journal.ts'
import { listFields } from './list-fields.ts'
import type { ItemJudge } from './list-items.ts'
import { isAnswerHeld, type ReadAnswer } from './read-answer.ts'
import type { StreamedFields } from './shown-fields.ts'
import { LOOK_AGAIN_MS, refusedSince } from './still-allowed.ts'

export interface StreamRelease {
  readonly call: AdmittedCall
  readonly answer: UpstreamAnswer
  readonly read: ReadAnswer & { readonly body: Source }
  /** Judges whose each item is; null where the answer is not judged item by item. */
  readonly judge: ItemJudge | null
  /** Hides fields of each item; null where none is to be hidden. */
  readonly fields: StreamedFields | null
  /** Judges the response once more, now that all of it was seen, where the call's record is. */
  conclude(found: readonly Finding[]): void
}

/**
 * An answer that goes out as it comes, whole or item by item. Its outcome is written before its last byte, with what
 * was found on the way; until then the call is looked at again every second, and cut off where it may not go on.
 */
export function releaseStream(
  { call, answer, read, judge, fields: hiding, conclude }: StreamRelease,
  journal: Journal,
  gate: Gate,
): Answer {
  const { exchange, api } = call
  const { status } = answer
  const held = isAnswerHeld(api.plan)
  const onlyObserved = api.plan.mode === 'enforce' && !held
  const filters = api.plan.mode === 'enforce' && api.plan.observeStages?.includes('policy') !== true
  const items =
    read.items === undefined
      ? null
      : new ItemStream(read.body, {
          rule: read.items,
          judge,
          held,
          fields: hiding,
          filters: filters && judge !== null,
          ...(read.asCame === undefined ? {} : { asCame: read.asCame }),
        })
  if (items === null) journal.notPlayed('response-contract')
  const mediaType = mediaTypeOf(fieldValue(read.fields, 'content-type'))
  const ending = (bytes: number): Ending => ({
    action: 'forwarded',
    status,
    released: {
      bytes,
      mediaType,
      digest: '',
      query: [],
      dropped: items?.dropped ?? [],
      ...(onlyObserved && (read.findings.length > 0 || (items?.findings.length ?? 0) > 0)
        ? { kept: true as const }
        : {}),
      ...(hiding === null || hiding.hidden.length === 0 ? {} : { redacted: hiding.hidden }),
    },
    ...(items === null ? {} : { sequence: items.shape }),
  })
  let concluded = items === null
  const settle = (against: readonly Finding[]): void => {
    if (concluded) return
    concluded = true
    const found = items?.findings ?? []
    conclude([...found, ...against.filter((each) => !found.includes(each))])
  }
  journal.streams(() => {
    settle([])
    return ending(0)
  })
  const cut = (found: Finding): never => {
    concluded = false
    settle([found])
    journal.cutBecause(found.reason.code)
    throw new StreamCut(found)
  }
  const watched = watching(items ?? read.body, call, gate, cut)
  const rewrites = items?.rewrites === true
  const announced = !rewrites && fieldValue(read.fields, 'content-length') !== undefined
  const body = (announced ? heldBack : endHeld)(watched, async (bytes) => {
    settle([])
    if ((await journal.outcome(ending(bytes))) !== null)
      throw new SallyportError('audit-write-failed', 'the outcome could not be recorded')
  })
  const { countFields = [] } = call.operation?.plan.object?.items ?? {}
  // How many there are is not known before the last of them.
  const head = hiding === null ? read.fields : hiding.head(read.fields, judge !== null)
  const kept = judge !== null && filters ? withoutCounts(head, countFields) : head
  const fields = callerFields(kept, exchange.id, rewrites ? 'none' : null, rewrites)
  return { status, fields, body }
}

function withoutCounts(fields: RawFields, counts: readonly string[]): RawFields {
  const left = listFields(fields, [], 0, true)
  return left.filter((_, i) => !counts.includes((left[i - (i % 2)] ?? '').toLowerCase()))
}

/** The source, but each part goes out only while the call may go on. */
function watching(source: Source, call: AdmittedCall, gate: Gate, cut: (found: Finding) => never): Source {
  let looked = gate.clock.now().monoMs
  return {
    read: async () => {
      let chunk: Uint8Array | null
      try {
        chunk = await source.read()
      } catch (error) {
        if (!(error instanceof StreamCut)) throw error
        source.cancel('cut off')
        return cut(error.finding)
      }
      const now = gate.clock.now().monoMs
      if (now - looked < LOOK_AGAIN_MS) return chunk
      looked = now
      const refused = refusedSince(call, gate)
      if (refused === null) return chunk
      source.cancel('cut off')
      return cut(refused)
    },
    get trailers() {
      return source.trailers
    },
    cancel: (why) => source.cancel(why),
  }
}
