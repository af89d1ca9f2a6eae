import { escapePointer } from '../syntax/json-pointer.ts'
import type { ContractWarning } from './detail.ts'
import type { OpenApiDocument } from './document.ts'
import { type JsonRecord, recordAt } from './json-value.ts'
import { headerPlan, type ParameterPlan } from './parameters/plan.ts'
import { follow } from './reference.ts'
import type { SchemaConverter } from './schema.ts'

interface Context {
  readonly document: OpenApiDocument
  readonly converter: SchemaConverter
  readonly warn: (warning: ContractWarning) => void
}

/** Of each status: the fields that its Response Object declares (OpenAPI 3.1 §4.8.17, §4.8.21). */
export type HeaderPlans = Readonly<Record<string, readonly ParameterPlan[]>>

/** A Header Object is a header parameter of style simple; Content-Type stands in `content` and is ignored here. */
export function headerPlans(
  context: Context,
  response: { readonly value: JsonRecord; readonly pointer: string },
): readonly ParameterPlan[] {
  return Object.entries(recordAt(response.value, 'headers')).flatMap(([name, member]) => {
    if (name.toLowerCase() === 'content-type') return []
    const at = follow(context.document, member, `${response.pointer}/headers/${escapePointer(name)}`)
    const plan = headerPlan(context, name, at.value, at.pointer)
    return plan === null ? [] : [plan]
  })
}
