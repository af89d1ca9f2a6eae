import { request } from 'node:http'

/** What came back of one call: the status and the reason a refusal gives, `closed` where no answer came. */
export interface Seen {
  readonly said: string
  readonly sent: number
  readonly received: number
}

export interface Sending {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  /** In place of a body: parts until there are no more or an answer came; `pauseMs` between them. */
  readonly parts?: () => Iterator<Uint8Array>
  readonly pauseMs?: number
  /** Breaks off after the body, or what there is of it, was sent. */
  readonly breakOffMs?: number
  /** Reads no more of an answer than this. */
  readonly enough?: number
}

const READ_OF_A_PROBLEM = 65_536
const LONGEST_MS = 20_000

export function send(url: string, sending: Sending): Promise<Seen> {
  return new Promise((resolve) => {
    let sent = 0
    let received = 0
    let answered = false
    let done = false
    const outgoing = request(url + sending.path, {
      method: sending.method ?? 'POST',
      agent: false,
      headers: {
        ...(sending.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(sending.body)) }),
        ...sending.headers,
      },
    })
    const timer = setTimeout(() => finish('no answer'), LONGEST_MS)
    const finish = (said: string): void => {
      if (done) return
      done = true
      clearTimeout(timer)
      outgoing.destroy()
      resolve({ said, sent, received })
    }
    outgoing.on('error', () => {
      // A refusal may overtake what is still being sent: its answer is read before the error ends the call.
      if (!answered) setTimeout(() => finish('closed'), 20)
    })
    outgoing.on('response', (response) => {
      answered = true
      const read: Buffer[] = []
      const status = response.statusCode ?? 0
      response.on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received <= READ_OF_A_PROBLEM) read.push(chunk)
        if (received > (sending.enough ?? Number.POSITIVE_INFINITY)) finish(`${status} going on`)
      })
      response.on('end', () => finish(`${status} ${reasonIn(Buffer.concat(read).toString('utf8'))}`.trim()))
      response.on('error', () => finish(`${status} broken off`))
    })
    const { body, parts } = sending
    if (parts !== undefined) {
      const iterator = parts()
      const next = (): void => {
        if (done || answered) return
        const { value, done: last } = iterator.next()
        if (last === true) {
          if (sending.breakOffMs === undefined) outgoing.end()
          else setTimeout(() => finish('broken off by the caller'), sending.breakOffMs)
          return
        }
        sent += value.byteLength
        outgoing.write(value, () =>
          sending.pauseMs ? setTimeout(next, sending.pauseMs) : setImmediate(next),
        )
      }
      next()
    } else {
      if (body !== undefined) sent = Buffer.byteLength(body)
      outgoing.end(body)
    }
  })
}

/** The code a problem document (RFC 9457) or a GraphQL error states. */
function reasonIn(text: string): string {
  return /"type":"[^"]*?([a-z-]+)"/.exec(text)?.[1] ?? /"code":"([a-z-]+)"/.exec(text)?.[1] ?? ''
}
