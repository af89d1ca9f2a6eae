import type { Checkpoint, Decision, DecisionInput, PolicyEngine } from '../model/decision.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { Subject } from '../model/subject.ts'
import { ANONYMOUS, principalId } from '../model/subject.ts'
import { nearest } from '../syntax/nearest.ts'
import type { ApiOperations } from './cedar/schema.ts'
import { templateParameters } from './cedar/schema.ts'
import { decide } from './decide.ts'
import { checkScopes } from './floor.ts'
import type { PolicyTest, PolicyTestCall } from './policy-test-file.ts'
import { callOf, policyTestFileSchema } from './policy-test-file.ts'

export type TestVerdict = 'allow' | 'deny' | 'pending'

export interface PolicyTestResult {
  readonly file: string
  /** The test's name; empty where the file itself is at fault. */
  readonly name: string
  readonly ok: boolean
  readonly expected: TestExpectation
  /** Null where the test could not be run. */
  readonly seen: Required<TestExpectation> | null
  /** What is wrong, in one line; empty where it passed. */
  readonly problem: string
}

export interface TestExpectation {
  readonly verdict: TestVerdict
  readonly reasons?: readonly string[]
  readonly policies?: readonly string[]
}

/** An API's operations, and what tests may leave out. */
export interface TestedApi extends ApiOperations {
  /** Issuer of callers whose test names none: the API's first accepted one. */
  readonly issuer?: string
  readonly credential?: 'replace' | 'pass'
}

/**
 * Runs policy tests through the floor and the same `decide` the gate uses. The verdict is that of the operation's
 * last checkpoint unless the test names one; an owner it gives is known there, one it leaves out is not.
 */
export function runPolicyTests(input: {
  readonly files: readonly { readonly file: string; readonly data: unknown }[]
  readonly apis: readonly TestedApi[]
  readonly engine: PolicyEngine
}): readonly PolicyTestResult[] {
  const operations = new Map<string, { plan: OperationPlan; api: TestedApi }>()
  for (const api of input.apis) for (const plan of api.operations) operations.set(plan.key, { plan, api })
  return input.files.flatMap(({ file, data }) => {
    const parsed = policyTestFileSchema.safeParse(data)
    if (!parsed.success) {
      return parsed.error.issues.map(({ path, message }) =>
        unrunnable(file, '', `${path.join('.') || 'file'}: ${message}`),
      )
    }
    return parsed.data.tests.map((test) => {
      const call = callOf(test)
      const found = operations.get(call.operation)
      if (found === undefined) {
        const close = nearest(call.operation, [...operations.keys()])
        const hint = close === null ? '' : `; the nearest is ${close}`
        return unrunnable(file, test.name, `there is no operation ${call.operation}${hint}`, test)
      }
      return runTest(file, test, call, found.plan, found.api, input.engine)
    })
  })
}

function runTest(
  file: string,
  test: PolicyTest,
  call: PolicyTestCall,
  plan: OperationPlan,
  api: TestedApi,
  engine: PolicyEngine,
): PolicyTestResult {
  const subject = subjectOf(test, api)
  if (subject === null) {
    return unrunnable(file, test.name, 'given.principal: write issuer, or id as <issuer>/<sub>', test)
  }
  const last = lastCheckpoint(plan)
  const checkpoint = call.checkpoint ?? last
  const scopes = checkScopes(plan.security, subject, api.credential)
  const input = inputOf(test, call, plan, subject, checkpoint, scopes.met)
  const decision = decide({
    checkpoint,
    mode: 'enforce',
    bundle: '',
    plan,
    subject,
    findings: [],
    scopes,
    policy: engine.evaluate(input),
    input,
    last: ORDER[checkpoint] >= ORDER[last],
  })
  return compare(file, test, decision)
}

function compare(file: string, test: PolicyTest, decision: Decision): PolicyTestResult {
  const seen = {
    verdict: decision.pending ? 'pending' : decision.effect === 'allow' ? 'allow' : 'deny',
    reasons: decision.reasons.map(({ code }) => code),
    policies: decision.policies,
  } as const
  const problems: string[] = []
  if (seen.verdict !== test.verdict) problems.push(`expected ${test.verdict}, got ${seen.verdict}`)
  const codes: readonly string[] = seen.reasons
  const reasons = (test.reasons ?? []).filter((code) => !codes.includes(code))
  if (reasons.length > 0) problems.push(`expected reason ${reasons.join(', ')}, got ${codes.join(', ')}`)
  const policies = (test.policies ?? []).filter((id) => !seen.policies.includes(id))
  if (policies.length > 0) {
    problems.push(`expected policy ${policies.join(', ')}, got ${seen.policies.join(', ') || 'none'}`)
  }
  const problem = problems.join('; ')
  return { file, name: test.name, ok: problem === '', expected: expectation(test), seen, problem }
}

