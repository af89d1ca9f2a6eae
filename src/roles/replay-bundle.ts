import { type Distinction, splitTemplate } from '../contract/distinction.ts'
import { Router } from '../contract/router.ts'
import { CedarEngine } from '../decision/cedar/evaluate.ts'
import { readPlan } from '../decision/cedar/plan.ts'
import { JoinedPlan } from '../decision/cedar/plan-parts.ts'
import { operationReads } from '../decision/cedar/scope-cover.ts'
import { type BundleOutline, OutlineBuilder } from '../decision/replay/outline.ts'
import type { ReplayBundle } from '../decision/replay/replayed.ts'
import { ApiTable } from '../enforcement/route.ts'
import { ZoneTable } from '../enforcement/zones.ts'
import { SallyportError } from '../model/errors.ts'
import { readBundle } from '../store/bundle-files.ts'
import { parseIp } from '../syntax/ip.ts'
import { parseTarget } from '../syntax/uri.ts'

const UNKNOWN: readonly Distinction[] = [{ in: 'header', name: '' }]
const NOWHERE = { api: '', operation: '' }

/** A bundle as records are held against it: without its validators, which find nothing in a record. */
export function readReplayBundle(file: string, hash: string): ReplayBundle {
  const builder = new OutlineBuilder(hash)
  const joined = new JoinedPlan()
  for (const part of readBundle(file, hash)) {
    builder.add(part)
    if (part.part === 'policies') joined.start(part.policies)
    else if (part.part === 'policy-list') joined.add(part.policies)
  }
  const policies = joined.finish()
  const outline = builder.finish()
  if (outline === null || policies === null)
    throw new SallyportError('bundle-corrupt', 'the bundle lacks a part', { file, hash })
  const engine = new CedarEngine(policies)
  const routers = new Map<string, Router<string>>()
  for (const [name, { operations }] of outline.apis) {
    const router = new Router<string>()
    for (const { plan } of operations.values()) {
      const { path, when } = splitTemplate(plan.template, [])
      const distinguished = path === plan.template ? [] : (when ?? UNKNOWN)
      router.add(plan.method, path, plan.key, distinguished)
    }
    routers.set(name, router)
  }
  const apis = new ApiTable(
    [...outline.apis.values()].map(({ plan }) => ({ plan, contract: null, policies: engine })),
  )
  const plan = readPlan(policies)
  return {
    outline,
    engine,
    reads: (api, operation) => operationReads(plan, api, operation),
    route: (method, host, path) => {
      const target = parseTarget(path)
      if (!target.ok) return NOWHERE
      const found = apis.match(host, target.path, target.segments)
      if (found.kind !== 'api') return NOWHERE
      const { name } = found.api.plan
      const router = routers.get(name)
      // A record holds no query and no fields: which of them is meant cannot be told.
      if (router?.distinguishes(method, found.segments) === true) return null
      const matched = router?.match(method, found.segments)
      return { api: name, operation: matched?.kind === 'match' ? matched.target : '' }
    },
    zone: zonesOf(outline),
  }
}

function zonesOf({ head, apis }: BundleOutline): ReplayBundle['zone'] {
  const { zones = [], flows = [], networks = {} } = head
  if (zones.length === 0) return null
  const contracted = [...apis.values()].map(({ plan, operations }) => ({
    plan,
    operations: [...operations.values()].map((operation) => operation.plan),
  }))
  const table = new ZoneTable({ zones, flows, networks, apis: contracted })
  return (subject, address, api, operation) => {
    const bytes = parseIp(address)?.bytes
    const place = table.placeOf(subject, bytes ?? UNSPECIFIED)
    return { zone: place.zone, against: table.against(place, api, operation, true) }
  }
}

/** Stands for an address that cannot be read: `::` belongs to no caller (RFC 4291 §2.5.2). */
const UNSPECIFIED = new Uint8Array(16)
