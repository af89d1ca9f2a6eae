import type { DomainPlan } from '../../model/bundle.ts'
import { SallyportError } from '../../model/errors.ts'
import { isObject, type Policy } from '../cedar/est.ts'

/** What `DomainPlan.detail` holds: another application's policies, schema and entities in Cedar's JSON forms. */
export interface DomainDetail {
  readonly format: 1
  readonly policies: readonly { readonly id: string; readonly policy: Policy }[]
  /** Entity types by the name that questions have for them. */
  readonly types: Readonly<Record<string, string>>
  /** By entity type. */
  readonly shapes: Readonly<Record<string, RecordShape>>
  readonly actions: readonly ActionPlan[]
}

export interface ActionPlan {
  /** What questions call it. */
  readonly name: string
  readonly uid: Name
  /** At any distance. */
  readonly ancestors: readonly Name[]
  readonly principals: readonly string[]
  readonly resources: readonly string[]
  readonly context: RecordShape
}

export interface EntityPlan {
  readonly uid: Name
  readonly attrs: Readonly<Record<string, unknown>>
  readonly tags: Readonly<Record<string, unknown>>
  readonly parents: readonly Name[]
}

export interface Name {
  readonly type: string
  readonly id: string
}

export type RecordShape = Readonly<Record<string, Shape>>

/** What the schema says a value is. */
export type Shape =
  | { readonly kind: 'string' | 'long' | 'boolean' | 'ipaddr' | 'decimal' | 'datetime' | 'duration' }
  | { readonly kind: 'entity'; readonly type: string }
  | { readonly kind: 'set'; readonly element: Shape }
  | { readonly kind: 'record'; readonly attributes: RecordShape }

/** @throws {SallyportError} `bundle-corrupt` where another version wrote the plan. */
export function readDomainPlan({ name, detail }: DomainPlan): DomainDetail {
  const lists = ['policies', 'actions']
  const objects = ['types', 'shapes']
  if (
    isObject(detail) &&
    detail['format'] === 1 &&
    lists.every((key) => Array.isArray(detail[key])) &&
    objects.every((key) => isObject(detail[key]))
  )
    return detail as unknown as DomainDetail
  throw new SallyportError('bundle-corrupt', 'a domain is not in a form this version reads', { domain: name })
}
