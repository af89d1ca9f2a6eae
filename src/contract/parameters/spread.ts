import type { ParameterDetail } from '../detail.ts'

/** Its object's members stand beside other parameters, under their own names. */
export function isSpread(plan: Pick<ParameterDetail, 'writing' | 'explode' | 'text' | 'in'>): boolean {
  return (
    (plan.in === 'query' || plan.in === 'cookie') &&
    (plan.writing === 'form' || plan.writing === 'cookie') &&
    plan.explode &&
    plan.text.members !== undefined
  )
}
