import { z } from 'zod'

/** The form of a `*.test.yaml` beside policies: given who, calls what, then which verdict and why. */

const name = z.string().min(1).max(500)
const names = z.array(name).max(10_000)

export const principalSchema = z.strictObject({
  type: z.enum(['User', 'Client', 'Anonymous']).default('User'),
  /** Config name of the issuer; left out: the one of an id written `<issuer>/<sub>`, else the API's first. */
  issuer: name.optional(),
  id: name.optional(),
  groups: names.default([]),
  scopes: names.default([]),
  client: z.string().max(500).optional(),
  tenant: name.default('default'),
  acr: name.optional(),
  tokenAgeSeconds: z.number().int().min(0).default(0),
})

export const objectSchema = z.strictObject({
  /** `<issuer>/<sub>`, or a bare subject of the object rule's issuer. */
  owner: name.optional(),
  tenant: name.optional(),
  params: z.record(z.string(), z.string()).default({}),
})

const callSchema = z.strictObject({
  operation: name,
  method: name.optional(),
  path: name.optional(),
  ip: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
  /** Left out: the last one of the operation. */
  checkpoint: z.enum(['head', 'body', 'response']).optional(),
})

export const policyTestSchema = z.strictObject({
  name,
  given: z.strictObject({
    principal: principalSchema,
    object: objectSchema.default({ params: {} }),
  }),
  call: z.union([name, callSchema]),
  verdict: z.enum(['allow', 'deny', 'pending']),
  /** Reason codes that must be among those seen. */
  reasons: names.optional(),
  /** Ids of policies that must be among those that decided. */
  policies: names.optional(),
})

/** More cases than anyone reads; a reload waits for all of them. */
const MAX_TESTS = 10_000

export const policyTestFileSchema = z.strictObject({ tests: z.array(policyTestSchema).max(MAX_TESTS) })

export type PolicyTest = z.infer<typeof policyTestSchema>

export type PolicyTestCall = z.infer<typeof callSchema>

/** A call written as a bare name is that operation with nothing special about it. */
export function callOf({ call }: PolicyTest): PolicyTestCall {
  return typeof call === 'string' ? { operation: call, ip: '127.0.0.1' } : call
}
