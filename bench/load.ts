import { createPrivateKey } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { type Call, Calls, Tokens } from './calls.ts'

/**
 * The load: as many kept-alive connections as asked, each with one call under way, on bare sockets. Forked; every
 * round is one message in and one out.
 */
export type LoadOrder = PrepareOrder | RoundOrder

/** Signs tokens for so many calls to come, so that no signing is done while they run. */
export interface PrepareOrder {
  readonly order: 'prepare'
  readonly calls: number
}

export interface RoundOrder {
  readonly order: 'round'
  readonly port: number
  readonly connections: number
  /** Milliseconds. */
  readonly lasts: number
  /** `exact`: each answer must have the status a working gate gives; `forwarded`: any 2xx. */
  readonly expects: 'exact' | 'forwarded'
  /** Begins with one call of every live token. */
  readonly introduce: boolean
}

export interface RoundResult {
  readonly calls: number
  readonly ms: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers with another status than expected, by `expected→seen`. */
  readonly unexpected: Readonly<Record<string, number>>
  /** Tokens signed while the round ran, because more calls were made than foreseen. */
  readonly signedLate: number
}

const {
  issuer = '',
  privateJwk = '{}',
  kid = '',
} = JSON.parse(process.env['BENCH_TOKENS'] ?? '{}') as {
  readonly issuer?: string
  readonly privateJwk?: string
  readonly kid?: string
}
const key = createPrivateKey({ key: JSON.parse(privateJwk), format: 'jwk' })
const calls = new Calls(new Tokens(issuer, key, kid))

process.on('message', (message) => {
  const order = message as LoadOrder
  if (order.order === 'prepare') {
    calls.prepare(order.calls)
    process.send?.({ prepared: true })
    return
  }
  new Round(order).run().then((result) => process.send?.(result))
})
process.on('disconnect', () => process.exit(0))

class Round {
  readonly #order: RoundOrder
  readonly #first: Iterator<Call> | null
  readonly #latencies: number[] = []
  readonly #unexpected: Record<string, number> = {}
  readonly #sockets = new Set<Socket>()
  #calls = 0
  #until = 0
  #open = 0
  #done: () => void = () => undefined

  constructor(order: RoundOrder) {
    this.#order = order
    this.#first = order.introduce ? calls.introduce() : null
  }

  async run(): Promise<RoundResult> {
    const late = calls.signedLate
    const began = performance.now()
    this.#until = began + this.#order.lasts
    const ended = new Promise<void>((resolve) => {
      this.#done = resolve
    })
    for (let i = 0; i < this.#order.connections; i++) this.#connect()
    await ended
    const ms = performance.now() - began
    for (const socket of this.#sockets) socket.destroy()
    const sorted = Float64Array.from(this.#latencies).sort()
    return {
      calls: this.#calls,
      ms,
      p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      unexpected: this.#unexpected,
      signedLate: calls.signedLate - late,
    }
  }

  #next(): Call | null {
    const first = this.#first?.next()
    if (first !== undefined && first.done !== true) return first.value
    return performance.now() < this.#until ? calls.next() : null
  }

  #connect(): void {
    const socket = connect(this.#order.port, '127.0.0.1')
    this.#sockets.add(socket)
    this.#open += 1
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    let waiting = ''
    let call: Call | null = null
    let sent = 0
    const send = (): void => {
      call = this.#next()
      if (call === null) {
        this.#open -= 1
        if (this.#open === 0) this.#done()
        return
      }
      sent = performance.now()
      socket.write(call.bytes, 'latin1')
    }
    socket.on('connect', send)
    socket.on('data', (chunk: string) => {
      waiting = waiting === '' ? chunk : waiting + chunk
      const length = answerLength(waiting)
      if (length === null || waiting.length < length || call === null) return
      this.#latencies.push(performance.now() - sent)
      this.#seen(call, waiting)
      waiting = waiting.slice(length)
      send()
    })
    const broken = (): void => {
      // A connection given up in the middle of a call is a result too.
      if (call === null || !this.#sockets.delete(socket)) return
      this.#unexpected[`${call.status}→closed`] = (this.#unexpected[`${call.status}→closed`] ?? 0) + 1
      call = null
      socket.destroy()
      this.#open -= 1
      if (performance.now() < this.#until) this.#connect()
      else if (this.#open === 0) this.#done()
    }
    socket.on('error', broken)
    socket.on('close', broken)
  }

  #seen(call: Call, answer: string): void {
    this.#calls += 1
    const status = Number(answer.slice(9, 12))
    const fits = this.#order.expects === 'exact' ? status === call.status : status >= 200 && status < 300
    if (fits) return
    const name = `${call.status}→${status}`
    this.#unexpected[name] = (this.#unexpected[name] ?? 0) + 1
  }
}

/** Null until the head is there. Every server here states a length, and none sends a chunked answer. */
function answerLength(text: string): number | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const at = text.search(/content-length:/i)
  if (at < 0 || at > end) throw new Error('an answer without Content-Length')
  return end + 4 + Number.parseInt(text.slice(at + 15, at + 40), 10)
}
