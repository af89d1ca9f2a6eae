import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { recordInput, replayInput } from '../../src/decision/attributes.ts'
import { actionGroups } from '../../src/decision/cedar/schema.ts'
import { decide, type JudgeInput } from '../../src/decision/decide.ts'
import type { DecisionInput, PolicyVerdict } from '../../src/model/decision.ts'
import { ANONYMOUS } from '../../src/model/subject.ts'
import { ATOMS, engineOf, GET_ORDER, hostileInput, oddInput, probedEngine } from '../hostile-input.ts'
import { wasmInput } from '../wasm-input.ts'

function summary({ verdict, policies, errors }: PolicyVerdict): object {
  return { verdict, policies: [...policies].sort(), errors: errors.map(({ policy }) => policy).sort() }
}

describe('the policy engine over odd inputs', () => {
  const policy = fc
    .tuple(
      fc.constantFrom('permit', 'forbid'),
      fc.array(fc.tuple(fc.constantFrom('when', 'unless'), fc.constantFrom(...ATOMS)), {
        minLength: 1,
        maxLength: 3,
      }),
    )
    .map(([effect, conditions]) => {
      const written = conditions.map(([kind, atom]) => `${kind} { ${atom} }`).join(' ')
      return `${effect}(principal is User, action, resource) ${written};`
    })

  test('decides as cedar-wasm does over the same entities', () => {
    let requests = 0
    fc.assert(
      fc.property(
        fc.array(policy, { minLength: 1, maxLength: 5 }),
        fc.array(oddInput, { minLength: 1, maxLength: 5 }),
        (texts, inputs) => {
          const plain = engineOf(texts, 'ignore')
          const strict = engineOf(texts)
          const staticPolicies = Object.fromEntries(texts.map((text, i) => [`p.cedar#${i + 1}`, text]))
          for (const input of inputs) {
            const made = wasmInput(input, actionGroups(GET_ORDER), 'inner')
            const answer = cedar.isAuthorized({ ...made, policies: { staticPolicies } })
            if (answer.type === 'failure') throw new Error(answer.errors[0]?.message)
            const { decision, diagnostics } = answer.response
            const errors = diagnostics.errors.map(({ policyId }) => policyId).sort()
            const policies = [...diagnostics.reason].sort()
            expect(summary(plain.evaluate(input))).toEqual({ verdict: decision, policies, errors })
            const failing = errors.filter((id) => staticPolicies[id]?.startsWith('forbid'))
            const expected =
              failing.length === 0
                ? { verdict: decision, policies, errors }
                : {
                    verdict: 'deny',
                    policies: [...(decision === 'deny' ? policies : []), ...failing].sort(),
                    errors,
                  }
            expect(summary(strict.evaluate(input))).toEqual(expected)
            // As a record keeps it: what was read, and no more.
            const recorded = JSON.parse(JSON.stringify(recordInput(input, strict.reads, [])))
            const replayed = replayInput(recorded, strict.reads)
            if (!replayed.ok) throw new Error(`missing ${replayed.missing.join()}`)
            // Which attribute a denial turned on is told of the call, and compares with more than was read.
            expect(summary(strict.evaluate(replayed.input))).toEqual(summary(strict.evaluate(input)))
            requests++
          }
        },
      ),
      { numRuns: 80 },
    )
    console.log(`compared with cedar-wasm: ${requests} requests`)
  })
})

