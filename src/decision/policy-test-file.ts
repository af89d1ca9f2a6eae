import { z } from 'zod'

/** The form of a `*.test.yaml` beside policies: given who, calls what, then which verdict and why. */

const name = z.string().min(1).max(500)
const names = z.array(name).max(10_000)

export const principalSchema = z.strictObject({
  type: z.enum(['User', 'Client', 'Workload', 'Anonymous']).default('User'),
  /** Config name of the issuer; left out: the one of an id written `<issuer>/<sub>`, else the API's first. */
  issuer: name.optional(),
  id: name.optional(),
  groups: names.default([]),
  roles: names.optional(),
  /** Name of the trust zone it calls from. */
  zone: name.optional(),
  scopes: names.default([]),
  client: z.string().max(500).optional(),
  tenant: name.default('default'),
  acr: name.optional(),
  tokenAgeSeconds: z.number().int().min(0).default(0),
  /** How it authenticated (RFC 8176), and how long ago. */
  amr: names.optional(),
  authAgeSeconds: z.number().int().min(0).optional(),
  device: z
    .strictObject({ id: name, compliant: z.boolean().optional(), managed: z.boolean().optional() })
    .optional(),
})

export const objectSchema = z.strictObject({
  /** `<issuer>/<sub>`, or a bare subject of the object rule's issuer. */
  owner: name.optional(),
  tenant: name.optional(),
  params: z.record(z.string(), z.string()).default({}),
})

/** What surrounds the call. What is left out is not known, but for the time: a Monday's noon. */
export const contextSchema = z.strictObject({
  ip: z.union([z.ipv4(), z.ipv6()]).optional(),
  /** Names of the declared networks that hold the address. */
  networks: names.optional(),
  time: z
    .strictObject({
      at: z.iso.datetime({ offset: true }),
      /** IANA name of the place whose clock policies read. */
      zone: name.refine(isTimeZone, 'is no IANA time zone').default('UTC'),
    })
    .optional(),
  geo: z
    .strictObject({ country: name, asn: z.number().int().min(0).max(4_294_967_295).optional() })
    .optional(),
  risk: z.number().int().min(0).max(100).optional(),
  rates: z.strictObject({ callerPerMinute: z.number().int().min(0) }).optional(),
  message: z.strictObject({ kind: name, bytes: z.number().int().min(0) }).optional(),
})

const itemSchema = z.strictObject({ id: name.optional(), owner: name.optional(), tenant: name.optional() })

/** What the upstream's answer states: of one object, or of each item of a list. */
export const answerSchema = z.strictObject({
  owner: name.optional(),
  tenant: name.optional(),
  items: z.array(itemSchema).max(1000).optional(),
})

const callSchema = z.strictObject({
  operation: name,
  method: name.optional(),
  path: name.optional(),
  ip: z.union([z.ipv4(), z.ipv6()]).optional(),
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
  context: contextSchema.optional(),
  answer: answerSchema.optional(),
  verdict: z.enum(['allow', 'deny', 'pending']),
  /** Reason codes that must be among those seen. */
  reasons: names.optional(),
  /** Ids of policies that must be among those that decided. */
  policies: names.optional(),
  /** Of a list: what becomes of each of `answer.items`, in their order. */
  items: z.array(z.enum(['allow', 'deny'])).optional(),
})

/** More cases than anyone reads; a reload waits for all of them. */
const MAX_TESTS = 10_000

export const policyTestFileSchema = z.strictObject({ tests: z.array(policyTestSchema).max(MAX_TESTS) })

export type PolicyTest = z.infer<typeof policyTestSchema>

export type PolicyTestCall = z.infer<typeof callSchema>

/** A call written as a bare name is that operation with nothing special about it. */
export function callOf({ call }: PolicyTest): PolicyTestCall {
  return typeof call === 'string' ? { operation: call } : call
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
