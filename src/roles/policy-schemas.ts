import { type ApiOperations, schemaText } from '../decision/cedar/schema.ts'
import type { PolicySchema } from '../management/cli/actions.ts'
import type { CompiledBundle } from './compile-bundle.ts'

/** What policies are validated against, in the order of the APIs' names: an API without a contract has none. */
export function apiOperations(apis: CompiledBundle['apis']): readonly ApiOperations[] {
  return apis.map(({ plan: { name, zone }, contract }) => ({
    api: name,
    operations: contract?.operations.map(({ plan }) => plan) ?? [],
    ...(zone === undefined ? {} : { zone }),
  }))
}

/** The schemas in Cedar's readable form. */
export function policySchemas({ apis }: Pick<CompiledBundle, 'apis'>): readonly PolicySchema[] {
  return apiOperations(apis).map((api) => ({ api: api.api, text: schemaText(api) }))
}
