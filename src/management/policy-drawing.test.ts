import { describe, expect, it } from 'vitest'
import type { PolicyTrace, TracedClause, TracedPolicy } from '../decision/cedar/trace.ts'
import { OF_ITEM, OF_POLICIES, policyDrawing, turningFacts } from './policy-drawing.ts'

const clause = (changed: Partial<TracedClause> = {}): TracedClause => ({
  text: 'resource.owner == principal',
  held: 'fails',
  facts: {},
  turns: false,
  ...changed,
})
const policy = (changed: Partial<TracedPolicy> = {}): TracedPolicy => ({
  id: 'own',
  effect: 'permit',
  observed: false,
  state: 'does-not-apply',
  near: true,
  clauses: [clause()],
  ...changed,
})
const trace = (policies: readonly TracedPolicy[], changed: Partial<PolicyTrace> = {}): PolicyTrace => ({
  verdict: 'deny',
  policies,
  further: 0,
  ...changed,
})

describe('a policy', () => {
  it('stands with its conditions below it, marked by how they came out', () => {
    const held = ['holds', 'fails', 'not-known', 'error'] as const
    const clauses = held.map((each) => clause({ text: each, held: each }))
    expect(policyDrawing(trace([policy({ clauses })]))).toEqual([
      '  permit own: does not apply',
      '  ├─ ✓ holds',
      '  ├─ ✗ fails',
      '  ├─ ? not-known',
      '  └─ ! error',
    ])
  })

  it('draws joined conditions below what joins them, and points at the part', () => {
    const parts = [
      clause({ text: 'principal is User', held: 'holds' }),
      clause({ facts: { 'resource.owner': 'corp/bo' }, turns: true }),
    ]
    const clauses = [
      clause({ text: '!(…)', held: 'holds', join: 'not-all', parts }),
      clause({ text: 'context.scopesMet', held: 'holds' }),
    ]
    const forbid = trace([policy({ effect: 'forbid', state: 'applies', near: false, clauses })])
    expect(policyDrawing(forbid).map((line) => line.replace(/ {2,}(?=[r◄])/g, ' | '))).toEqual([
      '  forbid own: applies',
      '  ├─ ✓ not all of these hold:',
      '  │  ├─ ✓ principal is User',
      '  │  └─ ✗ resource.owner == principal | resource.owner: corp/bo | ◄ with it the call would be allowed',
      '  └─ ✓ context.scopesMet',
    ])
    expect(turningFacts(forbid)).toEqual([
      'forbid own: if resource.owner == principal held (it was resource.owner: corp/bo), the call would be allowed',
    ])
  })

  it.each([
    [{ state: 'applies' }, 'permit own: applies'],
    [{ state: 'waits' }, 'permit own: waits for what is not known yet'],
    [{ state: 'error', effect: 'forbid' }, 'forbid own: could not be evaluated'],
    [{ observed: true }, 'permit own: does not apply, and is only observed'],
    [{ link: { template: 'share', args: {} } }, 'permit own (link of the template share): does not apply'],
  ] as const)('says its state: %j', (changed, line) => {
    expect(policyDrawing(trace([policy(changed)]))[0]?.trim()).toBe(line)
  })

  it('shows the facts it read, long ones cut', () => {
    const facts = {
      'resource.owner': 'corp/ben',
      'context.scopes': ['a', 'b'],
      'context.path': 'p'.repeat(100),
    }
    const [, line = ''] = policyDrawing(trace([policy({ clauses: [clause({ facts })] })]))
    expect(line).toContain('  resource.owner: corp/ben, context.scopes: ["a","b"], context.path: ppp')
    expect(line).toContain(`${'p'.repeat(80)}…`)
    expect(line).not.toContain('p'.repeat(81))
  })

  it('shows nothing of a call that a terminal would obey', () => {
    const hostile = 'a\u001b[2J\u202eb\nc'
    const drawn = policyDrawing(
      trace([policy({ id: hostile, clauses: [clause({ text: hostile, facts: { [hostile]: hostile } })] })]),
    )
    expect(drawn).toHaveLength(2)
    for (const line of drawn) {
      expect(line).toContain('a·[2J·b·c')
      expect(line).not.toMatch(/[\u001b\u202e\n]/)
    }
  })
})

describe('an arrow', () => {
  const turning = (verdict: 'allow' | 'deny', held: TracedClause['held']) =>
    trace([policy({ clauses: [clause({ held, turns: true }), clause({ text: 'other' })] })], { verdict })

  it.each([
    ['deny', 'fails', 'with it the call would be allowed'],
    ['allow', 'holds', 'without it the call would be denied'],
    ['deny', 'not-known', 'once it is known the call would be allowed'],
    ['deny', 'error', 'could it be evaluated the call would be allowed'],
  ] as const)('of a %s where it %s', (verdict, held, words) => {
    const [, first = '', second = ''] = policyDrawing(turning(verdict, held))
    expect(first.endsWith(`◄ ${words}`)).toBe(true)
    expect(second).not.toContain('◄')
  })

  it('speaks of items, or of the policies alone, where the call is not what turns', () => {
    expect(policyDrawing(turning('deny', 'fails'), OF_ITEM)[1]).toContain('such an item would be released')
    expect(policyDrawing(turning('allow', 'holds'), OF_ITEM)[1]).toContain('such an item would be taken out')
    expect(policyDrawing(turning('deny', 'fails'), OF_POLICIES)[1]).toContain('the policies would allow it')
  })

  it('keeps a policy in the drawing that came near in no other way', () => {
    const [id] = policyDrawing(trace([policy({ near: false, clauses: [clause({ turns: true })] })]))
    expect(id).toContain('permit own')
  })
})

describe('policies that did not come near', () => {
  const far = policy({ near: false })

  it('are counted', () => {
    expect(policyDrawing(trace([far]))).toEqual(['  and 1 policy of the operation that did not come near'])
    expect(policyDrawing(trace([far, far], { further: 40 })).at(-1)).toBe(
      '  and 42 policies of the operation that did not come near',
    )
  })
  it('are not spoken of where there are none', () => {
    expect(policyDrawing(trace([]))).toEqual([])
  })
})

describe('the facts that would have turned it', () => {
  const clauses = [clause({ turns: true, facts: { 'resource.owner': 'corp/ben' } }), clause({ text: 'no' })]

  it('are said in words, each once', () => {
    expect(turningFacts(trace([policy({ clauses }), policy({ clauses })]))).toEqual([
      'permit own: if resource.owner == principal held (it was resource.owner: corp/ben), the call would be allowed',
    ])
    expect(
      turningFacts(trace([policy({ clauses: [clause({ held: 'holds', turns: true })] })]), OF_ITEM),
    ).toEqual(['permit own: if resource.owner == principal did not hold, such an item would be released'])
    expect(turningFacts(trace([policy()]))).toEqual([])
  })
})
