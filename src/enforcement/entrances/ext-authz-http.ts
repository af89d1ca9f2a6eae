import type { DecisionPointSettings } from '../../model/channel.ts'
import { fieldValue, fieldValues } from '../../syntax/http.ts'
import type { Sight } from '../sight.ts'
import type { Asking, Manner } from './ask-server.ts'
import { callerAt, unclear } from './asked.ts'
import { ENVOYS_SIGHT, isUncut, PARTIAL_BODY } from './ext-authz-call.ts'

type Settings = Extract<DecisionPointSettings, { kind: 'ext-authz-http' }>

/** The address Envoy states by `authorization_request.headers_to_add`, which replaces a caller's own. */
const ADDRESS = 'x-real-ip'
/** Fields of the asking itself, not of the call it is about. */
const OF_THE_ASKING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  PARTIAL_BODY,
])

/**
 * Envoy's external authorization over HTTP (`http_service`): the asking has the call's method, target (behind
 * `path_prefix`), Host and allowed fields, and its body where `with_request_body` is set. 200 lets it go on.
 */
export function extAuthzHttp({ pathPrefix, bodies, maxBodyBytes, maxRequestBytes }: Settings): Manner {
  return {
    entrance: 'ext-authz',
    maxBodyBytes,
    read: (asking) => {
      const { target } = asking
      const rest = target.slice(pathPrefix.length)
      if (!target.startsWith(pathPrefix) || !rest.startsWith('/')) return unclear('path_prefix')
      const addresses = fieldValues(asking.fields, ADDRESS)
      const caller = addresses.length === 1 ? callerAt(addresses[0]) : null
      if (caller === null) return unclear(ADDRESS)
      const fields: string[] = []
      for (let i = 0; i + 1 < asking.fields.length; i += 2) {
        const name = asking.fields[i] ?? ''
        if (!OF_THE_ASKING.has(name.toLowerCase())) fields.push(name, asking.fields[i + 1] ?? '')
      }
      const secure = fieldValue(asking.fields, 'x-forwarded-proto') === 'https'
      return {
        ok: true,
        asked: {
          head: { method: asking.method, target: rest, httpVersion: '1.1', fields, secure },
          caller,
          body: asking.body.byteLength === 0 ? null : asking.body,
          sight: { ...ENVOYS_SIGHT, retargets: false, body: bodySight(asking, maxRequestBytes), bodies },
        },
      }
    },
    answer: (advice, asking) => {
      if (advice.kind === 'refuse') return advice.answer
      const own = fieldValue(asking.fields, 'authorization')
      const remove = [...advice.remove]
      const fields = ['Sallyport-Exchange', advice.id, 'Content-Length', '0']
      if (advice.authorization === null && own !== undefined) remove.push('authorization')
      if (advice.authorization !== null && advice.authorization !== own)
        fields.push('Authorization', advice.authorization)
      if (remove.length > 0) fields.push('X-Envoy-Auth-Headers-To-Remove', remove.join(', '))
      return { status: 200, fields, body: new Uint8Array(0) }
    },
  }
}

/** The call's own announced length is not stated here; that no body came does not say that there is none. */
function bodySight({ fields, body }: Asking, maxRequestBytes: number | undefined): Sight['body'] {
  const marks = fieldValues(fields, PARTIAL_BODY)
  if (marks.includes('true')) return 'partial'
  if (body.byteLength === 0) return 'unseen'
  return isUncut(fields, body.byteLength, maxRequestBytes) ? 'whole' : 'partial'
}
