import { describe, expect, it } from 'vitest'
import { sampleDecision, sampleRecord } from '../../test/exchange-records.ts'
import type { PolicyTrace } from '../decision/cedar/trace.ts'
import type { ReasonCode } from '../model/reason.ts'
import { statedFacts } from './fact-evidence.ts'
import { NO_HINTS } from './hints.ts'
import { changeOf, itemRows, policyStory } from './policy-story.ts'
import type { Rejudged } from './record-actions.ts'

const DENIED: PolicyTrace = {
  verdict: 'deny',
  further: 3,
  policies: [
    {
      id: 'own',
      effect: 'permit',
      observed: false,
      state: 'does-not-apply',
      near: true,
      link: { template: 'owned', args: {} },
      clauses: [
        {
          text: 'resource.owner == principal',
          held: 'fails',
          turns: true,
          facts: { 'resource.owner': 'corp/ben' },
        },
      ],
    },
    { id: 'tried', effect: 'permit', observed: true, state: 'applies', near: false, clauses: [] },
  ],
}
const rejudged = (more: Partial<Rejudged> = {}): Rejudged => ({
  result: 'same',
  missing: [],
  why: '',
  policies: [],
  trace: DENIED,
  ...more,
})
const story = (codes: readonly [ReasonCode, ...ReasonCode[]]): string =>
  policyStory(sampleRecord({ codes }), rejudged()).join('\n')

describe('the smallest change', () => {
  const owner = { text: 'resource.owner == principal', held: 'fails', turns: true, facts: {} } as const
  const forbid = (turns: boolean): PolicyTrace => ({
    verdict: 'deny',
    further: 0,
    policies: [
      {
        id: 'owner-only',
        effect: 'forbid',
        observed: false,
        state: 'applies',
        near: false,
        clauses: [
          { text: '', held: 'holds', turns: false, facts: {}, join: 'not-all', parts: [{ ...owner, turns }] },
        ],
      },
    ],
  })
  const change = (trace: PolicyTrace, codes: readonly [ReasonCode, ...ReasonCode[]]): string =>
    changeOf(sampleRecord({ codes }), rejudged({ trace }), NO_HINTS)

  it('is to call as the owner where a forbid spares only that', () => {
    expect(change(forbid(true), ['policy-forbids'])).toMatch(/^Call as the owner, or change .*forbid/)
  })

  it('is not where that alone would not do', () => {
    expect(change(forbid(false), ['policy-forbids'])).toMatch(/^Change /)
    expect(change(forbid(true), ['policy-forbids', 'token-expired'])).toMatch(/^Change /)
    expect(change(DENIED, ['policy-forbids'])).toMatch(/^Change /)
  })
})

describe('the story of a decision', () => {
  it('says what one fact would have changed, and marks links and policies only observed', () => {
    const text = story(['policy-missing'])
    expect(text).toContain('permit own (link of the template owned): does not apply')
    expect(text).toContain('permit tried: applies, and is only observed')
    expect(text).toContain('◄ with it the call would be allowed')
    expect(text).toContain(
      'permit own: if resource.owner == principal held (it was resource.owner: corp/ben), the call would be allowed',
    )
    expect(text).toContain('and 3 policies of the operation that did not come near')
  })

  it('promises no call that something else speaks against', () => {
    const text = story(['token-expired', 'policy-missing'])
    expect(text).not.toContain('the call would be allowed')
    expect(text).toContain('the policies would allow it')
  })

  it('tells a list by its items', () => {
    const items = {
      judged: 4,
      released: 1,
      rows: [
        { effect: 'allow' as const, count: 1, policies: ['own'] },
        { effect: 'deny' as const, count: 3, policies: [] },
      ],
    }
    const record = sampleRecord({
      outcome: {
        decisions: [{ ...sampleDecision(['list-filtered']), items }],
        attributes: {
          checkpoint: 'response',
          action: 'shop.listOrders',
          principal: { type: 'User', id: 'corp/ana' },
          resource: { api: 'shop', objectType: 'order', unknown: ['owner'] },
          context: {},
          items: [{ owner: 'corp/ana' }, { owner: 'corp/ben' }],
        },
      },
    })
    expect(itemRows(record)).toEqual([
      ['in all', '1 of 4 released'],
      ['1 item', 'released', 'owner corp/ana', 'by own'],
      ['3 items', 'taken out', 'owner corp/ben', 'no policy permits it'],
    ])
    const text = policyStory(record, rejudged({ items: [{ row: 1, effect: 'deny', trace: DENIED }] })).join(
      '\n',
    )
    expect(text).toContain('why an item of owner corp/ben was taken out')
    expect(text).toContain('◄ with it such an item would be released')
    expect(text).not.toContain('the call would')
  })

  it('says of each fact what states it', () => {
    const attributes = {
      checkpoint: 'response' as const,
      action: 'shop.getOrder',
      principal: { type: 'User' as const, id: 'corp/ana', groups: ['corp/staff'] },
      resource: { api: 'shop', objectType: 'order', owner: 'corp/ben', unknown: [] },
      context: { ip: '192.0.2.1' },
    }
    const sources = (record: Parameters<typeof statedFacts>[0]) =>
      Object.fromEntries(statedFacts(record).map(({ path, from }) => [path, from]))
    expect(sources(sampleRecord({ outcome: { attributes } }))).toMatchObject({
      'principal.groups': 'the token of corp',
      'resource.owner': 'the answer',
      'context.ip': 'the connection',
    })
    const lookups = [{ operation: 'shop.getOrder', status: 200 }]
    const looked = sampleRecord({ outcome: { attributes, lookups } })
    expect(sources(looked)['resource.owner']).toBe('the look-up shop.getOrder')
    expect(sources(sampleRecord({ intent: { attributes } }))['resource.owner']).toBe('the request')
  })
})
