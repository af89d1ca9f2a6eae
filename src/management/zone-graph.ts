/** What `policy graph` draws: zones, the APIs that stand in them, and the calls that flows allow. */
export interface ZoneGraph {
  readonly zones: readonly GraphZone[]
  readonly flows: readonly GraphFlow[]
}

export interface GraphZone {
  readonly name: string
  /** Who is in it, in the words of the configuration. */
  readonly networks: readonly string[]
  readonly clients: readonly string[]
  readonly workloads: readonly string[]
  readonly apis: readonly GraphApi[]
}

export interface GraphApi {
  readonly name: string
  readonly mode: string
  /** Calls without a flow are only recorded. */
  readonly observed: boolean
}

/** All flows from one zone to one other, or to itself. */
export interface GraphFlow {
  readonly from: string
  readonly to: string
  /** Operations and groups; empty: all. */
  readonly operations: readonly string[]
}

/** Who is in a zone, one line each. */
export function membersOf({ networks, clients, workloads }: GraphZone): readonly string[] {
  // Beside identities, networks only narrow them: both have to hold.
  const narrowed = clients.length + workloads.length > 0 && networks.length > 0
  return [
    ...workloads.map((name) => `workload ${name}`),
    ...clients.map((name) => `client ${name}`),
    ...networks.map((name) => `${narrowed ? 'and only from' : 'network'} ${name}`),
  ]
}

/** The graph as text: a block for each zone with what may call into it. */
export function graphText({ zones, flows }: ZoneGraph): readonly string[] {
  const lines: string[] = []
  for (const zone of zones) {
    if (lines.length > 0) lines.push('')
    lines.push(`[${zone.name}]`)
    const members = membersOf(zone)
    for (const member of members.length === 0 ? ['nobody'] : members) lines.push(`  who   ${member}`)
    for (const { name, mode, observed } of zone.apis)
      lines.push(`  api   ${name} (${mode}${observed && mode === 'enforce' ? ', zones observed' : ''})`)
    const into = flows.filter(({ to }) => to === zone.name)
    for (const { from, operations } of into)
      lines.push(`  <---  ${from}: ${operations.length === 0 ? 'everything' : operations.join(', ')}`)
    if (zone.apis.length > 0 && into.length === 0) lines.push('  <---  nothing: every call is denied')
  }
  return lines
}
