import type { DecisionPointSettings } from '../../model/channel.ts'
import type { Caller, RawFields } from '../../model/exchange.ts'
import { fieldValues } from '../../syntax/http.ts'
import type { Advice, Refusal } from '../admission.ts'
import type { Manner } from './ask-server.ts'
import { callerAt, type Reading, unclear } from './asked.ts'

type Settings = Extract<DecisionPointSettings, { kind: 'forward-auth' }>

/** Which fields a proxy states the call with; each is read by exactly one dialect and believed from peers only. */
interface Dialect {
  readonly method: string
  readonly uri: string
  readonly host: string
  /** `https` where the caller's connection is TLS; may be left out. */
  readonly proto: string
  readonly address: string
  caller(value: string): Caller | null
  /** Fields the proxy sets itself, which are not the caller's. */
  readonly own: ReadonlySet<string>
  answer(advice: Advice): Refusal
}

/** Fields of the asking itself: it has no body, whatever the call has, and a connection of its own. */
const OF_THE_ASKING = ['host', 'connection', 'content-length', 'transfer-encoding', 'expect', 'te', 'upgrade']

const NGINX: Dialect = {
  method: 'x-original-method',
  uri: 'x-original-uri',
  host: 'x-original-host',
  proto: 'x-original-proto',
  address: 'x-real-ip',
  caller: (value) => callerAt(value),
  own: new Set([
    ...OF_THE_ASKING,
    'x-original-method',
    'x-original-uri',
    'x-original-host',
    'x-original-proto',
    'x-real-ip',
  ]),
  answer: nginxAnswer,
}

const TRAEFIK: Dialect = {
  method: 'x-forwarded-method',
  uri: 'x-forwarded-uri',
  host: 'x-forwarded-host',
  proto: 'x-forwarded-proto',
  address: 'x-forwarded-for',
  // The last address is the one the proxy itself saw; those before it are what callers say.
  caller: (value) => callerAt(value.split(',').at(-1)?.trim()),
  own: new Set([
    ...OF_THE_ASKING,
    'x-forwarded-method',
    'x-forwarded-uri',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-for',
    'x-forwarded-port',
    'x-forwarded-server',
    'x-real-ip',
  ]),
  answer: (advice) => (advice.kind === 'refuse' ? advice.answer : allowed(advice)),
}

/**
 * Decisions for proxies that ask before they forward (nginx's auth_request, Traefik's forwardAuth, Caddy's
 * forward_auth): about the head alone, because they send no body.
 */
export function forwardAuth({ dialect: name, bodies, identityFields }: Settings): Manner {
  const dialect = name === 'nginx' ? NGINX : TRAEFIK
  return {
    entrance: 'forward-auth',
    maxBodyBytes: 0,
    read: ({ fields }) => {
      const stated = state(fields, dialect)
      if (typeof stated === 'string') return unclear(stated)
      const { method, uri, host, secure, caller } = stated
      const reading: Reading = {
        ok: true,
        asked: {
          head: {
            method,
            target: uri,
            httpVersion: '1.1',
            fields: ['Host', host, ...without(fields, dialect.own)],
            secure,
          },
          caller,
          body: null,
          sight: {
            body: 'unseen',
            bodies,
            answer: false,
            strips: identityFields,
            retargets: false,
            rewrites: false,
          },
        },
      }
      return reading
    },
    answer: (advice) => dialect.answer(advice),
  }
}

interface Stated {
  readonly method: string
  readonly uri: string
  readonly host: string
  readonly secure: boolean
  readonly caller: Caller
}

/** A string names what is not stated exactly once. */
function state(fields: RawFields, dialect: Dialect): Stated | string {
  const [method, uri, host] = [dialect.method, dialect.uri, dialect.host].map((name) => once(fields, name))
  if (method === undefined) return dialect.method
  if (uri === undefined) return dialect.uri
  if (host === undefined) return dialect.host
  const address = once(fields, dialect.address)
  const caller = address === undefined ? null : dialect.caller(address)
  if (caller === null) return dialect.address
  const protos = fieldValues(fields, dialect.proto)
  if (protos.length > 1) return dialect.proto
  return { method, uri, host, secure: protos[0] === 'https', caller }
}

function once(fields: RawFields, name: string): string | undefined {
  const values = fieldValues(fields, name)
  return values.length === 1 && values[0] !== '' ? values[0] : undefined
}

function without(fields: RawFields, names: ReadonlySet<string>): string[] {
  const out: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (!names.has(name.toLowerCase())) out.push(name, fields[i + 1] ?? '')
  }
  return out
}

/** `Authorization` is what the upstream is to get; where there is none, the proxy is to send none. */
function allowed({ id, authorization }: Extract<Advice, { kind: 'allow' }>): Refusal {
  const fields = ['Sallyport-Exchange', id, 'Content-Length', '0']
  if (authorization !== null) fields.push('Authorization', authorization)
  return { status: 200, fields, body: new Uint8Array(0) }
}

/** nginx takes 2xx, 401 and 403; any other answer is an error of its own to it (ngx_http_auth_request_module). */
function nginxAnswer(advice: Advice): Refusal {
  if (advice.kind === 'allow') return allowed(advice)
  const { status, fields, body } = advice.answer
  if (status === 401 || status === 403) return advice.answer
  return { status: 403, fields: [...fields, 'Sallyport-Status', String(status)], body }
}
