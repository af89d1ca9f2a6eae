import type { Decision, PolicyEngine } from '../model/decision.ts'
import type { OperationPlan } from '../model/operation.ts'
import { nearest } from '../syntax/nearest.ts'
import type { ApiOperations } from './cedar/schema.ts'
import { decide } from './decide.ts'
import { itemVerdict, namesItems } from './items.ts'
import type { PolicyTest } from './policy-test-file.ts'
import { callOf, policyTestFileSchema } from './policy-test-file.ts'
import { itemsOf, type TestedCall, testedCall } from './policy-test-input.ts'

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
  readonly items?: readonly ('allow' | 'deny')[]
}

/** An API's operations, and what tests may leave out. */
export interface TestedApi extends ApiOperations {
  /** Issuer of callers whose test names none: the API's first accepted one. */
  readonly issuer?: string
  readonly credential?: 'replace' | 'pass'
}

/** A test that can be run, and the call it makes. */
export interface PreparedTest {
  readonly file: string
  readonly test: PolicyTest
  readonly plan: OperationPlan
  readonly call: TestedCall
}

interface TestInput {
  readonly files: readonly { readonly file: string; readonly data: unknown }[]
  readonly apis: readonly TestedApi[]
}

/** The calls of all tests, and results for what is no test that can be run. */
export function prepareTests({ files, apis }: TestInput): readonly (PreparedTest | PolicyTestResult)[] {
  const operations = new Map<string, { plan: OperationPlan; api: TestedApi }>()
  for (const api of apis) for (const plan of api.operations) operations.set(plan.key, { plan, api })
  return files.flatMap(({ file, data }): readonly (PreparedTest | PolicyTestResult)[] => {
    const parsed = policyTestFileSchema.safeParse(data)
    if (!parsed.success) {
      return parsed.error.issues.map(({ path, message }) =>
        unrunnable(file, '', `${path.join('.') || 'file'}: ${message}`),
      )
    }
    return parsed.data.tests.map((test) => {
      const { operation } = callOf(test)
      const found = operations.get(operation)
      if (found === undefined) {
        const close = nearest(operation, [...operations.keys()])
        const hint = close === null ? '' : `; the nearest is ${close}`
        return unrunnable(file, test.name, `there is no operation ${operation}${hint}`, test)
      }
      const call = testedCall(test, found.plan, found.api)
      if (typeof call === 'string') return unrunnable(file, test.name, call, test)
      return { file, test, plan: found.plan, call }
    })
  })
}

/**
 * Runs policy tests through the floor and the same `decide` the gate uses. The verdict is that of the operation's
 * last checkpoint unless the test names one; an owner it gives is known there, one it leaves out is not.
 */
export function runPolicyTests(
  input: TestInput & { readonly engine: PolicyEngine },
): readonly PolicyTestResult[] {
  return prepareTests(input).map((test) => ('call' in test ? runTest(test, input.engine) : test))
}

function runTest({ file, test, plan, call }: PreparedTest, engine: PolicyEngine): PolicyTestResult {
  const { checkpoint, subject, scopes, input, last } = call
  const policy = engine.evaluate(input)
  const items = itemsOf(test, call, plan)
  const param = plan.object?.items?.param
  // Who is allowed whoever owns them, and whichever they are, sees all of them.
  const one = policy.verdict === 'pending' || (policy.verdict === 'allow' && namesItems(engine, input, param))
  const rows = items.map((item) =>
    one ? itemVerdict(engine, input, item, param) : { effect: policy.verdict, policies: [] },
  )
  const released = rows.filter(({ effect }) => effect === 'allow').length
  const judged = { judged: rows.length, released, rows: rows.map((row) => ({ ...row, count: 1 })) }
  const decision = decide({
    checkpoint,
    mode: 'enforce',
    bundle: '',
    plan,
    subject,
    findings: [],
    scopes,
    policy,
    input,
    last,
    ...(one && test.answer?.items !== undefined ? { items: judged } : {}),
  })
  return compare(
    file,
    test,
    decision,
    rows.map(({ effect }) => effect),
  )
}

function compare(
  file: string,
  test: PolicyTest,
  decision: Decision,
  items: readonly ('allow' | 'deny')[],
): PolicyTestResult {
  const seen = {
    verdict: decision.pending ? 'pending' : decision.effect === 'allow' ? 'allow' : 'deny',
    reasons: decision.reasons.map(({ code }) => code),
    policies: decision.policies,
    items,
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
  if (test.items !== undefined && test.items.join() !== items.join()) {
    problems.push(`expected items ${test.items.join(', ')}, got ${items.join(', ') || 'none'}`)
  }
  const problem = problems.join('; ')
  return { file, name: test.name, ok: problem === '', expected: expectation(test), seen, problem }
}

function expectation(test: PolicyTest): TestExpectation {
  return {
    verdict: test.verdict,
    ...(test.reasons === undefined ? {} : { reasons: test.reasons }),
    ...(test.policies === undefined ? {} : { policies: test.policies }),
    ...(test.items === undefined ? {} : { items: test.items }),
  }
}

function unrunnable(file: string, name: string, problem: string, test?: PolicyTest): PolicyTestResult {
  const expected = test === undefined ? ({ verdict: 'deny' } as const) : expectation(test)
  return { file, name, ok: false, expected, seen: null, problem }
}
