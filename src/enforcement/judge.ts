import { decide, isSuspended } from '../decision/decide.ts'
import type { ScopeCheck } from '../decision/floor.ts'
import type { Checkpoint, Decision, DecisionInput, PolicyEngine, PolicyVerdict } from '../model/decision.ts'
import type { Finding } from '../model/fact.ts'
import type { OperationPlan } from '../model/operation.ts'
import { opposes } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import { isSameCall } from './decision-input.ts'
import { type AskedFields, judgeFields } from './graphql-fields.ts'
import type { Journal } from './journal.ts'
import type { JudgedItems } from './list-items.ts'

export interface Judged {
  readonly operation: OperationPlan | null
  readonly subject: Subject
  readonly scopes: ScopeCheck | null
  readonly input: DecisionInput | null
  readonly engine: PolicyEngine
  /** No later checkpoint knows more: what is not allowed now is denied. */
  readonly last: boolean
  /** The checkpoint before: where nothing became known since, its policy verdict is this one's too. */
  readonly before?: Verdict
  /** A list's items, judged one by one. */
  readonly items?: JudgedItems
  /** Of a GraphQL call: the fields it asks for, each judged as an action of its own. */
  readonly asked?: AskedFields | undefined
}

/** A decision and what the pipeline makes of it. */
export interface Verdict {
  readonly decision: Decision
  /** The call ends here: denied in enforce mode, or by a finding that holds in every mode. */
  readonly stops: boolean
  /** Something speaks against the call, whether or not it ends it. */
  readonly opposed: boolean
  /** The findings it was judged by; a later checkpoint judges them again beside its own. */
  readonly findings: readonly Finding[]
  /** What the policies said, and of which input; null where they were not asked. */
  readonly policy: PolicyVerdict | null
  readonly input: DecisionInput | null
  /** The fields it was judged by. */
  readonly asked?: AskedFields | undefined
}

/** Where a judgement is made: in a call's journal, or beside it, where nothing comes of it. */
export type Bench = Pick<Journal, 'mode' | 'bundle' | 'observe' | 'fault' | 'decided'>

/**
 * Judges one checkpoint. Policies are evaluated only where nothing else speaks against the call: their verdict
 * could not change it, and is what costs most.
 */
export function judge(
  journal: Bench,
  checkpoint: Checkpoint,
  findings: readonly Finding[],
  judged?: Judged,
): Verdict {
  const { mode, bundle, observe } = journal
  const opposed = opposesCall(findings, journal)
  const input = judged?.input ?? null
  let policy: PolicyVerdict | null = null
  let items = judged?.items
  try {
    if (judged && input && !opposed) {
      const { asked, before, engine } = judged
      if (asked === undefined || asked.length === 0 || isJudged(before, asked, input, engine))
        policy = evaluate(judged, input)
      else ({ policy, items } = judgeFields(engine, input, asked))
    }
  } catch (error) {
    // What cannot be judged is denied (standards 1.5): `decide` finds the policies' verdict missing.
    journal.fault('policy', error)
  }
  const decision = decide({
    checkpoint,
    mode,
    bundle,
    plan: judged?.operation ?? null,
    subject: judged?.subject ?? null,
    findings,
    scopes: judged?.scopes ?? null,
    policy,
    input,
    last: judged?.last ?? true,
    ...(items === undefined ? {} : { items: items.decisions }),
    ...(observe === undefined ? {} : { observe }),
  })
  const denied = decision.effect !== 'allow'
  const stops = denied && (mode === 'enforce' || findings.some(({ always }) => always))
  journal.decided(decision, stops, judged?.engine.reads ?? null, input, items)
  return { decision, stops, opposed: denied, findings, policy, input, asked: judged?.asked }
}

/** The checkpoint before judged these very fields, of the same call. */
function isJudged(
  before: Verdict | undefined,
  asked: AskedFields,
  input: DecisionInput,
  engine: PolicyEngine,
): boolean {
  return (
    before?.asked === asked &&
    before.policy !== null &&
    before.input !== null &&
    isSameCall(before.input, input, engine.reads)
  )
}

/** Something speaks against the call whose effect no observed stage suspends. */
export function opposesCall(
  findings: readonly Finding[],
  journal: Pick<Journal, 'mode' | 'observe'>,
): boolean {
  for (const each of findings) {
    if (!opposes(each.reason.code)) continue
    const { mode, observe } = journal
    if (!isSuspended(each, { mode, observe })) return true
  }
  return false
}

/**
 * Evaluation is pure over its input, so within one call the same attributes need no second evaluation; between
 * calls nothing is kept.
 */
function evaluate({ engine, before }: Judged, input: DecisionInput): PolicyVerdict {
  if (before?.policy && before.input && isSameCall(before.input, input, engine.reads)) return before.policy
  return engine.evaluate(input)
}
