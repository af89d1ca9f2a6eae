import type { FieldSettings } from '../config/field-schema.ts'
import type { ReadApi } from '../config/read.ts'
import type { FieldStatements } from '../contract/sensitivity/classify.ts'
import type { FieldStatement } from '../contract/sensitivity/field-statement.ts'

/** What configuration says of an API's fields, in the contract room's form. */
export function fieldStatements({ settings, fields }: ReadApi): FieldStatements {
  const places: Record<string, FieldStatement> = {}
  const operations: Record<string, FieldStatements['operations'][string]> = {}
  for (const [key, { request = {}, answer = {}, ...stated }] of Object.entries(fields?.stated ?? {})) {
    if (key.startsWith('#')) places[key] = statementOf(stated)
    else operations[key] = { request: statementsOf(request), answer: statementsOf(answer) }
  }
  return { places, operations, names: settings.sensitivity.names }
}

function statementsOf(
  stated: Readonly<Record<string, FieldSettings>>,
): Readonly<Record<string, FieldStatement>> {
  return Object.fromEntries(Object.entries(stated).map(([pointer, each]) => [pointer, statementOf(each)]))
}

function statementOf({ class: classes, field }: FieldSettings): FieldStatement {
  return {
    ...(classes === undefined ? {} : { classes }),
    ...(field === undefined ? {} : { field: { ...field.visibleTo, otherwise: field.otherwise } }),
  }
}
