import type { TokenOptions } from './provider.ts'
import type { UpstreamCall } from './shop.ts'

// The scripted tour: eleven calls that show each checkpoint at work, with the verdict each must get. It drives any
// entrance: the gate over sockets (demo.ts) or the same pipeline in memory (test/e2e/tour.test.ts).

export interface TourStep {
  readonly name: string
  readonly expected: { readonly effect: 'allow' | 'deny'; readonly status: number }
  readonly seen: { readonly effect: string; readonly status: number }
  readonly decision: { readonly id: string; readonly reasons: readonly string[] }
  /** What reached the upstream, look-ups by the gate included as such; null where nothing did. */
  readonly upstream:
    | readonly { readonly method: string; readonly path: string; readonly body: string }[]
    | null
  readonly ok: boolean
}

export interface TourResult {
  readonly ok: boolean
  readonly steps: readonly TourStep[]
}

export interface TourAnswer {
  /** Exchange id, as the answer names it. */
  readonly id: string
  readonly status: number
  readonly body: string
}

export interface TourRecord {
  readonly effect: string
  readonly reasons: readonly string[]
}

/** What the tour is driven through. */
export interface TourDrive {
  token(person: string, options?: TokenOptions): Promise<string>
  call(method: string, path: string, token: string | null, body?: unknown): Promise<TourAnswer>
  /** Every call the upstream has seen so far, oldest first. */
  reached(): readonly UpstreamCall[]
  /** Records by exchange id, once the calls are over. */
  records(ids: readonly string[]): Promise<ReadonlyMap<string, TourRecord>>
}

interface Planned {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly token: (drive: TourDrive) => Promise<string | null>
  readonly body?: unknown
  readonly effect: 'allow' | 'deny'
  readonly status: number
  /** A reason the record must give. */
  readonly reason: string
  /** Methods and paths that must have reached the upstream, in order: `GET /v1/…`. */
  readonly reaches: readonly string[]
  readonly answer?: (body: string) => boolean
}

const OWN = '/v1/orders/o-1001'
const FOREIGN = '/v1/orders/o-1002'

const STEPS: readonly Planned[] = [
  {
    name: 'allowed call',
    method: 'GET',
    path: OWN,
    token: (drive) => drive.token('ana'),
    effect: 'allow',
    status: 200,
    reason: 'policy-permits',
    reaches: [`GET ${OWN}`],
  },
  {
    name: 'no token',
    method: 'GET',
    path: OWN,
    token: async () => null,
    effect: 'deny',
    status: 401,
    reason: 'token-missing',
    reaches: [],
  },
  {
    name: 'forged token',
    method: 'GET',
    path: OWN,
    token: async (drive) => forge(await drive.token('ben')),
    effect: 'deny',
    status: 401,
    reason: 'signature-invalid',
    reaches: [],
  },
  {
    name: 'expired token',
    method: 'GET',
    path: OWN,
    token: (drive) => drive.token('ana', { ttlSeconds: -600 }),
    effect: 'deny',
    status: 401,
    reason: 'token-expired',
    reaches: [],
  },
  {
    name: 'token for another API',
    method: 'GET',
    path: OWN,
    token: (drive) => drive.token('ana', { resource: 'https://billing.example' }),
    effect: 'deny',
    status: 401,
    reason: 'audience-mismatch',
    reaches: [],
  },
  {
    name: 'wrong scope',
    method: 'PATCH',
    path: '/v1/customers/ana',
    token: (drive) => drive.token('ana'),
    body: { phone: '+32470000009' },
    effect: 'deny',
    status: 403,
    reason: 'insufficient-scope',
    reaches: [],
  },
  {
    name: 'unknown field',
    method: 'PATCH',
    path: OWN,
    token: (drive) => drive.token('ana'),
    body: { note: 'ring twice', isAdmin: true },
    effect: 'deny',
    status: 400,
    reason: 'field-undeclared',
    reaches: [],
  },
  {
    name: 'unknown path',
    method: 'GET',
    path: '/v1/debug/heap',
    token: (drive) => drive.token('olga'),
    effect: 'deny',
    status: 404,
    reason: 'route-unknown',
    reaches: [],
  },
  {
    name: "someone else's order read",
    method: 'GET',
    path: FOREIGN,
    token: (drive) => drive.token('ana'),
    effect: 'deny',
    status: 404,
    reason: 'owner-differs',
    // Only the upstream knows whose it is: it is asked, and its answer is kept back.
    reaches: [`GET ${FOREIGN}`],
    answer: (body) => !body.includes('customerId'),
  },
  {
    name: "someone else's order changed",
    method: 'PATCH',
    path: FOREIGN,
    token: (drive) => drive.token('ana'),
    body: { note: 'mine now' },
    effect: 'deny',
    status: 404,
    reason: 'owner-differs',
    // The look-up alone: the change itself never arrives.
    reaches: [`GET ${FOREIGN}`],
  },
  {
    name: 'over-shared field removed',
    method: 'GET',
    path: '/v1/payments/p-501',
    token: (drive) => drive.token('ana'),
    effect: 'allow',
    status: 200,
    reason: 'response-field-dropped',
    reaches: ['GET /v1/payments/p-501'],
    answer: (body) => body.includes('p-501') && !body.includes('cardNumber') && !body.includes('iban'),
  },
]

export async function runTour(
  drive: TourDrive,
  onStep: (step: string) => void = () => undefined,
): Promise<TourResult> {
  const played: { plan: Planned; answer: TourAnswer; reached: readonly UpstreamCall[] }[] = []
  for (const plan of STEPS) {
    onStep(plan.name)
    const before = drive.reached().length
    const answer = await drive.call(plan.method, plan.path, await plan.token(drive), plan.body)
    played.push({ plan, answer, reached: drive.reached().slice(before) })
  }
  const records = await drive.records(played.map(({ answer }) => answer.id))
  const steps = played.map(({ plan, answer, reached }): TourStep => {
    const record = records.get(answer.id)
    const reasons = record?.reasons ?? []
    const seen = { effect: record?.effect ?? 'unrecorded', status: answer.status }
    const arrived = reached.map(({ method, path }) => `${method} ${path}`)
    const ok =
      seen.effect === plan.effect &&
      seen.status === plan.status &&
      reasons.includes(plan.reason) &&
      arrived.join() === plan.reaches.join() &&
      (plan.answer?.(answer.body) ?? true)
    return {
      name: plan.name,
      expected: { effect: plan.effect, status: plan.status },
      seen,
      decision: { id: answer.id, reasons },
      upstream:
        reached.length === 0 ? null : reached.map(({ method, path, body }) => ({ method, path, body })),
      ok,
    }
  })
  return { ok: steps.every(({ ok }) => ok), steps }
}

/** The same token with another subject and the old signature. */
function forge(token: string): string {
  const [head = '', payload = '', signature = ''] = token.split('.')
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'ana' })).toString('base64url')
  return `${head}.${forged}.${signature}`
}