function subjectOf({ given }: PolicyTest, api: TestedApi): Subject | null {
  const { principal } = given
  if (principal.type === 'Anonymous') return ANONYMOUS
  const id = principal.id ?? ''
  const slash = id.indexOf('/')
  const issuer = principal.issuer ?? (slash > 0 ? id.slice(0, slash) : api.issuer)
  if (issuer === undefined || id === '') return null
  const bare = principal.issuer === undefined && slash > 0 ? id.slice(slash + 1) : id
  return {
    ...ANONYMOUS,
    kind: principal.type === 'User' ? 'user' : 'client',
    issuer,
    iss: issuer,
    id: bare,
    client: principal.client ?? (principal.type === 'Client' ? bare : ''),
    groups: principal.groups,
    scopes: principal.scopes,
    audience: [api.api],
    ...(principal.acr === undefined ? {} : { acr: principal.acr }),
    tenant: principal.tenant,
  }
}

function inputOf(
  { given }: PolicyTest,
  call: PolicyTestCall,
  plan: OperationPlan,
  subject: Subject,
  checkpoint: 'head' | 'body' | 'response',
  scopesMet: boolean,
): DecisionInput {
  const object = plan.object
  const stated = object !== undefined && object.ownerKnownAt !== 'never'
  const known = stated && ORDER[checkpoint] >= ORDER[object.ownerKnownAt]
  const owner = known && object.owner !== undefined ? given.object.owner : undefined
  const tenant = known && object.tenant !== undefined ? given.object.tenant : undefined
  const unknown: ('owner' | 'tenant')[] = []
  if (object?.owner !== undefined && owner === undefined) unknown.push('owner')
  if (object?.tenant !== undefined && tenant === undefined) unknown.push('tenant')
  const params = Object.fromEntries(
    templateParameters(plan.template).map((name) => [name, given.object.params[name] ?? 'example']),
  )
  return {
    checkpoint,
    principal: {
      type: given.principal.type,
      id: principalId(subject),
      groups: subject.groups.map((group) => qualified(group, subject.issuer)),
      client: subject.client,
      tenant: subject.tenant,
    },
    action: plan.key,
    resource: {
      api: plan.api,
      objectType: object?.type ?? '',
      params,
      ...(owner === undefined ? {} : { owner: qualified(owner, object?.issuer ?? subject.issuer) }),
      ...(tenant === undefined ? {} : { tenant }),
      unknown,
    },
    context: {
      scopes: subject.scopes,
      scopesMet,
      issuer: subject.iss,
      audience: subject.audience,
      ...(subject.acr === undefined ? {} : { acr: subject.acr }),
      tokenAgeSeconds: given.principal.tokenAgeSeconds,
      method: call.method ?? plan.method,
      path: call.path ?? filled(plan.template, params),
      ip: call.ip,
    },
  }
}

/** `staff` of issuer corp is `corp/staff`; what has a slash is taken as written. */
function qualified(name: string, issuer: string): string {
  return name.includes('/') ? name : `${issuer}/${name}`
}

function filled(template: string, params: Readonly<Record<string, string>>): string {
  let path = template
  for (const [name, value] of Object.entries(params)) path = path.replaceAll(`{${name}}`, () => value)
  return path
}

const ORDER: Readonly<Record<Checkpoint, number>> = { head: 0, body: 1, response: 2, message: 3 }

/** The last checkpoint that can still allow: an answer's owner is judged with the answer, all else before. */
function lastCheckpoint(plan: OperationPlan): 'body' | 'response' {
  return plan.object?.ownerKnownAt === 'response' ? 'response' : 'body'
}

function expectation(test: PolicyTest): TestExpectation {
  return {
    verdict: test.verdict,
    ...(test.reasons === undefined ? {} : { reasons: test.reasons }),
    ...(test.policies === undefined ? {} : { policies: test.policies }),
  }
}

function unrunnable(file: string, name: string, problem: string, test?: PolicyTest): PolicyTestResult {
  const expected = test === undefined ? ({ verdict: 'deny' } as const) : expectation(test)
  return { file, name, ok: false, expected, seen: null, problem }
}
