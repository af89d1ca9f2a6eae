import type { SignalPlan } from '../model/bundle.ts'
import { isFault } from '../model/errors.ts'
import { type Finding, finding } from '../model/fact.ts'
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../model/ports.ts'
import { reason } from '../model/reason.ts'
import { fieldValue } from '../syntax/http.ts'
import { type JsonLimits, scanJson } from '../syntax/json.ts'

/** What a decision source said, or why that does not count. */
export type SourceAnswer =
  | { readonly kind: 'permits' | 'denies' }
  | { readonly kind: 'failed'; readonly why: SourceFailure; readonly status?: number }

export type SourceFailure =
  | 'timeout'
  | 'unreachable'
  | 'broken'
  | 'status'
  | 'too-large'
  | 'encoded'
  | 'not-json'
  | 'no-decision'
  | 'credential'

export interface SourcePorts {
  readonly upstream: Upstream
  /** The secret a reference stands for; null: not known here. */
  credential(reference: string): string | null
}

/** An answer is a boolean and a little context. */
const LIMITS: JsonLimits = Object.freeze({
  maxBytes: 65_536,
  maxDepth: 32,
  maxNodes: 4_096,
  maxStringBytes: 16_384,
  maxKeys: 256,
})

/**
 * Asks an AuthZEN decision source (Authorization API 1.0 §6). Only 200 with the boolean `true` permits (standards 5.1):
 * everything else is a denial or a failure, and the deadline holds from the first step to the last byte. Never rejects.
 */
export async function askSource(
  source: SignalPlan,
  question: unknown,
  exchange: string,
  ports: SourcePorts,
): Promise<SourceAnswer> {
  const attempt = new Attempt()
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<SourceAnswer>((resolve) => {
    // The connector's own timers are coarse: this one is what the configuration says.
    timer = setTimeout(() => {
      attempt.giveUp()
      resolve({ kind: 'failed', why: 'timeout' })
    }, source.timeoutMs)
  })
  try {
    return await Promise.race([ask(source, question, exchange, ports, attempt), deadline])
  } finally {
    clearTimeout(timer)
  }
}

/** What of the question is under way, so that it can be let go of. */
class Attempt {
  over = false
  #stop: (() => void) | null = null

  goesOn(stop: () => void): void {
    if (this.over) stop()
    else this.#stop = stop
  }

  giveUp(): void {
    this.over = true
    this.#stop?.()
  }
}

async function ask(
  source: SignalPlan,
  question: unknown,
  exchange: string,
  ports: SourcePorts,
  attempt: Attempt,
): Promise<SourceAnswer> {
  const credential = source.credential === undefined ? undefined : ports.credential(source.credential)
  if (credential === null) return { kind: 'failed', why: 'credential' }
  const request = requestOf(source, question, exchange, credential, attempt)
  try {
    const answer = await ports.upstream.call(request).catch((error: unknown) => {
      // A kept connection that the source had closed: nothing was answered, and asking changes nothing there.
      if (!isFault(error, 'upstream-broken') || error.data['stale'] !== true || attempt.over) throw error
      return ports.upstream.call(request)
    })
    const said = await read(answer)
    answer.body.cancel('read')
    return said
  } catch (error) {
    return { kind: 'failed', why: whyOf(error) }
  }
}

function requestOf(
  source: SignalPlan,
  question: unknown,
  exchange: string,
  credential: string | undefined,
  attempt: Attempt,
): UpstreamRequest {
  const { origin, path, timeoutMs } = source
  const authorization = credential === undefined ? [] : ['Authorization', `Bearer ${credential}`]
  return {
    target: { origin },
    method: 'POST',
    path,
    fields: [
      'Content-Type',
      'application/json',
      'Accept',
      'application/json',
      'Accept-Encoding',
      'identity',
      'X-Request-ID',
      exchange,
      ...authorization,
    ],
    body: Buffer.from(JSON.stringify(question)),
    connectTimeoutMs: timeoutMs,
    headTimeoutMs: timeoutMs,
    bodyTimeoutMs: timeoutMs,
    onAbandon: (stop) => attempt.goesOn(stop),
  }
}

async function read({ status, fields, body }: UpstreamAnswer): Promise<SourceAnswer> {
  // A redirect is no answer either: who is asked stands in the configuration.
  if (status !== 200) return { kind: 'failed', why: 'status', status }
  const encoding = fieldValue(fields, 'content-encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    return { kind: 'failed', why: 'encoded', status }
  const parts: Uint8Array[] = []
  let total = 0
  for (let part = await body.read(); part !== null; part = await body.read()) {
    total += part.byteLength
    if (total > LIMITS.maxBytes) return { kind: 'failed', why: 'too-large', status }
    parts.push(part)
  }
  const scan = scanJson(Buffer.concat(parts, total), LIMITS)
  if (!scan.ok) return { kind: 'failed', why: 'not-json', status }
  const { value } = scan
  const decision =
    typeof value === 'object' && value !== null && 'decision' in value ? value.decision : undefined
  if (decision === true) return { kind: 'permits' }
  return decision === false ? { kind: 'denies' } : { kind: 'failed', why: 'no-decision', status }
}

function whyOf(error: unknown): SourceFailure {
  if (isFault(error, 'upstream-timeout')) return 'timeout'
  return isFault(error, 'upstream-unreachable') ? 'unreachable' : 'broken'
}

/** The answer as a fact about the call: a permit is a reason beside the others, all else speaks against it. */
export function sourceFinding(name: string, answer: SourceAnswer): Finding {
  switch (answer.kind) {
    case 'permits':
      return finding(reason('decision-source-permits', 'signal', { source: name }))
    case 'denies':
      return finding(reason('decision-source-denied', 'signal', { source: name }))
    case 'failed': {
      const status = answer.status === undefined ? {} : { status: answer.status }
      return finding(reason('decision-source-failed', 'signal', { source: name, why: answer.why, ...status }))
    }
  }
}
