import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { EntityStore } from '../src/decision/cedar/entity-store.ts'
import { CedarEngine } from '../src/decision/cedar/evaluate.ts'
import type { CedarPlan } from '../src/decision/cedar/plan.ts'
import { PolicySet } from '../src/decision/cedar/policy-set.ts'
import { parsePolicyText } from '../src/decision/cedar/policy-text.ts'
import { policyReads } from '../src/decision/cedar/reads.ts'
import { valueOfJson } from '../src/decision/cedar/value-json.ts'
import { EntityUid, MapRecord, type Value } from '../src/decision/cedar/values.ts'
import type { WasmInput } from '../test/wasm-input.ts'
import { wasmInput } from '../test/wasm-input.ts'
import { leastCpu } from './least-cpu.ts'
import { type PolicyShape, SHAPES } from './policy-shapes.ts'

/**
 * Runs in a process of its own, pinned like the gate: how long a decision takes by the compiled evaluator over
 * requests and entities that are ready, by the whole engine over decoded inputs, and by cedar-wasm with policies it
 * has parsed beforehand. All must give the same decisions, or there are no figures.
 */
export interface ShapeMeasured {
  readonly shape: string
  readonly allApply: boolean
  /** CPU of the process for one decision in µs, least of the rounds. */
  readonly evaluatorUs: number
  readonly engineUs: number
  readonly wasmUs: number
}

function measure(shape: PolicyShape, ms: number): ShapeMeasured {
  const members = shape.policies.map((text, i) => {
    const parsed = parsePolicyText(text)
    if (!parsed.ok) throw new Error(`${text}: ${parsed.errors[0]?.message}`)
    return { id: `p${String(i).padStart(4, '0')}`, policy: parsed.policy }
  })
  const policies = members.map(({ id, policy }) => ({
    id,
    apis: ['shop'],
    reads: policyReads(policy),
    policy,
  }))
  const detail: CedarPlan = { format: 1, policies, apis: { shop: { actions: shape.actions } } }
  const engine = new CedarEngine({ detail, reads: [...new Set(policies.flatMap(({ reads }) => reads))] })
  const actions = Object.entries(shape.actions).map(([key, groups]) => ({
    uid: new EntityUid('Action', key),
    ancestors: groups.map((id) => new EntityUid('Action', id)),
  }))
  const evaluator = new PolicySet(members, actions)
  const staticPolicies = Object.fromEntries(members.map(({ id }, i) => [id, shape.policies[i] ?? '']))
  const prepared = cedar.preparsePolicySet('bench', { staticPolicies })
  if (prepared.type === 'failure') throw new Error(prepared.errors[0]?.message)

  const { inputs } = shape
  /** Over all inputs in turn. */
  const least = (one: (i: number) => number, batch?: number): number => {
    let calls = 0
    return leastCpu(ms, () => one(calls++ % inputs.length), batch)
  }
  const wasm = inputs.map((input) => wasmInput(input, shape.actions[input.action] ?? []))
  const ready = wasm.map(requestOf)
  for (let i = 0; i < inputs.length; i += 16) agree(i)

  function agree(i: number): void {
    const reference = byWasm(at(wasm, i))
    const [request, entities] = at(ready, i)
    const own = evaluator.authorize(request, entities)
    const whole = engine.evaluate(at(inputs, i))
    for (const [decision, ids] of [
      [own.decision, own.policies],
      [whole.verdict, whole.policies],
    ] as const) {
      if (decision !== reference.decision || ids.join() !== [...reference.diagnostics.reason].sort().join())
        throw new Error(`${shape.name}: cedar-wasm decides call ${i} otherwise`)
    }
  }

  return {
    shape: shape.name,
    allApply: shape.allApply,
    evaluatorUs: least((i) => {
      const [request, entities] = at(ready, i)
      return evaluator.authorize(request, entities).policies.length
    }),
    engineUs: least((i) => engine.evaluate(at(inputs, i)).policies.length),
    wasmUs: least((i) => byWasm(at(wasm, i)).diagnostics.reason.length, 1),
  }
}

function byWasm(input: WasmInput): cedar.Response {
  const answer = cedar.statefulIsAuthorized({ ...input, preparsedPolicySetId: 'bench' })
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message)
  return answer.response
}

function requestOf(input: WasmInput) {
  const map = (record: object): Map<string, Value> =>
    new Map(Object.entries(record).map(([name, json]) => [name, valueOfJson(json)]))
  const uid = (name: cedar.EntityUidJson): EntityUid => {
    const { type, id } = '__entity' in name ? name.__entity : name
    return new EntityUid(type, id)
  }
  const entities = new EntityStore(
    input.entities.map((entity) => ({
      uid: uid(entity.uid),
      attributes: map(entity.attrs),
      parents: entity.parents.map(uid),
    })),
  )
  const request = {
    principal: uid(input.principal),
    action: uid(input.action),
    resource: uid(input.resource),
    context: new MapRecord(map(input.context)),
  }
  return [request, entities] as const
}

function at<T>(list: readonly T[], i: number): T {
  const found = list[i]
  if (found === undefined) throw new Error('no such call')
  return found
}

process.once('message', (ms) => {
  process.send?.(SHAPES.map((shape) => measure(shape, Number(ms))))
})
process.send?.('ready')
