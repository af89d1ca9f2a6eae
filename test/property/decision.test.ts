import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { recordInput, replayInput } from '../../src/decision/attributes.ts'
import { compilePolicies } from '../../src/decision/cedar/compile.ts'
import { CedarEngine } from '../../src/decision/cedar/evaluate.ts'
import type { JudgeInput } from '../../src/decision/decide.ts'
import { decide } from '../../src/decision/decide.ts'
import { reevaluate } from '../../src/decision/explain.ts'
import { checkScopes } from '../../src/decision/floor.ts'
import { smallestChange } from '../../src/decision/smallest-change.ts'
import type { DecisionInput } from '../../src/model/decision.ts'
import type { OperationPlan } from '../../src/model/operation.ts'
import { opposes, REASONS } from '../../src/model/reason.ts'
import type { Subject } from '../../src/model/subject.ts'
import { ANONYMOUS } from '../../src/model/subject.ts'

const PLAN: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: ['orders'],
  kind: 'read',
  deprecated: false,
  security: { need: 'required', alternatives: [] },
  object: {
    type: 'order',
    owner: ['customerId'],
    tenant: ['tenant'],
    hideAbsent: true,
    ownerKnownAt: 'response',
  },
}
const APIS = [{ api: 'shop', operations: [PLAN] }]
const ANA: Subject = { ...ANONYMOUS, kind: 'user', issuer: 'corp', id: 'ana' }

function engineOf(policies: readonly string[]): CedarEngine {
  const { plan } = compilePolicies({ files: [{ file: 'p.cedar', text: policies.join('\n') }], apis: APIS })
  return new CedarEngine(plan, { generated: 'always' })
}

function using<T>(policies: readonly string[], use: (engine: CedarEngine) => T): T {
  const engine = engineOf(policies)
  try {
    return use(engine)
  } finally {
    engine.close()
  }
}

