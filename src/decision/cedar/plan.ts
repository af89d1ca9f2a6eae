import { z } from 'zod'
import type { PolicyPlan } from '../../model/bundle.ts'
import { SallyportError } from '../../model/errors.ts'
import type { Policy } from './est.ts'

/** What `PolicyPlan.detail` holds: policies in Cedar's JSON form, with what was worked out of them at load. */
export interface CedarPlan {
  readonly format: 1
  readonly policies: readonly CompiledPolicy[]
  /** Every API of the bundle with its operations' actions and the groups of each. */
  readonly apis: Readonly<Record<string, { readonly actions: Readonly<Record<string, readonly string[]>> }>>
}

export interface CompiledPolicy {
  /** `@id("…")`, else `<file>#<n>`, counted from 1. */
  readonly id: string
  /** APIs whose calls it can decide. */
  readonly apis: readonly string[]
  readonly reads: readonly string[]
  readonly policy: Policy
}

const scope = z.looseObject({ op: z.enum(['All', '==', 'in', 'is']) })
const compiledPolicy = z.strictObject({
  id: z.string().min(1),
  apis: z.array(z.string()),
  reads: z.array(z.string()),
  policy: z.looseObject({
    effect: z.enum(['permit', 'forbid']),
    principal: scope,
    action: scope,
    resource: scope,
    conditions: z.array(
      z.strictObject({ kind: z.enum(['when', 'unless']), body: z.record(z.string(), z.unknown()) }),
    ),
  }),
})
const cedarPlan = z.strictObject({
  format: z.literal(1),
  policies: z.array(compiledPolicy),
  apis: z.record(z.string(), z.strictObject({ actions: z.record(z.string(), z.array(z.string())) })),
})

/** @throws {SallyportError} `bundle-corrupt` where the bundle's policies are not in the form `compilePolicies` gives. */
export function readPlan(plan: PolicyPlan): CedarPlan {
  const parsed = cedarPlan.safeParse(plan.detail)
  if (parsed.success) return plan.detail as CedarPlan
  const [issue] = parsed.error.issues
  throw new SallyportError('bundle-corrupt', 'the bundle’s policies are not in a form this version reads', {
    at: (issue?.path ?? []).join('/'),
  })
}
