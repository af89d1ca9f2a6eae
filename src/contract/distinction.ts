import { fieldValue } from '../syntax/http.ts'
import { ONE_TEXT } from './parameters/one-text.ts'
import type { ParameterPlans } from './parameters/plan.ts'

/** What a request has to state beside its path for an operation to be meant. */
export interface Distinction {
  readonly in: 'query' | 'header'
  /** Of a header in lower case. */
  readonly name: string
  /** Absent: any value, also none. */
  readonly value?: string
}

export interface SplitTemplate {
  /** The template up to its first `?` or `#`. */
  readonly path: string
  /** Null where the rest says nothing that requests show. */
  readonly when: readonly Distinction[] | null
}

interface Required {
  readonly name: string
  readonly in: string
  readonly required: boolean
}

const NONE: readonly Distinction[] = Object.freeze([])
const MAX_MEMBERS = 16

/**
 * Templates with `?` or `#`, which OpenAPI does not know and which contracts of clouds are full of: `/{Bucket}?acl`,
 * `/{Bucket}#x-amz-copy-source`. Members after `?` are required of the query. No request shows what stands after `#`:
 * there each has to be the name of a query or header parameter that the operation requires.
 */
export function splitTemplate(template: string, parameters: readonly Required[]): SplitTemplate {
  const mark = template.search(/[?#]/)
  if (mark < 0) return { path: template, when: NONE }
  const path = template.slice(0, mark)
  const hash = template.indexOf('#')
  const query = template.slice(mark, hash < 0 ? template.length : hash).slice(1)
  const fragment = hash < 0 ? '' : template.slice(hash + 1)
  const when: Distinction[] = []
  for (const member of members(query)) when.push({ ...member, in: 'query' })
  for (const member of members(fragment)) {
    const { name } = member
    const stated = parameters.find(
      (each) =>
        each.required && (each.name === name || (each.in === 'header' && each.name === name.toLowerCase())),
    )
    if (stated?.in === 'query') when.push({ ...member, in: 'query' })
    else if (stated?.in === 'header') when.push({ ...member, in: 'header', name: name.toLowerCase() })
    else return { path, when: null }
  }
  const usable =
    when.length > 0 && when.length <= MAX_MEMBERS && when.every(({ name }) => !/^$|[{}]/.test(name))
  return { path, when: usable ? when : null }
}

/** A member that the template states is a parameter, declared or not; where it states no value, none may be given. */
export function withDistinctions(plans: ParameterPlans, when: readonly Distinction[]): ParameterPlans {
  const inQuery = when.filter((each) => each.in === 'query')
  if (inQuery.length === 0) return plans
  const declared = new Set<string>()
  const parameters = plans.parameters.map((plan) => {
    if (plan.in !== 'query' || !inQuery.some(({ name }) => name === plan.name)) return plan
    declared.add(plan.name)
    return { ...plan, required: true }
  })
  for (const { name, value } of inQuery) {
    if (declared.has(name)) continue
    const schema = value === undefined ? true : { const: value }
    parameters.push({ ...ONE_TEXT, name, in: 'query', required: true, schema, allowEmpty: true, pointer: '' })
  }
  return { ...plans, parameters }
}

function members(text: string): readonly { readonly name: string; readonly value?: string }[] {
  if (text === '') return []
  return text.split('&').map((member) => {
    const equals = member.indexOf('=')
    const name = decoded(equals < 0 ? member : member.slice(0, equals))
    const value = equals < 0 ? '' : decoded(member.slice(equals + 1))
    return value === '' || value.includes('{') ? { name } : { name, value }
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The request states all of it. `query`: decoded pairs; `fields` in wire order. */
export function isStated(
  when: readonly Distinction[],
  query: readonly (readonly [string, string])[],
  fields: readonly string[],
): boolean {
  for (const each of when) {
    if (each.in === 'query' ? !inQuery(each, query) : !inFields(each, fields)) return false
  }
  return true
}

function inQuery({ name, value }: Distinction, query: readonly (readonly [string, string])[]): boolean {
  for (const pair of query) if (pair[0] === name && (value === undefined || pair[1] === value)) return true
  return false
}

function inFields({ name, value }: Distinction, fields: readonly string[]): boolean {
  const given = fieldValue(fields, name)
  return given !== undefined && (value === undefined || given === value)
}