/** Conditions of every kind: decided at once, waiting for owner or tenant, and failing by overflow. */
const ATOMS = [
  'context.scopesMet',
  'context.method == "GET"',
  'context.path like "/v1/*"',
  'principal in Group::"corp/staff"',
  'principal == User::"corp/ana"',
  'context has acr && context.acr == "2"',
  'context.tokenAgeSeconds * 9007199254740991 * 9007199254740991 > 0',
  'resource.params has orderId && resource.params.orderId == "o-1"',
  'resource has owner && resource.owner == principal',
  'resource has owner && resource.owner != principal',
  '!(resource has owner)',
  'resource has tenant && resource.tenant == principal.tenant',
  'resource has owner && resource.owner == principal && context.tokenAgeSeconds * 9007199254740991 * 9007199254740991 > 0',
] as const

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...ATOMS),
    fc
      .tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression'))
      .map(([a, op, b]) => `((${a}) ${op} (${b}))`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a}) && (${b})`),
    tie('expression').map((a) => `!(${a})`),
    fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([a, b, c]) => `(if ${a} then ${b} else ${c})`),
  ),
}))
const condition = fc
  .tuple(fc.constantFrom('when', 'unless'), expression)
  .map(([kind, body]) => `${kind} { ${body} }`)
const policy = (effect: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(effect, fc.array(condition, { maxLength: 2 }))
    .map(([made, conditions]) => `${made}(principal, action, resource) ${conditions.join(' ')};`)
const anyPolicy = policy(fc.constantFrom('permit', 'forbid'))
const policies = fc.array(anyPolicy, { maxLength: 5 })

const optional = <K extends string>(key: K, value: fc.Arbitrary<string>) =>
  fc
    .option(value, { nil: undefined })
    .map((made) => (made === undefined ? {} : { [key]: made }) as { [P in K]?: string })

const input: fc.Arbitrary<DecisionInput> = fc
  .record({
    principal: fc.record({
      type: fc.constantFrom('User' as const, 'Client' as const),
      id: fc.constantFrom('corp/ana', 'corp/ben', 'other/ana'),
      groups: fc.subarray(['corp/staff', 'corp/customers']),
      client: fc.constant('web'),
      tenant: fc.constantFrom('t1', 't2'),
    }),
    owner: optional('owner', fc.constantFrom('corp/ana', 'corp/ben')),
    tenant: optional('tenant', fc.constantFrom('t1', 't2')),
    orderId: fc.constantFrom('o-1', 'o-2'),
    acr: optional('acr', fc.constantFrom('1', '2')),
    context: fc.record({
      scopes: fc.subarray(['orders:read']),
      scopesMet: fc.boolean(),
      issuer: fc.constant('https://idp.example'),
      audience: fc.constant(['shop']),
      tokenAgeSeconds: fc.constantFrom(0, 1, 3600),
      method: fc.constantFrom('GET', 'DELETE'),
      path: fc.constantFrom('/v1/orders/o-1', '/v2'),
      ip: fc.constantFrom('192.0.2.1', '2001:db8::1'),
    }),
  })
  .map(({ principal, owner, tenant, orderId, acr, context }) => ({
    checkpoint: 'response',
    principal,
    action: PLAN.key,
    resource: { api: 'shop', objectType: 'order', params: { orderId }, ...owner, ...tenant, unknown: [] },
    context: { ...context, ...acr },
  }))

type Unknown = readonly ('owner' | 'tenant')[]
const unknown: fc.Arbitrary<Unknown> = fc.subarray(['owner', 'tenant'] as const, { minLength: 1 })

function forget(made: DecisionInput, names: Unknown): DecisionInput {
  const { owner, tenant, ...resource } = made.resource
  return {
    ...made,
    resource: {
      ...resource,
      ...(owner === undefined || names.includes('owner') ? {} : { owner }),
      ...(tenant === undefined || names.includes('tenant') ? {} : { tenant }),
      unknown: names,
    },
  }
}

function judge(changes: Partial<JudgeInput>) {
  const base = {
    checkpoint: 'response',
    mode: 'enforce',
    bundle: 'b',
    plan: PLAN,
    subject: ANA,
    findings: [],
  } as const
  return decide({ ...base, scopes: checkScopes(PLAN.security, ANA), policy: null, last: true, ...changes })
}

const RUNS = { numRuns: 150 }

describe('policies', () => {
  const none = engineOf([])
  afterAll(() => none.close())

  test('deny by default: without policies, or with forbids alone, nothing is allowed or waits', () => {
    fc.assert(
      fc.property(input, unknown, (made, names) => {
        expect(none.evaluate(made).verdict).toBe('deny')
        expect(none.evaluate(forget(made, names)).verdict).toBe('deny')
      }),
      RUNS,
    )
    fc.assert(
      fc.property(
        fc.array(policy(fc.constant('forbid')), { maxLength: 4 }),
        input,
        unknown,
        (texts, made, names) => {
          using(texts, (engine) => {
            expect(engine.evaluate(made).verdict).toBe('deny')
            expect(engine.evaluate(forget(made, names)).verdict).toBe('deny')
          })
        },
      ),
      RUNS,
    )
  })

  test('allowed exactly where a permit applies alone and no forbid applies or fails', () => {
    fc.assert(
      fc.property(policies, input, (texts, made) => {
        const alone = texts.map((text) => {
          const asPermit = text.replace(/^forbid/, 'permit')
          return using([asPermit], (engine) => engine.evaluate(made))
        })
        const applies = (effect: string, index: number): boolean =>
          texts[index]?.startsWith(effect) === true && alone[index]?.verdict === 'allow'
        const permitted = texts.some((_, index) => applies('permit', index))
        const forbidden = texts.some(
          (text, index) =>
            applies('forbid', index) || (text.startsWith('forbid') && (alone[index]?.errors.length ?? 0) > 0),
        )
        const verdict = using(texts, (engine) => engine.evaluate(made))
        expect(verdict.verdict).toBe(permitted && !forbidden ? 'allow' : 'deny')
      }),
      RUNS,
    )
  })

  test('what is said while owner or tenant are unknown holds whatever they turn out to be', () => {
    fc.assert(
      fc.property(
        policies,
        fc.array(input, { minLength: 1, maxLength: 6 }),
        unknown,
        (texts, inputs, names) => {
          using(texts, (engine) => {
            for (const made of inputs) {
              const early = engine.evaluate(forget(made, names)).verdict
              if (early !== 'pending') expect(engine.evaluate(made).verdict).toBe(early)
            }
          })
        },
      ),
      { numRuns: 400 },
    )
  })

  test('a new permit never turns an allow into a deny, nor a new forbid a deny into an allow', () => {
    fc.assert(
      fc.property(
        policies,
        policy(fc.constant('permit')),
        policy(fc.constant('forbid')),
        input,
        (texts, permit, forbid, made) => {
          const before = using(texts, (engine) => engine.evaluate(made).verdict)
          const wider = using([...texts, permit], (engine) => engine.evaluate(made).verdict)
          const narrower = using([...texts, forbid], (engine) => engine.evaluate(made).verdict)
          if (before === 'allow') expect(wider).toBe('allow')
          if (before === 'deny') expect(narrower).toBe('deny')
        },
      ),
      RUNS,
    )
  })

  test('a record keeps enough to come to the same verdict, and no more than is read', () => {
    fc.assert(
      fc.property(policies, input, (texts, made) => {
        using(texts, (engine) => {
          const recorded = JSON.parse(JSON.stringify(recordInput(made, engine.reads, [])))
          const replayed = replayInput(recorded, engine.reads)
          if (!replayed.ok) throw new Error(`missing ${replayed.missing.join()}`)
          const verdict = engine.evaluate(made)
          expect(engine.evaluate(replayed.input)).toEqual(verdict)
          const decision = judge({ policy: verdict, input: made })
          expect(reevaluate({ decisions: [decision], attributes: recorded }, engine)).toBe('same')
        })
      }),
      RUNS,
    )
  })

  test('evaluate never throws and allows nothing it cannot understand', () => {
    using(['permit(principal, action, resource) when { context.scopesMet };'], (engine) => {
      fc.assert(
        fc.property(fc.anything(), (made) => {
          expect(engine.evaluate(made as DecisionInput).verdict).toBe('deny')
        }),
        { numRuns: 1000 },
      )
      fc.assert(
        fc.property(input, fc.string({ unit: 'binary' }), fc.string(), (made, id, ip) => {
          const hostile = {
            ...made,
            principal: { ...made.principal, id, groups: [id] },
            context: { ...made.context, path: id, ip },
          }
          expect(['allow', 'deny']).toContain(engine.evaluate(hostile).verdict)
        }),
        RUNS,
      )
    })
  })
})

describe('compilePolicies', () => {
  test('any text compiles or is refused by name and place', () => {
    const token = fc.constantFrom(
      'permit',
      'forbid',
      '(',
      ')',
      'principal',
      ',',
      'action',
      'resource',
      ';',
      '{',
      '}',
      'when',
      '"',
      '\\',
      '//',
      '\n',
      '@id("a")',
      '==',
      'Action::"shop/read"',
      '&&',
      '1',
      'é😀',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(token, { maxLength: 30 }).map((parts) => parts.join(' ')),
      anyPolicy,
    )
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), (texts) => {
        try {
          compilePolicies({
            files: texts.map((each, index) => ({ file: `${index}.cedar`, text: each })),
            apis: APIS,
          })
        } catch (error) {
          expect(error).toMatchObject({ code: 'policy-invalid' })
          expect((error as Error).message).toMatch(/^\d\.cedar:\d+:\d+: ./)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('decide', () => {
  const verdict = fc.record({
    verdict: fc.constantFrom('allow' as const, 'deny' as const, 'pending' as const),
    policies: fc.array(fc.string(), { maxLength: 3 }),
    errors: fc.array(fc.record({ policy: fc.string(), message: fc.string() }), { maxLength: 2 }),
  })
  const codes = Object.keys(REASONS) as (keyof typeof REASONS)[]
  const finding = fc.record({
    kind: fc.constant('finding' as const),
    always: fc.boolean(),
    reason: fc.record({
      code: fc.constantFrom(...codes),
      source: fc.constant('contract' as const),
      evidence: fc.constant({}),
    }),
  })
  const subject = fc.constantFrom(null, ANONYMOUS, ANA)
  const scopes = fc.option(
    fc.record({
      met: fc.boolean(),
      missing: fc.array(fc.string(), { maxLength: 2 }),
      needed: fc.array(fc.string(), { maxLength: 2 }),
      unsupported: fc.boolean(),
      leftToApi: fc.constant(false),
    }),
  )
  const judged: fc.Arbitrary<JudgeInput> = fc.record({
    checkpoint: fc.constantFrom('head' as const, 'body' as const, 'response' as const, 'message' as const),
    mode: fc.constantFrom('enforce' as const, 'observe' as const),
    bundle: fc.string(),
    plan: fc.constantFrom(null, PLAN, { ...PLAN, security: { need: 'optional' as const, alternatives: [] } }),
    subject,
    findings: fc.array(finding, { maxLength: 3 }),
    scopes,
    policy: fc.option(verdict),
    last: fc.boolean(),
  })

  test('an allow has a permit, a caller who may be asked for, met scopes and nothing against it', () => {
    fc.assert(
      fc.property(judged, (made) => {
        const decision = decide(made)
        expect(decision.reasons.length).toBeGreaterThan(0)
        if (decision.effect !== 'allow') {
          expect(decision.reasons.some(({ code }) => opposes(code))).toBe(true)
          expect(decision.pending).toBe(false)
          return
        }
        expect(decision.reasons.some(({ code }) => opposes(code))).toBe(false)
        expect(made.findings.some(({ reason }) => opposes(reason.code))).toBe(false)
        if (made.plan === null) {
          expect([made.mode, decision.reasons[0].code]).toEqual(['observe', 'ungoverned'])
          return
        }
        expect(made.policy?.verdict).not.toBe('deny')
        expect(made.policy).not.toBeNull()
        if (made.plan.security.need === 'required') {
          expect(made.scopes?.met).toBe(true)
          expect(made.subject?.kind).toBe('user')
        }
        // What waits never allows at the last checkpoint.
        expect(decision.pending).toBe(made.policy?.verdict === 'pending')
        if (decision.pending) expect(made.last).toBe(false)
      }),
      { numRuns: 5000 },
    )
  })

  test('mode changes nothing but the mode where there is a contract', () => {
    fc.assert(
      fc.property(judged, (made) => {
        if (made.plan === null) return
        const [observed, enforced] = (['observe', 'enforce'] as const).map((mode) =>
          decide({ ...made, mode }),
        )
        expect({ ...observed, mode: '' }).toEqual({ ...enforced, mode: '' })
      }),
      { numRuns: 1000 },
    )
  })

  test('no input throws, and what makes no sense is not allowed', () => {
    const parts = fc.record({
      plan: fc.oneof(fc.anything(), fc.constant(PLAN)),
      subject: fc.oneof(fc.anything(), subject),
      findings: fc.oneof(fc.anything(), fc.array(fc.oneof(fc.anything(), finding))),
      scopes: fc.oneof(fc.anything(), scopes),
      policy: fc.anything(),
    })
    fc.assert(
      fc.property(parts, (made) => {
        const decision = judge(made as Partial<JudgeInput>)
        expect(decision.effect).toBe('deny')
        const context = {
          api: 'shop',
          operation: 'shop.getOrder',
          subject: ANA,
          template: '/orders/{orderId}',
        }
        expect(smallestChange(decision, context)).not.toMatch(/[\r\n\u001b]/)
      }),
      { numRuns: 5000 },
    )
    fc.assert(
      fc.property(fc.anything(), (made) => {
        expect(decide(made as JudgeInput).effect).toBe('deny')
      }),
      { numRuns: 1000 },
    )
  })
})
