import { z } from 'zod'
import type { FlowPlan, ZonePlan } from '../model/bundle.ts'
import { parseCidr } from '../syntax/cidr.ts'
import { name, refuse } from './forms.ts'

/** Trust zones, who is in them, and which calls go between them (NIST SP 800-207 §3.1.2). */

const MAX_ZONES = 200
const MAX_FLOWS = 1000
const MAX_MEMBERS = 500

const network = z
  .string()
  .max(64)
  .superRefine((text, context) => {
    if (name.safeParse(text).success || parseCidr(text) !== null) return
    refuse(
      context,
      'must be the name of a network, or an address block without bits beyond its prefix',
      'For example office (of networks), 10.1.0.0/16, "::/0" or 192.0.2.7.',
    )
  })

const identity = z
  .string()
  .max(2200)
  .regex(
    /^[a-z][a-z0-9-]{0,62}\/[^\p{C}*]+$/u,
    'must be <issuer>/<id>, the issuer by its name in identity.issuers: corp/batch',
  )

const workload = z
  .string()
  .max(2200)
  .regex(
    /^[a-z][a-z0-9-]{0,62}\/(?:[^\p{C}*]+|(?:[^\p{C}*]*\/)?\*)$/u,
    // `billing*` would let `billing-of-somebody-else` in.
    'must be <issuer>/<id>; a * stands at the end and after a / only: corp/spiffe://example/ns/billing/*',
  )

const zone = z.strictObject({
  networks: z
    .array(network)
    .max(MAX_MEMBERS)
    .default([])
    .describe(
      'Names of `networks`, or address blocks. Alone, who calls from there is in the zone, the longest block first; beside `clients` or `workloads`, those are in it only while they call from there.',
    ),
  clients: z
    .array(identity)
    .max(MAX_MEMBERS)
    .default([])
    .describe('`<issuer>/<client>`: whoever calls with a token of that client.'),
  workloads: z
    .array(workload)
    .max(MAX_MEMBERS)
    .default([])
    .describe('`<issuer>/<id>` of workloads; a `*` after the last `/` stands for the rest.'),
})

const flow = z.strictObject({
  from: name.describe('The zone the caller is in.'),
  to: name.describe('The zone the API stands in.'),
  operations: z
    .array(z.string().min(1).max(512))
    .min(1)
    .max(MAX_MEMBERS)
    .optional()
    .describe(
      'Operations (`shop.getOrder`) and groups of them (`shop/read`, `shop/tag/orders`) that may be called. Left out: all of the zone.',
    ),
})

export const zones = z
  .record(name, zone)
  .default({})
  .superRefine((declared, context) => {
    if (Object.keys(declared).length <= MAX_ZONES) return
    refuse(context, `must be ${MAX_ZONES} zones at most`, 'Join some of them.')
  })
  .describe(
    'Trust zones by name: who is in each. Once there is one, every API stands in a zone (`apis.*.zone`) and takes the calls that `flows` allows.',
  )

export const flows = z
  .array(flow)
  .max(MAX_FLOWS)
  .default([])
  .describe(
    'Which calls go between zones; all others are denied as `lateral-movement`, within a zone too: a zone whose APIs call one another needs a flow to itself.',
  )

export type ZoneSettings = z.infer<typeof zone>
export type FlowSettings = z.infer<typeof flow>

/** Sorted, so that the order of keys in a file does not change the bundle's hash. */
export function zonePlans(declared: Readonly<Record<string, ZoneSettings>>): readonly ZonePlan[] {
  return Object.entries(declared)
    .map(([zoneName, { networks, clients, workloads }]) => ({
      name: zoneName,
      networks: sorted(networks),
      clients: sorted(clients),
      workloads: sorted(workloads),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function flowPlans(declared: readonly FlowSettings[]): readonly FlowPlan[] {
  return declared
    .map(({ from, to, operations }) => ({ from, to, operations: sorted(operations ?? []) }))
    .map((plan) => ({ plan, key: JSON.stringify([plan.from, plan.to, plan.operations]) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ plan }) => plan)
}

function sorted(list: readonly string[]): readonly string[] {
  return [...new Set(list)].sort()
}
