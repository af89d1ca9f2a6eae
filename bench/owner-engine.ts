import type { PolicyPlan } from '../src/model/bundle.ts'
import type { DecisionInput, PolicyEngine, PolicyVerdict } from '../src/model/decision.ts'

const READ: PolicyVerdict = { verdict: 'allow', policies: ['owner-reads-own-record'], errors: [] }
const WRITE: PolicyVerdict = { verdict: 'allow', policies: ['people-create-records'], errors: [] }
const PENDING: PolicyVerdict = {
  verdict: 'pending',
  policies: ['owner-reads-own-record'],
  errors: [],
  object: { attribute: 'owner', known: false, policies: ['owner-reads-own-record'] },
}
const FOREIGN: PolicyVerdict = {
  verdict: 'deny',
  policies: [],
  errors: [],
  object: { attribute: 'owner', known: true, policies: ['owner-reads-own-record'] },
}

/**
 * Stands where the evaluator stands, for the row `full-v1 without evaluator` alone: gives the verdicts that the
 * profile's policies give, by two comparisons, so that every call takes the same way and has the same record.
 */
export class CedarEngine implements PolicyEngine {
  readonly reads: ReadonlySet<string>

  constructor(plan: PolicyPlan) {
    this.reads = new Set(plan.reads)
  }

  static *inSteps(plan: PolicyPlan): Generator<undefined, CedarEngine, undefined> {
    yield
    return new CedarEngine(plan)
  }

  evaluate({ principal, resource }: DecisionInput): PolicyVerdict {
    if (resource.objectType === '') return WRITE
    if (resource.unknown.includes('owner')) return PENDING
    return resource.owner === principal.id ? READ : FOREIGN
  }

  close(): void {}
}
