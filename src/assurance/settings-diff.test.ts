import { expect, it } from 'vitest'
import { apiPlan, plan, sideOf } from '../../test/policy-sides.ts'
import type { ApiPlan, IssuerPlan } from '../model/bundle.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { SettingChange } from './settings-diff.ts'
import { diffSettings } from './settings-diff.ts'

function diff(before: Partial<ApiPlan>, after: Partial<ApiPlan>): readonly string[] {
  const [one, other] = [before, after].map((changes) =>
    sideOf('', [plan({ key: 'shop.list' })], apiPlan(changes)),
  )
  if (one === undefined || other === undefined) return []
  return diffSettings(one, other).map(told)
}

const told = ({ setting, widened, words }: SettingChange): string =>
  `${widened ? '+' : '-'} ${setting} ${words}`

it('says which way a setting goes', () => {
  expect(diff({}, {})).toEqual([])
  expect(diff({ mode: 'enforce' }, { mode: 'observe' })).toEqual([
    '+ apis.shop.mode only observes: a refusal has no effect any more',
  ])
  expect(diff({ mode: 'observe' }, { mode: 'enforce' })).toEqual([
    '- apis.shop.mode enforces: a refusal takes effect now',
  ])
  expect(diff({ accept: ['corp'] }, { accept: ['partner'] })).toEqual([
    '+ apis.shop.identity.accept accepts tokens of partner',
    '- apis.shop.identity.accept no longer accepts tokens of corp',
  ])
  expect(diff({ maxTokenAgeSeconds: 60 }, {})).toEqual([
    '+ apis.shop.identity.maxTokenAge is unbounded instead of 60',
  ])
  expect(diff({}, { maxTokenAgeSeconds: 60 })).toEqual([
    '- apis.shop.identity.maxTokenAge is 60 instead of unbounded',
  ])
})

it('tells where an API answers and what stands behind it', () => {
  expect(diff({ hosts: ['a'] }, { hosts: ['a', 'b'] })).toEqual(['+ apis.shop.hosts answers for b'])
  expect(diff({ hosts: ['a', 'b'] }, { hosts: ['a'] })).toEqual(['- apis.shop.hosts no longer answers for b'])
  expect(diff({ hosts: ['a'] }, {})).toEqual(['+ apis.shop.hosts answers for every host'])
  expect(diff({}, { hosts: ['a'] })).toEqual(['- apis.shop.hosts answers for a alone'])
  expect(diff({ basePath: '/v1' }, {})).toEqual(['+ apis.shop.basePath is / instead of /v1'])
  const upstream = { origin: 'http://other:1', basePath: '/x' }
  expect(diff({}, { upstream })).toEqual([
    '- apis.shop.upstream is http://other:1/x instead of http://127.0.0.1:3000',
  ])
})

it('tells what becomes of what a contract does not declare', () => {
  expect(diff({}, { unknownFields: 'strip' })).toEqual([
    '+ apis.shop.unknownFields is strip instead of reject',
  ])
  expect(diff({ unknownFields: 'observe' }, { unknownFields: 'strip' })).toEqual([
    '- apis.shop.unknownFields is strip instead of observe',
  ])
  expect(diff({ unknownFields: 'reject' }, {})).toEqual([])
  const of = (own: Partial<OperationPlan>) =>
    sideOf('', [{ ...plan({ key: 'shop.list' }), ...own }], apiPlan({}))
  expect(diffSettings(of({}), of({ unknownFields: 'observe' })).map(told)).toEqual([
    '+ unknownFields of shop.list is observe instead of reject',
  ])
  expect(diff({}, { answers: 'observe' })).toEqual(['+ apis.shop.answers is observe instead of strip'])
  expect(diff({}, { largeAnswers: 'pass' })).toEqual(['+ apis.shop.largeAnswers is pass instead of refuse'])
})

it('tells which bodies are read, and whom URLs may name', () => {
  expect(diff({ requestCodings: ['gzip'] }, { requestCodings: ['br'] })).toEqual([
    '+ apis.shop.requestCodings takes bodies in br',
    '- apis.shop.requestCodings no longer takes bodies in gzip',
  ])
  expect(diff({}, { requestCodings: [] })).toEqual(['- apis.shop.requestCodings takes bodies in none alone'])
  expect(diff({ urls: { hosts: ['a.example'] } }, { urls: { private: 'allow' } })).toEqual([
    '+ apis.shop.urls.hosts lets URLs name any',
    '+ apis.shop.urls.private is allow instead of deny',
  ])
  expect(diff({}, { urls: { ports: [443] } })).toEqual(['- apis.shop.urls.ports lets URLs name 443 alone'])
})

it('widens where calls go on unrecorded', () => {
  expect(diff({}, { onAuditFailure: 'allow' })).toEqual([
    '+ apis.shop.onAuditFailure is allow instead of deny',
  ])
  expect(diff({ onAuditFailure: 'allow' }, {})).toEqual([
    '- apis.shop.onAuditFailure is deny instead of allow',
  ])
})

it('widens where a key is trusted for longer', () => {
  const side = (maxStaleSeconds: number) => {
    const keys = { refreshSeconds: 1, cooldownSeconds: 1, maxStaleSeconds, waitMs: 1 }
    const issuer: IssuerPlan = {
      name: 'corp',
      iss: 'https://idp',
      algorithms: ['ES256'],
      types: [],
      groupsClaim: 'groups',
      keys,
      skewSeconds: 30,
    }
    return { ...sideOf('', [plan({ key: 'shop.list' })]), head: { issuers: [issuer] } }
  }
  const stale = 'identity.issuers.corp.keys.maxStaleSeconds'
  expect(diffSettings(side(60), side(90)).map(told)).toEqual([`+ ${stale} is 90 instead of 60`])
  expect(diffSettings(side(90), side(60)).map(told)).toEqual([`- ${stale} is 60 instead of 90`])
})

it('tells an operation that another call is called by now', () => {
  const side = (method: string, template: string) =>
    sideOf('', [plan({ key: 'shop.list', method, template })])
  const moved = diffSettings(side('GET', '/things'), side('DELETE', '/users')).map(told)
  expect(moved).toEqual(['+ call of shop.list is DELETE /users instead of GET /things'])
})

it('tells classes of fields and who sees them', () => {
  const side = (changes: Partial<OperationPlan>) =>
    sideOf('', [{ ...plan({ key: 'shop.list' }), ...changes }], apiPlan({}))
  const classes = (answer: readonly string[]): Partial<OperationPlan> => ({
    classes: { request: [], answer },
  })
  const rule = { at: '#/a', visibleTo: { roles: [], groups: [], scopes: [] }, otherwise: 'drop' } as const
  expect(diffSettings(side(classes(['pii'])), side(classes(['pii', 'phi']))).map(told)).toEqual([
    '+ answer classes of shop.list has phi',
  ])
  expect(diffSettings(side(classes(['pii'])), side({ fieldRules: [rule] })).map(told)).toEqual([
    '+ answer classes of shop.list no longer has pii',
    '+ field rules of shop.list shows or hides other fields by the contract’s own rules',
  ])
})
