import { isRecord, type JsonRecord, listAt, recordAt, textAt } from '../json-value.ts'

/** Swagger 2.0 §Swagger Object, `schemes`, `host` and `basePath`: where the API is served. */
export function servers(root: JsonRecord): readonly JsonRecord[] {
  const host = textAt(root, 'host')
  const basePath = textAt(root, 'basePath') ?? ''
  if (host === undefined) return basePath === '' ? [] : [{ url: basePath }]
  const stated = listAt(root, 'schemes').filter((scheme) => typeof scheme === 'string')
  return (stated.length === 0 ? ['https'] : stated).map((scheme) => ({
    url: `${scheme}://${host}${basePath}`,
  }))
}

const FLOWS: Readonly<Record<string, string>> = {
  implicit: 'implicit',
  password: 'password',
  application: 'clientCredentials',
  accessCode: 'authorizationCode',
}

/** §Security Scheme Object: `basic` is a scheme of `http`, an `oauth2` flow one of several. */
export function securitySchemes(root: JsonRecord): JsonRecord {
  return Object.fromEntries(
    Object.entries(recordAt(root, 'securityDefinitions')).map(([name, scheme]) => [
      name,
      isRecord(scheme) ? upgraded(scheme) : scheme,
    ]),
  )
}

function upgraded(scheme: JsonRecord): JsonRecord {
  if (scheme['type'] === 'basic') return { ...scheme, type: 'http', scheme: 'basic' }
  if (scheme['type'] !== 'oauth2') return scheme
  const { flow, authorizationUrl, tokenUrl, scopes, ...rest } = scheme
  const name = typeof flow === 'string' && Object.hasOwn(FLOWS, flow) ? FLOWS[flow] : undefined
  const urls = Object.fromEntries(
    Object.entries({ authorizationUrl, tokenUrl, scopes }).filter(([, value]) => value !== undefined),
  )
  return { ...rest, flows: name === undefined ? {} : { [name]: urls } }
}
