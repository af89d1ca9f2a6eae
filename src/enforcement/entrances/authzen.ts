import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { DecisionPointSettings } from '../../model/channel.ts'
import { readQuestion, readQuestions, readSearch, type SearchTarget } from '../../syntax/authzen.ts'
import { fieldValue, fieldValues } from '../../syntax/http.ts'
import { type JsonLimits, scanJson } from '../../syntax/json.ts'
import { isJson, parseMediaType } from '../../syntax/media-type.ts'
import { type Asking, answerAll, answerSearch, decisionAnswer, type Judging } from '../authzen/answers.ts'
import { metadata } from '../authzen/metadata.ts'
import { OwnApis } from '../authzen/own-apis.ts'
import { PolicyDomain } from '../authzen/policy-domain.ts'
import type { Snapshot } from '../snapshot.ts'
import { readAll } from './ask-server.ts'
import { callerAt, UNKNOWN_CALLER } from './asked.ts'
import { type DecisionPoint, type DecisionPorts, DecisionServer } from './decision-server.ts'

type Settings = Extract<DecisionPointSettings, { kind: 'authzen' }>

/** What one request may hold: several hundred questions, and no more than a thread reads in a few milliseconds. */
const LIMITS: JsonLimits = Object.freeze({
  maxBytes: 262_144,
  maxDepth: 32,
  maxNodes: 16_384,
  maxStringBytes: 16_384,
  maxKeys: 1_024,
})
const MAX_QUESTIONS = 500
/** From the head's first byte to the question's last, in ms. */
const HEAD_MS = 10_000
const ASKING_MS = 30_000

const WELL_KNOWN = '/.well-known/authzen-configuration'

type Endpoint = 'evaluation' | 'evaluations' | `search/${SearchTarget}`

const ENDPOINTS: ReadonlySet<string> = new Set<Endpoint>([
  'evaluation',
  'evaluations',
  'search/subject',
  'search/resource',
  'search/action',
])

interface Response {
  readonly status: number
  readonly body: unknown
  readonly fields?: readonly string[]
}

/**
 * The AuthZEN Authorization API 1.0 over HTTP/1.1. An answer that is no says so with 200; what cannot be read is 400,
 * also for another media type, as the certification asks; a failure is 500 or 503, never a yes.
 */
export class Authzen implements DecisionPoint {
  readonly #settings: Settings
  readonly #ports: DecisionPorts
  readonly #credentials: readonly Buffer[]
  readonly #common: DecisionServer
  readonly #server: Server

