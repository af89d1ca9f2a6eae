import type { GraphFlow, ZoneGraph } from '../management/zone-graph.ts'
import type { FlowPlan } from '../model/bundle.ts'
import { compileBundle } from './compile-bundle.ts'

/** Zones and flows as a bundle made of the configuration would have them. */
export function zoneGraph(config: string): ZoneGraph {
  const { head, apis } = compileBundle(config)
  const zones = (head.zones ?? []).map((zone) => ({
    ...zone,
    apis: apis
      .filter(({ plan }) => plan.zone === zone.name)
      .map(({ plan: { name, mode, observeStages = [] } }) => ({
        name,
        mode,
        observed: mode === 'observe' || observeStages.includes('zone'),
      })),
  }))
  return { zones, flows: joined(head.flows ?? []) }
}

/** Several flows between two zones let in what each of them does. */
function joined(flows: readonly FlowPlan[]): readonly GraphFlow[] {
  const byPair = Map.groupBy(flows, ({ from, to }) => JSON.stringify([from, to]))
  return [...byPair.values()].flatMap((own) => {
    const [first] = own
    if (first === undefined) return []
    const all = own.some(({ operations }) => operations.length === 0)
    const operations = all ? [] : [...new Set(own.flatMap((flow) => flow.operations))].sort()
    return [{ from: first.from, to: first.to, operations }]
  })
}
