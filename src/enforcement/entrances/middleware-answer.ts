import { type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http'
import { SallyportError } from '../../model/errors.ts'
import type { RawFields } from '../../model/exchange.ts'
import type { UpstreamAnswer } from '../../model/ports.ts'
import { PulledBody } from '../pulled-body.ts'
import type { Answering } from './http-reply.ts'

/** What the application had to say, held until it was judged: its head, then its body as it is pulled. */
export interface AppAnswer {
  /** Resolves at the head; rejects with `upstream-timeout` and `upstream-broken`. */
  readonly head: Promise<UpstreamAnswer>
  /** Nobody waits for it any more. */
  abandon(fault: SallyportError): void
  /** How the message was before: the gate answers by it. */
  readonly answering: Answering
}

export interface AnswerTimes {
  readonly headMs: number
  /** Between two parts of the body. */
  readonly bodyMs: number
}

type Written = (error?: Error | null) => void

/**
 * Takes the application's side of a message over: from here on `writeHead`, `write` and `end` reach the gate, never the
 * caller, for as long as the message lives. What comes after the answer's end is dropped.
 */
export function takeAnswer(response: ServerResponse, bodiless: boolean): AppAnswer & Begin {
  return new TakenAnswer(response, bodiless)
}

export interface Begin {
  /** The application begins now. */
  begin(times: AnswerTimes): void
}

class TakenAnswer implements AppAnswer, Begin {
  readonly head: Promise<UpstreamAnswer>
  readonly answering: Answering
  readonly #response: ServerResponse
  readonly #body: PulledBody
  /** HEAD: whatever is written as its content is none. */
  readonly #bodiless: boolean
  #resolve: (answer: UpstreamAnswer) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined
  #headSent = false
  #ended = false
  #full = false
  #dropped = false
  #timer: NodeJS.Timeout | null = null
  #bodyMs = 0

  constructor(response: ServerResponse, bodiless: boolean) {
    this.#response = response
    this.#bodiless = bodiless
    this.head = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Refused before it was asked, an application is not waited for.
    this.head.catch(() => undefined)
    this.#body = new PulledBody({
      pause: () => {
        this.#full = true
        this.#stopClock()
      },
      resume: () => {
        this.#full = false
        if (this.#dropped) return
        if (!this.#ended) this.#startClock(this.#bodyMs)
        response.emit('drain')
      },
      stop: () => this.#drop(),
    })
    this.answering = originalOf(response)
    this.#replace()
  }

  begin({ headMs, bodyMs }: AnswerTimes): void {
    this.#bodyMs = bodyMs
    this.#startClock(headMs)
  }

  abandon(fault: SallyportError): void {
    this.#stopClock()
    if (this.#headSent) this.#body.fail(fault)
    this.#reject(fault)
    this.#drop()
  }

  /** As node has it of a message nobody reads any more: writing says to wait, and nothing says to go on. */
  #drop(): void {
    this.#dropped = true
    this.#stopClock()
  }

  #startClock(ms: number): void {
    this.#stopClock()
    this.#timer = setTimeout(
      () => this.abandon(new SallyportError('upstream-timeout', 'the application did not answer in time')),
      ms,
    )
  }

  #stopClock(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #writeHead(status: number, fields: RawFields): void {
    if (this.#headSent) return
    this.#headSent = true
    if (this.#dropped) return
    this.#startClock(this.#bodyMs)
    this.#resolve({ status, fields, body: this.#body })
  }

  #push(chunk: unknown, encoding: unknown): boolean {
    if (this.#ended) return false
    if (!this.#headSent) this.#writeHead(this.#response.statusCode, fieldsSet(this.#response))
    const bytes = bytesOf(chunk, encoding)
    if (this.#dropped) return false
    if (this.#bodiless || bytes.byteLength === 0) return true
    this.#startClock(this.#bodyMs)
    this.#body.push(bytes)
    return !this.#full
  }

  #end(): void {
    if (this.#ended) return
    if (!this.#headSent) this.#writeHead(this.#response.statusCode, fieldsSet(this.#response))
    this.#ended = true
    this.#stopClock()
    this.#body.end([])
  }

  #replace(): void {
    const response = this.#response
    const own = {
      writeHead: (status: number, second?: unknown, third?: unknown): ServerResponse => {
        if (this.#headSent) throw headersSent()
        if (!Number.isInteger(status) || status < 100 || status > 999)
          throw new RangeError(`Invalid status code: ${String(status)}`)
        const given = typeof second === 'string' ? third : (second ?? third)
        const fields = merged(fieldsSet(response), given)
        // An interim answer is none; the gate carries no more of them than 100.
        if (status < 200 && status !== 101) return response
        this.#writeHead(status, fields)
        response.statusCode = status
        return response
      },
      write: (chunk: unknown, encoding?: unknown, done?: Written): boolean => {
        const goesOn = this.#push(chunk, encoding)
        const written = typeof encoding === 'function' ? (encoding as Written) : done
        if (typeof written === 'function') process.nextTick(written, null)
        return goesOn
      },
      end: (first?: unknown, second?: unknown, third?: unknown): ServerResponse => {
        const callback = [first, second, third].find((each) => typeof each === 'function')
        if (first !== undefined && first !== null && typeof first !== 'function') this.#push(first, second)
        if (callback !== undefined) response.once('finish', callback as () => void)
        this.#end()
        return response
      },
      flushHeaders: (): void => this.#writeHead(response.statusCode, fieldsSet(response)),
      writeContinue: (): void => undefined,
      writeProcessing: (): void => undefined,
      writeEarlyHints: (_hints: unknown, done?: () => void): void => done?.(),
      addTrailers: (): void => undefined,
    }
    Object.assign(response, own)
    Object.defineProperty(response, 'headersSent', { get: () => this.#headSent, configurable: true })
    Object.defineProperty(response, 'writableEnded', { get: () => this.#ended, configurable: true })
  }
}

/** As node says it: frameworks look for the code. */
function headersSent(): Error {
  const message = 'Cannot write headers after they are sent to the client'
  return Object.assign(new Error(message), { code: 'ERR_HTTP_HEADERS_SENT' })
}

/** The message's own methods, by which the gate answers once the application's were replaced. */
function originalOf(response: ServerResponse): Answering {
  const { writeHead, write, end, writeContinue } = response
  return {
    get destroyed() {
      return response.destroyed
    },
    get writableFinished() {
      return response.writableFinished
    },
    get writableLength() {
      return response.writableLength
    },
    get socket() {
      return response.socket
    },
    destroy: (error) => response.destroy(error),
    once: response.once.bind(response),
    off: response.off.bind(response),
    writeContinue: (done) => {
      // Node invites the body itself, unless the program listens for `checkContinue`.
      if (!('_sent100' in response) || response._sent100 !== true) writeContinue.call(response, done)
    },
    writeHead: ((status: number, fields: string[]) => {
      // What the application set went into its answer; only what was judged goes out.
      for (const name of response.getHeaderNames()) response.removeHeader(name)
      if (response.req.httpVersionMajor === 1) response.statusMessage = ''
      return Reflect.apply(writeHead, response, [status, fields])
    }) as ServerResponse['writeHead'],
    write: write.bind(response) as ServerResponse['write'],
    end: end.bind(response) as ServerResponse['end'],
  }
}

/** The fields set so far, in order, several of one name apart. */
function fieldsSet(response: ServerResponse): string[] {
  const fields: string[] = []
  for (const name of response.getHeaderNames()) {
    const value = response.getHeader(name)
    for (const each of Array.isArray(value) ? value : [value]) fields.push(name, String(each))
  }
  return fields
}

/** Fields given with the head take the place of those set before, as node has it. */
function merged(fields: string[], given: unknown): string[] {
  const pairs = pairsOf(given)
  if (pairs.length === 0) return fields
  const names = new Set(pairs.map(([name]) => name.toLowerCase()))
  const out: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (!names.has((fields[i] ?? '').toLowerCase())) out.push(fields[i] ?? '', fields[i + 1] ?? '')
  }
  for (const [name, value] of pairs) {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    out.push(name, value)
  }
  return out
}

function pairsOf(given: unknown): readonly (readonly [string, string])[] {
  if (given === undefined || given === null || typeof given !== 'object') return []
  const each = (name: unknown, value: unknown): (readonly [string, string])[] =>
    value === undefined
      ? []
      : (Array.isArray(value) ? value : [value]).map((one) => [String(name), String(one)] as const)
  if (!Array.isArray(given)) return Object.entries(given).flatMap(([name, value]) => each(name, value))
  if (given.every(Array.isArray)) return given.flatMap(([name, value]: unknown[]) => each(name, value))
  return given.flatMap((name, at) => (at % 2 === 0 ? each(name, given[at + 1]) : []))
}

function bytesOf(chunk: unknown, encoding: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk !== 'string') throw new TypeError('an answer is written as a string, Buffer or Uint8Array')
  return Buffer.from(chunk, typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8')
}
