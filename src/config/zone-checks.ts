import { parseCidr } from '../syntax/cidr.ts'
import { PrefixTree } from '../syntax/prefix-tree.ts'
import type { FoundApi } from './api-files.ts'
import type { Findings, Source } from './findings.ts'
import { nearest } from './nearest.ts'
import type { Segments } from './place.ts'
import type { Config } from './schema.ts'
import type { ZoneSettings } from './zone-schema.ts'

/** Every gate thread holds a tree of them: about 10 MB at the most. */
const MAX_ZONE_BLOCKS = 10_000

/** What zones, flows and APIs must agree on: no caller may be in two zones, no API in none. */
export function checkZones(
  config: Config,
  apis: readonly FoundApi[],
  main: Source,
  findings: Findings,
): void {
  const { zones, flows } = config
  const names = Object.keys(zones)
  checkMembers(config, main, findings)
  for (const [index, { from, to }] of flows.entries()) {
    for (const [key, zone] of [
      ['from', from],
      ['to', to],
    ] as const) {
      if (Object.hasOwn(zones, zone)) continue
      findings.problem(main, ['flows', index, key], `there is no zone "${zone}"`, known(zone, names, 'zones'))
    }
    const source = Object.hasOwn(zones, from) ? zones[from] : undefined
    if (source !== undefined && isEmpty(source)) {
      findings.warning(
        main,
        ['flows', index, 'from'],
        `nobody is in the zone "${from}": the flow allows no call`,
        'Give the zone networks, clients or workloads.',
      )
    }
  }
  for (const api of apis) checkApiZone(api, names, findings)
}

function checkApiZone(
  { name, settings: { zone }, source }: FoundApi,
  names: readonly string[],
  findings: Findings,
): void {
  if (zone === undefined) {
    if (names.length === 0) return
    findings.problem(
      source,
      [],
      `zones are declared, and the API "${name}" stands in none`,
      `Add zone: with one of ${names.join(', ')}.`,
      'key',
    )
  } else if (!names.includes(zone)) {
    findings.problem(source, ['zone'], `there is no zone "${zone}"`, known(zone, names, 'zones'))
  }
}

function checkMembers({ zones, networks, identity }: Config, main: Source, findings: Findings): void {
  const issuers = Object.keys(identity.issuers)
  const owners = new Map<string, string>()
  const tree = new PrefixTree()
  const byNetwork: string[] = []
  let blocks = 0
  for (const [zone, settings] of Object.entries(zones)) {
    for (const key of ['clients', 'workloads'] as const) {
      for (const [index, member] of settings[key].entries()) {
        const at: Segments = ['zones', zone, key, index]
        const issuer = member.slice(0, member.indexOf('/'))
        if (!issuers.includes(issuer))
          findings.problem(
            main,
            at,
            `the issuer "${issuer}" is not configured`,
            known(issuer, issuers, 'identity.issuers'),
          )
        const other = owners.get(`${key} ${member}`)
        if (other !== undefined && other !== zone)
          findings.problem(
            main,
            at,
            `is in the zone "${other}" already`,
            'A caller is in one zone: leave it in one.',
          )
        owners.set(`${key} ${member}`, other ?? zone)
      }
    }
    const alone = settings.clients.length === 0 && settings.workloads.length === 0
    byNetwork.push(zone)
    for (const [index, network] of settings.networks.entries()) {
      const at: Segments = ['zones', zone, 'networks', index]
      const own = blocksOf(network, networks)
      if (own === null) {
        findings.problem(
          main,
          at,
          `there is no network "${network}"`,
          known(network, Object.keys(networks), 'networks'),
        )
        continue
      }
      blocks += own.length
      if (blocks > MAX_ZONE_BLOCKS) {
        findings.problem(
          main,
          at,
          `zones have more than ${MAX_ZONE_BLOCKS} address blocks`,
          'Join some of them.',
        )
        return
      }
      if (!alone) continue
      for (const text of own) {
        const block = parseCidr(text)
        const taken = block === null ? null : tree.add(block, byNetwork.length - 1)
        const other = taken === null ? zone : byNetwork[taken]
        if (other !== zone)
          findings.problem(
            main,
            at,
            `${text} is in the zone "${other}" already`,
            'A caller is in one zone: leave it in one.',
          )
      }
    }
  }
}

/** Null: a name that is not declared. */
function blocksOf(network: string, networks: Config['networks']): readonly string[] | null {
  if (Object.hasOwn(networks, network)) return networks[network] ?? []
  return parseCidr(network) === null ? null : [network]
}

function isEmpty({ networks, clients, workloads }: ZoneSettings): boolean {
  return networks.length === 0 && clients.length === 0 && workloads.length === 0
}

function known(word: string, names: readonly string[], under: string): string {
  const close = nearest(word, names)
  if (close !== null) return `Did you mean "${close}"?`
  return names.length === 0 ? `Add it under ${under}.` : `Under ${under} stand: ${names.join(', ')}.`
}
