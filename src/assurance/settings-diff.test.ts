import { expect, it } from 'vitest'
import { apiPlan, plan, sideOf } from '../../test/policy-sides.ts'
import type { ApiPlan } from '../model/bundle.ts'
import { diffSettings } from './settings-diff.ts'

function diff(before: Partial<ApiPlan>, after: Partial<ApiPlan>): readonly string[] {
  const [one, other] = [before, after].map((changes) =>
    sideOf('', [plan({ key: 'shop.list' })], apiPlan(changes)),
  )
  if (one === undefined || other === undefined) return []
  return diffSettings(one, other).map(
    ({ setting, widened, words }) => `${widened ? '+' : '-'} ${setting} ${words}`,
  )
}

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
