import { expect, test } from 'vitest'
import type { OperationPlan, SecurityPlan } from '../../model/operation.ts'
import { surveyAccess, uncheckableSchemes } from './survey.ts'

type Scheme = SecurityPlan['alternatives'][number]['schemes'][number]
const token = (...scopes: string[]): Scheme => ({ name: 'oauth', kind: 'bearer', scopes })
const key: Scheme = { name: 'key', kind: 'unsupported', scopes: [] }

function operation(name: string, need: SecurityPlan['need'], ...alternatives: Scheme[][]): OperationPlan {
  return {
    key: `a.${name}`,
    api: 'a',
    method: 'GET',
    template: `/${name}`,
    tags: [],
    kind: 'read',
    deprecated: false,
    security: { need, alternatives: alternatives.map((schemes) => ({ schemes })) },
  }
}

const names = (plans: readonly OperationPlan[]) => plans.map((plan) => plan.template.slice(1))

test('each operation is what its contract makes it', () => {
  const survey = surveyAccess([
    operation('scoped', 'required', [token('read')]),
    operation('scoped-or-key', 'required', [token('read')], [key]),
    operation('either-scope', 'required', [token('read')], [token('admin')]),
    operation('any-token', 'required', [token()]),
    operation('any-token-or-scoped', 'required', [token('read')], [token()]),
    operation('nothing-said', 'required'),
    operation('key', 'required', [key]),
    operation('key-and-token', 'required', [token('read'), key]),
    operation('open', 'anonymous'),
    operation('optional', 'optional', [token('read')]),
  ])
  expect(names(survey.scoped)).toEqual(['scoped', 'scoped-or-key', 'either-scope'])
  // scopesMet would be true of any token here, so a permit by it would be for everyone.
  expect(names(survey.unscoped)).toEqual(['any-token', 'any-token-or-scoped', 'nothing-said'])
  expect(names(survey.uncheckable)).toEqual(['key', 'key-and-token'])
  expect(names(survey.anonymous)).toEqual(['open'])
  expect(names(survey.optional)).toEqual(['optional'])
  expect(uncheckableSchemes(survey)).toEqual([{ name: 'key', operations: 3, closed: 2 }])
})
