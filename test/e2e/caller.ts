import { Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
  /** Exchange id. */
  readonly id: string
  readonly ms: number
}

export interface CallOptions {
  readonly method?: string
  readonly token?: string
  /** Names and values in turn, repeats allowed. */
  readonly fields?: readonly string[]
  readonly agent?: Agent
}

const LONGEST_MS = 20_000

/** One call; without an agent on a connection of its own. Rejects where no whole answer comes. */
export function call(url: string, options: CallOptions = {}): Promise<Answer> {
  const { method = 'GET', token, fields = [], agent } = options
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const headers = [...fields]
    if (token !== undefined) headers.push('Authorization', `Bearer ${token}`)
    if (!headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'host'))
      headers.push('Host', new URL(url).host)
    const outgoing = request(url, { method, headers, agent: agent ?? false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString(),
          id: String(incoming.headers['sallyport-exchange'] ?? ''),
          ms: performance.now() - began,
        }),
      )
    })
    outgoing.setTimeout(LONGEST_MS, () => outgoing.destroy(new Error('no answer in time')))
    outgoing.on('error', reject)
    outgoing.end()
  })
}

/** Connections that are kept alive, each used by one call at a time. */
export class Connections {
  readonly #agents: readonly Agent[]

  constructor(count: number) {
    this.#agents = Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  }

  /** The same call over each. */
  all(url: string, options: CallOptions = {}): Promise<Answer[]> {
    return Promise.all(this.#agents.map((agent) => call(url, { ...options, agent })))
  }

  get agents(): readonly Agent[] {
    return this.#agents
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy()
  }
}

export interface Load {
  /** Statuses seen so far, and `error <code>` for calls without an answer. */
  readonly seen: Map<string, number>
  readonly answers: Answer[]
  stop(): Promise<void>
}

/** Calls over kept-alive connections, one after the other on each, until stopped. */
export function underLoad(
  connections: number,
  url: () => string,
  options: () => CallOptions,
  pauseMs = 2,
): Load {
  const pool = new Connections(connections)
  const seen = new Map<string, number>()
  const answers: Answer[] = []
  let going = true
  const loops = pool.agents.map(async (agent) => {
    while (going) {
      let what: string
      try {
        const answer = await call(url(), { ...options(), agent })
        answers.push(answer)
        what = String(answer.status)
      } catch (error) {
        what = `error ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}`
      }
      seen.set(what, (seen.get(what) ?? 0) + 1)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  })
  return {
    seen,
    answers,
    stop: async () => {
      going = false
      await Promise.all(loops)
      pool.close()
    },
  }
}
