import { existsSync } from 'node:fs'
import { readConfig } from '../config/read.ts'
import { DriftCount } from '../inventory/drift.ts'
import { type InventoryReport, InventoryTally } from '../management/inventory-report.ts'
import { compileBundle } from './compile-bundle.ts'
import { recordActions } from './records.ts'

/** Classes by operation: of the configured contracts, and of the answers that were sampled. */
export async function inventory(config: string): Promise<InventoryReport> {
  const { apis } = compileBundle(config)
  const declared = apis.flatMap(({ plan: api, contract }) =>
    (contract?.operations ?? []).map(({ plan }) => {
      const { request = [], answer = [] } = contract?.classified.get(plan.key) ?? {}
      return {
        operation: plan.key,
        method: plan.method,
        template: `${api.basePath}${plan.template}`,
        request,
        answer,
      }
    }),
  )
  const tally = new InventoryTally(declared, new DriftCount())
  // What contracts declare can be listed before any gate was started.
  if (existsSync(readConfig(config).store))
    for await (const record of recordActions.read(config, {})) tally.add(record)
  return tally.report()
}