  constructor(settings: Settings, ports: DecisionPorts, headBytes: number) {
    this.#settings = settings
    this.#ports = ports
    this.#credentials = settings.credentials.map((digest) => Buffer.from(digest, 'hex'))
    this.#common = new DecisionServer(settings.key, settings.peers, ports.gate)
    this.#server = createServer({
      maxHeaderSize: headBytes,
      headersTimeout: HEAD_MS,
      requestTimeout: ASKING_MS,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
    })
    this.#common.guard(this.#server)
    this.#server.on('request', (request, response) => void this.#take(request, response))
  }

  listen(shared: boolean): Promise<void> {
    return this.#common.listen(this.#server, this.#settings.host, this.#settings.port, shared)
  }

  drain(withinMs: number): Promise<void> {
    return this.#common.drain(this.#server, withinMs, {
      letGo: () => this.#server.closeIdleConnections(),
      cut: () => this.#server.closeAllConnections(),
    })
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#common.underWay += 1
    try {
      this.#send(await this.#answer(request), request, response)
    } catch (error) {
      this.#ports.gate.fault('authzen', '', error)
      if (response.headersSent) response.destroy()
      else this.#send(problem(500, 'The question could not be answered.'), request, response)
    }
    this.#common.underWay -= 1
  }

  async #answer(request: IncomingMessage): Promise<Response> {
    const [path = ''] = (request.url ?? '').split('?', 1)
    const pin = this.#ports.gate.snapshots.pin()
    try {
      if (pin === null) return problem(503, 'The gate has no bundle yet.', ['Retry-After', '1'])
      if (path === WELL_KNOWN || path.startsWith(`${WELL_KNOWN}/`))
        return this.#metadata(request, path.slice(WELL_KNOWN.length + 1), pin.snapshot)
      if (!this.#mayAsk(request))
        return problem(401, 'A bearer token of this decision point is needed.', [
          'WWW-Authenticate',
          'Bearer',
        ])
      return await this.#asked(request, path, pin.snapshot)
    } finally {
      pin?.unpin()
    }
  }

  /** Public: it says where to ask, nothing of what is known. */
  #metadata(request: IncomingMessage, name: string, snapshot: Snapshot): Response {
    const domain = this.#domain(name === '' ? this.#settings.defaultDomain : name, snapshot)
    if (domain === null) return problem(404, 'There is no such domain.')
    if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed('GET, HEAD')
    return { status: 200, body: metadata(this.#settings.origin, name, domain.searches) }
  }

  async #asked(request: IncomingMessage, path: string, snapshot: Snapshot): Promise<Response> {
    const [, name, endpoint = ''] = /^(?:\/([a-z][a-z0-9-]{0,62}))??\/access\/v1\/([a-z/]+)$/.exec(path) ?? []
    const domain = this.#domain(name ?? this.#settings.defaultDomain, snapshot)
    if (domain === null || !isEndpoint(endpoint, domain)) return problem(404, 'There is no such endpoint.')
    if (request.method !== 'POST') return notAllowed('POST')
    const media = parseMediaType(request.headers['content-type'] ?? '')
    if (media === null || !isJson(media)) return malformed('the media type must be application/json')
    const bytes = await readAll(request, LIMITS.maxBytes)
    if (bytes === null) return problem(413, `A request has at most ${LIMITS.maxBytes} bytes.`)
    const scan = scanJson(bytes, LIMITS)
    if (!scan.ok) return malformed(`the body is not strict JSON: ${scan.fault.rule}`)
    if (!scan.exact) return malformed('a number is not one that JSON carries exactly')
    const asking: Asking = {
      asker: askerOf(request),
      digest: this.#ports.gate.digest(bytes),
      bytes: bytes.byteLength,
    }
    return this.#judge(endpoint, scan.value, domain, asking)
  }

  async #judge(endpoint: Endpoint, body: unknown, domain: Judging, asking: Asking): Promise<Response> {
    if (endpoint === 'evaluation' || endpoint === 'evaluations') {
      const several = endpoint === 'evaluations' ? readQuestions(body, MAX_QUESTIONS) : null
      if (several !== null) {
        if (!several.ok) return malformed(several.fault)
        const answers = await answerAll(several.value, domain, asking)
        return answers === null ? UNRECORDED : { status: 200, body: { evaluations: answers } }
      }
      const question = readQuestion(body)
      if (!question.ok) return malformed(question.fault)
      const judged = await domain.decide(question.value, asking)
      if (judged === null) return UNRECORDED
      return { status: 200, body: decisionAnswer(judged), fields: ['Sallyport-Exchange', judged.id] }
    }
    const search = readSearch(body, endpoint.slice('search/'.length) as SearchTarget)
    if (!search.ok) return malformed(search.fault)
    const found = await answerSearch(search.value, domain, asking, this.#ports.gate.digest)
    if (found === false) return malformed('/page/token is not of this search; begin again without it')
    return found === null ? UNRECORDED : { status: 200, body: found }
  }

  #domain(name: string, snapshot: Snapshot): Judging | null {
    const { gate, random } = this.#ports
    if (name === 'apis') return new OwnApis(snapshot, gate, random)
    const domain = snapshot.domains.get(name)
    return domain === undefined ? null : new PolicyDomain(domain, snapshot.bundle, gate, random)
  }

  /** Every credential is compared, each in constant time, so that none is found by how long it takes. */
  #mayAsk({ rawHeaders }: IncomingMessage): boolean {
    if (this.#credentials.length === 0) return true
    const [authorization = '', ...more] = fieldValues(rawHeaders, 'authorization')
    const token = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization.trim())?.[1]
    if (token === undefined || more.length > 0) return false
    const digest = createHash('sha256').update(token).digest()
    let known = false
    for (const each of this.#credentials) known = timingSafeEqual(each, digest) || known
    return known
  }

  #send({ status, body, fields = [] }: Response, request: IncomingMessage, response: ServerResponse): void {
    if (response.destroyed) return
    const text = JSON.stringify(body)
    const asked = fieldValue(request.rawHeaders, 'x-request-id')
    const echo = asked !== undefined && /^[\x20-\x7e]{1,256}$/.test(asked) ? ['X-Request-ID', asked] : []
    // What was not read would be taken for the next question.
    const last = this.#common.draining || !request.complete ? ['Connection', 'close'] : []
    response.writeHead(status, [
      'Content-Type',
      status < 300 ? 'application/json' : 'application/problem+json',
      'Content-Length',
      String(Buffer.byteLength(text)),
      'Cache-Control',
      'no-store',
      'X-Content-Type-Options',
      'nosniff',
      ...echo,
      ...fields,
      ...last,
    ])
    response.end(request.method === 'HEAD' ? undefined : text)
  }
}

function isEndpoint(text: string, { searches }: Judging): text is Endpoint {
  if (!ENDPOINTS.has(text)) return false
  return !text.startsWith('search/') || searches.has(text.slice('search/'.length) as SearchTarget)
}

function askerOf(request: IncomingMessage): Asking['asker'] {
  return {
    caller: callerAt(request.socket.remoteAddress, request.socket.remotePort) ?? UNKNOWN_CALLER,
    userAgent: (request.headers['user-agent'] ?? '').slice(0, 512),
  }
}

function problem(status: number, title: string, fields: readonly string[] = []): Response {
  return { status, body: { title, status }, fields }
}

function malformed(detail: string): Response {
  return {
    status: 400,
    body: { title: 'The request is not one of the Authorization API.', status: 400, detail },
  }
}

function notAllowed(allow: string): Response {
  return problem(405, 'The endpoint is asked in another way.', ['Allow', allow])
}

const UNRECORDED: Response = problem(503, 'The answer could not be recorded, so none is given.', [
  'Retry-After',
  '1',
])
