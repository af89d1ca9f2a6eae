import type { UrlPlan } from '../../model/bundle.ts'
import { isRecord, type JsonRecord, listAt, own } from '../json-value.ts'
import type { UrlPlace } from './url-rule.ts'

/** Formats whose values name a host (JSON Schema 2020-12 §7.3, OpenAPI's format registry, and `url` as it is used). */
const FORMATS: ReadonlyMap<string, UrlPlace> = new Map<string, UrlPlace>([
  ['uri', { form: 'url' }],
  ['url', { form: 'url' }],
  ['iri', { form: 'url' }],
  ['uri-reference', { form: 'reference' }],
  ['iri-reference', { form: 'reference' }],
  ['hostname', { form: 'host', ruled: true }],
  ['idn-hostname', { form: 'host', ruled: true }],
])

/** What a schema says of URLs at its place; a text where what it says cannot be used. */
export function urlPlace(schema: JsonRecord): UrlPlace | null | string {
  const extension = own(schema, 'x-sallyport')
  const stated = isRecord(extension) ? own(extension, 'url') : undefined
  const format = own(schema, 'format')
  const place = typeof format === 'string' ? FORMATS.get(format) : undefined
  if (stated === undefined) return place ?? mixedPlace(schema)
  const rule = readUrlRule(stated)
  if (typeof rule === 'string') return rule
  return { form: place?.form ?? 'url', rule }
}

/** A URL or something else: said here too, because a branch is not asked once another took the text. */
function mixedPlace(schema: JsonRecord): UrlPlace | null {
  for (const keyword of ['anyOf', 'oneOf']) {
    for (const branch of listAt(schema, keyword)) {
      const place = isRecord(branch) ? urlPlace(branch) : null
      if (typeof place === 'object' && place !== null) return { ...place, mixed: true }
    }
  }
  return null
}

const MAX_LISTED = 1_000
const HOST = /^(?:\*\.)?[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$|^[0-9a-f:.]+$/
const SCHEME = /^[a-z][a-z0-9+.-]*$/

function readUrlRule(stated: unknown): UrlPlan | string {
  if (!isRecord(stated)) return 'x-sallyport.url is an object'
  const { hosts, schemes, ports, private: privates, ...others } = stated
  const [other] = Object.keys(others)
  if (other !== undefined) return `x-sallyport.url has no ${other.slice(0, 40)}`
  if (hosts !== undefined && !listOf(hosts, (each) => typeof each === 'string' && HOST.test(each)))
    return 'x-sallyport.url.hosts is a list of host names in lower case, exact or *.suffix'
  if (schemes !== undefined && !listOf(schemes, (each) => typeof each === 'string' && SCHEME.test(each)))
    return 'x-sallyport.url.schemes is a list of schemes in lower case'
  if (
    ports !== undefined &&
    !listOf(ports, (each) => Number.isInteger(each) && Number(each) > 0 && Number(each) < 65_536)
  )
    return 'x-sallyport.url.ports is a list of ports'
  if (privates !== undefined && privates !== 'deny' && privates !== 'allow')
    return 'x-sallyport.url.private is deny or allow'
  return {
    ...(hosts === undefined ? {} : { hosts: hosts as readonly string[] }),
    ...(schemes === undefined ? {} : { schemes: schemes as readonly string[] }),
    ...(ports === undefined ? {} : { ports: ports as readonly number[] }),
    ...(privates === undefined ? {} : { private: privates }),
  }
}

const listOf = (value: unknown, fits: (each: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length > 0 && value.length <= MAX_LISTED && value.every(fits)