/** CPU and not wall time: on a busy machine a moment may last long. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1_000
}

describe('nonsense', () => {
  const engine = probedEngine()
  const allows = engineOf(['permit(principal, action, resource) when { context.scopesMet };'])

  test('nothing throws out of evaluate, and it takes bounded time', () => {
    let slowest = 0
    fc.assert(
      fc.property(hostileInput, (input) => {
        const began = process.cpuUsage()
        const { verdict } = engine.evaluate(input)
        slowest = Math.max(slowest, cpuMs(began))
        expect(['allow', 'deny', 'pending']).toContain(verdict)
        expect(['allow', 'deny', 'pending']).toContain(allows.evaluate(input).verdict)
      }),
      { numRuns: 2_000 },
    )
    // A decision over 10,000 groups or a text of a million letters; generous, because collecting garbage counts too.
    expect(slowest).toBeLessThan(250)
  })

  test('nothing throws out of decide, nor out of what the record keeps, whatever was evaluated', () => {
    fc.assert(
      fc.property(hostileInput, (input) => {
        const policy = engine.evaluate(input)
        const judged = { checkpoint: 'response', mode: 'enforce', bundle: 'b', plan: GET_ORDER } as const
        const decision = decide({
          ...judged,
          subject: ANONYMOUS,
          findings: [],
          scopes: null,
          policy,
          input,
          last: true,
        } as JudgeInput)
        if (policy.verdict !== 'allow') expect(decision.effect).toBe('deny')
      }),
      { numRuns: 500 },
    )
  })

  test('an attribute named as JavaScript’s own is plain data', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const input: DecisionInput = {
        checkpoint: 'response',
        action: GET_ORDER.key,
        principal: { type: 'User', id: name, groups: [name], roles: [name], client: name, tenant: name },
        resource: {
          api: 'shop',
          objectType: 'order',
          params: Object.fromEntries([[name, name]]),
          owner: name,
          unknown: [],
        },
        context: {
          scopes: [name],
          scopesMet: false,
          issuer: name,
          audience: [],
          tokenAgeSeconds: 0,
          method: name,
          path: name,
          ip: '192.0.2.1',
        },
      }
      expect(allows.evaluate(input).verdict).toBe('deny')
      expect(allows.evaluate({ ...input, action: name })).toMatchObject({
        verdict: 'deny',
        errors: [{ policy: '' }],
      })
      expect(allows.evaluate({ ...input, resource: { ...input.resource, api: name } }).verdict).toBe('deny')
      const own = engineOf([
        `permit(principal == User::"${name}", action, resource) when { resource has owner && resource.owner == principal };`,
      ])
      expect(own.evaluate(input).verdict).toBe('allow')
      expect(recordInput(input, own.reads, []).resource.owner).toBe(name)
    }
  })

  test('an age that is no number denies, wherever a policy reads it', () => {
    const young = engineOf(['permit(principal, action, resource) when { context.tokenAgeSeconds < 3600 };'])
    const [input] = fc.sample(oddInput, 1)
    if (input === undefined) throw new Error('no input')
    for (const tokenAgeSeconds of [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1e300,
      -(2 ** 60),
    ]) {
      const verdict = young.evaluate({ ...input, context: { ...input.context, tokenAgeSeconds } })
      expect(verdict).toMatchObject({ verdict: 'deny', policies: [], errors: [{ policy: '' }] })
    }
    // A clock that jumped back makes tokens from the future: young, and a number all the same.
    expect(
      young.evaluate({ ...input, context: { ...input.context, tokenAgeSeconds: -86_400.5 } }).verdict,
    ).toBe('allow')
  })

  test('a text in the place of groups makes nobody a member of its parts', () => {
    const staff = engineOf(['permit(principal in Group::"corp/staff", action, resource);'])
    const [input] = fc.sample(oddInput, 1)
    if (input === undefined) throw new Error('no input')
    const principal = { ...input.principal, type: 'User', groups: 'corp/staff,corp/customers' }
    expect(staff.evaluate({ ...input, principal } as unknown as DecisionInput).verdict).toBe('deny')
  })

  test('10,000 groups over 300 policies of a group each take bounded time', () => {
    const policies = Array.from(
      { length: 300 },
      (_, i) => `permit(principal in Group::"corp/g${i}", action, resource);`,
    )
    const many = engineOf(policies)
    const [input] = fc.sample(oddInput, 1)
    if (input === undefined) throw new Error('no input')
    const groups = [...Array.from({ length: 10_000 }, (_, i) => `corp/other-${i}`), 'corp/g299']
    const made: DecisionInput = { ...input, principal: { ...input.principal, type: 'User', groups } }
    const began = process.cpuUsage()
    for (let i = 0; i < 20; i++) expect(many.evaluate(made).policies).toEqual(['p.cedar#300'])
    expect(cpuMs(began) / 20).toBeLessThan(25)
  })
})
