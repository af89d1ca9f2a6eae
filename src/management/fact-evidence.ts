import type { ExchangeRecord } from '../model/record.ts'
import { attributesOf, outcomeOf } from './record-view.ts'

export interface StatedFact {
  /** `principal.groups`, `resource.owner`. */
  readonly path: string
  readonly value: unknown
  /** Who or what states it, in words. */
  readonly from: string
}

/** The attributes a record holds, each with what states it. */
export function statedFacts(record: ExchangeRecord): readonly StatedFact[] {
  const attributes = attributesOf(record)
  if (attributes === null) return []
  const { principal, resource, context } = attributes
  const facts: StatedFact[] = []
  for (const [entity, values] of Object.entries({ principal, resource, context })) {
    for (const [name, value] of Object.entries(values)) {
      if (name === 'unknown' || value === '') continue
      const path = `${entity}.${name}`
      facts.push({ path, value, from: sourceOf(path, record) })
    }
  }
  return facts
}

const ROUTE = 'the route'
const REQUEST = 'the request'
const TOKEN = 'the token'
const CONNECTION = 'the connection'

const SOURCES: Readonly<Record<string, string>> = {
  'principal.zone': 'the trust zones',
  'resource.api': ROUTE,
  'resource.objectType': 'the object rule',
  'resource.params': 'the path',
  'context.scopesMet': 'the contract, held against the token',
  'context.method': REQUEST,
  'context.path': REQUEST,
  'context.ip': CONNECTION,
  'context.networks': `${CONNECTION}, among the declared networks`,
  'context.requestClasses': 'the contract',
  'context.answerClasses': 'the contract',
  'context.time': 'the clock',
  'context.geo': 'a signal',
  'context.risk': 'a signal',
  'context.rates': 'a signal',
  'context.message': REQUEST,
}

function sourceOf(path: string, record: ExchangeRecord): string {
  if (path === 'resource.owner' || path === 'resource.tenant') return objectSource(path, record)
  const known = SOURCES[path]
  if (known !== undefined) return known
  const { subject } = record.intent
  if (subject === null || subject.kind === 'anonymous') return 'nobody was identified'
  return `${TOKEN} of ${subject.issuer}`
}

/** The intent is written before a look-up is made, and before there is an answer. */
function objectSource(path: string, record: ExchangeRecord): string {
  const name = path === 'resource.owner' ? 'owner' : 'tenant'
  if (record.intent.attributes?.resource[name] !== undefined) return REQUEST
  const outcome = outcomeOf(record)
  const lookup = outcome?.lookups[0]
  if (lookup !== undefined) return `the look-up ${lookup.operation}`
  return outcome?.attributes?.checkpoint === 'response' ? 'the answer' : `${REQUEST}’s body`
}
