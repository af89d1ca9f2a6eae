import { dirname, relative } from 'node:path'
import { contractPatch } from '../assurance/contract-patch.ts'
import { readDocument } from '../contract/document.ts'
import { DriftCount } from '../inventory/drift.ts'
import type { DriftAnswer, DriftRequest } from '../management/drift-actions.ts'
import { SallyportError } from '../model/errors.ts'
import { compileBundle } from './compile-bundle.ts'
import { recordActions } from './records.ts'

/** What recorded calls had that contracts do not declare, and overlays that would declare it. */
export async function drift({
  config,
  api,
  patches,
  refused = false,
  ...within
}: DriftRequest): Promise<DriftAnswer> {
  const count = new DriftCount()
  const filter = api === undefined ? within : { ...within, api }
  for await (const record of recordActions.read(config, filter)) count.add(record)
  const report = count.report()
  // A misspelt name would read as no drift; an API that is gone may still have records.
  const unheard = api !== undefined && report.records === 0
  if (!unheard && (!patches || report.rows.length === 0)) return { report, patches: [] }
  const { apis, read } = compileBundle(config)
  const named = new Set(report.rows.map((row) => row.api))
  if (api !== undefined && !apis.some(({ plan }) => plan.name === api)) {
    const names = apis.map(({ plan }) => plan.name).join(', ')
    throw new SallyportError('usage', `no API is called ${api.slice(0, 60)}; there are ${names}`)
  }
  return {
    report,
    patches: apis
      .filter(({ plan }) => named.has(plan.name))
      .map(({ plan: { name }, contract }) => {
        const rows = report.rows.filter((row) => row.api === name)
        const text = read.apis.find((each) => each.name === name)?.contract
        if (contract === null || text === null || text === undefined) {
          const why = 'the API has no OpenAPI contract'
          return { api: name, overlays: [], notes: [], left: rows.map((row) => ({ row, why })) }
        }
        const operations = new Map(contract.operations.map(({ plan }) => [plan.key, plan]))
        const document = readDocument(text.text, text.file, text.parts)
        // Whoever probes an API would otherwise write into its next contract.
        const probed = refused ? [] : rows.filter((row) => row.refused === row.calls)
        const passed = rows.filter((row) => !probed.includes(row))
        const { overlays, left, ...rest } = contractPatch(document, passed, operations)
        const why = 'seen in refused calls alone; --refused proposes it all the same'
        const folder = dirname(text.file)
        return {
          api: name,
          ...rest,
          left: [...left, ...probed.map((row) => ({ row, why }))],
          overlays: overlays.map((each) => ({ ...each, name: relative(folder, each.file) })),
        }
      }),
  }
}
