import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { SallyportError } from '../../model/errors.ts'
import type { RawFields } from '../../model/exchange.ts'
import type { Upstream, UpstreamRequest } from '../../model/ports.ts'
import { ANONYMOUS } from '../../model/subject.ts'
import type { GatedCall, Middleware } from './middleware.ts'
import { takeAnswer } from './middleware-answer.ts'

/** Runs the whole application on messages that no socket stands behind. */
export type Dispatch = (request: IncomingMessage, response: ServerResponse) => unknown

/** What the application sees of a question of the gate's own: no caller, and no credential that could be taken along. */
export function lookupSeen(): GatedCall {
  return {
    kind: 'lookup',
    exchange: '',
    api: '',
    operation: '',
    mode: 'enforce',
    subject: ANONYMOUS,
    decision: { effect: 'allow', pending: false, reasons: [], policies: [] },
  }
}

/** Look-ups asked of the application itself, past the gate: the request is marked as the gate's own. */
export class AppLookups implements Upstream {
  readonly #middleware: Middleware
  readonly #dispatch: Dispatch

  constructor(middleware: Middleware, dispatch: Dispatch) {
    this.#middleware = middleware
    this.#dispatch = dispatch
  }

  async call({ method, path, fields, headTimeoutMs, bodyTimeoutMs }: UpstreamRequest) {
    const request = gatesOwn(method, path, fields)
    const response = new ServerResponse(request)
    const taken = takeAnswer(response, false)
    this.#middleware.mark(request, lookupSeen())
    taken.begin({ headMs: headTimeoutMs, bodyMs: bodyTimeoutMs })
    const broken = (error: unknown): void =>
      taken.abandon(new SallyportError('upstream-broken', 'the application failed on a look-up', {}, error))
    try {
      Promise.resolve(this.#dispatch(request, response)).catch(broken)
    } catch (error) {
      broken(error)
    }
    return taken.head
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function gatesOwn(method: string, path: string, given: RawFields): IncomingMessage {
  const request = new IncomingMessage(new Socket())
  const fields: string[] = []
  for (let i = 0; i + 1 < given.length; i += 2) {
    const name = given[i] ?? ''
    const lower = name.toLowerCase()
    // Nobody has to be shown who asks: the mark says it, and no field can.
    if (lower === 'via' || (lower === 'authorization' && given[i + 1] === NO_ASSERTION)) continue
    fields.push(name, given[i + 1] ?? '')
    request.headers[lower] = given[i + 1] ?? ''
  }
  request.method = method
  request.url = path
  request.httpVersion = '1.1'
  request.httpVersionMajor = 1
  request.httpVersionMinor = 1
  request.rawHeaders = fields
  request.complete = true
  request.push(null)
  return request
}

/** Stands where a gate with an upstream states its assertion: in process there is nobody to show one to. */
export const NO_ASSERTION = 'Bearer none'
