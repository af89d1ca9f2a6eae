import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { EntityStore } from '../src/decision/cedar/entity-store.ts'
import type { Policy } from '../src/decision/cedar/est.ts'
import type { Authorization, KnownAction, SetMember } from '../src/decision/cedar/policy-set.ts'
import { parsePolicyText } from '../src/decision/cedar/policy-text.ts'
import { filled } from '../src/decision/cedar/template.ts'
import { valueOfJson } from '../src/decision/cedar/value-json.ts'
import type { Value } from '../src/decision/cedar/values.ts'
import { EntityUid, MapRecord } from '../src/decision/cedar/values.ts'
import type { CedarCase, CedarRequest } from './cedar-case.ts'
import { JudgedBothWays } from './judged-both-ways.ts'

/** One case judged by cedar-wasm and by the compiled evaluator, for comparison. */

export interface Judged {
  readonly decision: 'allow' | 'deny'
  readonly policies: readonly string[]
  readonly errors: readonly string[]
}

/** What cedar-wasm says, ordered: plain, and as it follows from its diagnostics where an erroring forbid denies. */
export function judgedByWasm(made: CedarCase, request: CedarRequest): { plain: Judged; strict: Judged } {
  const answer = cedar.isAuthorized({
    ...request,
    ...(made.schema === null ? {} : { schema: made.schema, validateRequest: false }),
    policies: { staticPolicies: made.policies, templates: made.templates, templateLinks: [...made.links] },
    entities: [...made.entities],
  })
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('\n'))
  const { decision, diagnostics } = answer.response
  const errors = diagnostics.errors.map(({ policyId }) => policyId).sort()
  const plain = { decision, policies: [...diagnostics.reason].sort(), errors }
  const failing = errors.filter((id) => isForbid(made, id))
  if (failing.length === 0) return { plain, strict: plain }
  const forbids = decision === 'deny' ? plain.policies : []
  return { plain, strict: { decision: 'deny', policies: [...forbids, ...failing].sort(), errors } }
}

function isForbid({ policies, templates, links }: CedarCase, id: string): boolean {
  const template = links.find(({ newId }) => newId === id)?.templateId
  const text = template === undefined ? policies[id] : templates[template]
  return text?.startsWith('forbid') === true
}

export class Compiled {
  readonly #plain: JudgedBothWays
  readonly #strict: JudgedBothWays
  readonly #entities: EntityStore

  /** With `filled`, links are handed over as the ordinary policies that compiling makes of them. */
  constructor(made: CedarCase, { filled: asPolicies = false } = {}) {
    const members = asPolicies ? membersOf(made).map(filledMember) : membersOf(made)
    const actions = actionsOf(made)
    this.#plain = new JudgedBothWays(members, actions, { erroringForbidDenies: false })
    this.#strict = new JudgedBothWays(members, actions, { erroringForbidDenies: true })
    this.#entities = new EntityStore(
      made.entities.map(({ uid, attrs, parents, tags }) => ({
        uid: uidOf(uid),
        attributes: values(attrs),
        tags: values(tags ?? {}),
        parents: parents.map(uidOf),
      })),
    )
  }

  authorize(request: CedarRequest, erroringForbidDenies: boolean): Authorization {
    const set = erroringForbidDenies ? this.#strict : this.#plain
    return set.authorize(
      {
        principal: uidOf(request.principal),
        action: uidOf(request.action),
        resource: uidOf(request.resource),
        context: new MapRecord(values(request.context)),
      },
      this.#entities,
    )
  }

  judged(request: CedarRequest, erroringForbidDenies: boolean): Judged {
    const { decision, policies, errors } = this.authorize(request, erroringForbidDenies)
    return { decision, policies: [...policies], errors: errors.map(({ policy }) => policy) }
  }
}

export function membersOf({ policies, templates, links }: CedarCase): SetMember[] {
  const members: SetMember[] = Object.entries(policies).map(([id, text]) => ({
    id,
    policy: parsed(text),
  }))
  for (const { newId, templateId, values: filling } of links) {
    const [principal, resource] = [filling['?principal'], filling['?resource']]
    members.push({
      id: newId,
      policy: parsed(templates[templateId] ?? ''),
      slots: {
        ...(principal === undefined ? {} : { principal: uidOf(principal) }),
        ...(resource === undefined ? {} : { resource: uidOf(resource) }),
      },
    })
  }
  return members
}

function filledMember({ id, policy, slots = {} }: SetMember): SetMember {
  const { principal, resource } = slots
  return {
    id,
    policy: filled(policy, {
      ...(principal === undefined ? {} : { '?principal': { type: principal.type, id: principal.id } }),
      ...(resource === undefined ? {} : { '?resource': { type: resource.type, id: resource.id } }),
    }),
  }
}

function parsed(text: string): Policy {
  const answer = parsePolicyText(text)
  if (!answer.ok) throw new Error(`${text}: ${answer.errors.map(({ message }) => message).join()}`)
  return answer.policy
}

/** Every action among the entities, with all its groups. */
function actionsOf({ entities }: CedarCase): KnownAction[] {
  const actions = entities.filter(({ uid }) => uidOf(uid).type === 'Action')
  const parents = new Map(
    actions.map(({ uid, parents: of }) => [uidOf(uid).id, of.map((each) => uidOf(each).id)]),
  )
  return [...parents.keys()].map((id) => {
    const found = new Set(parents.get(id))
    for (const each of found) for (const parent of parents.get(each) ?? []) found.add(parent)
    return {
      uid: new EntityUid('Action', id),
      ancestors: [...found].map((ancestor) => new EntityUid('Action', ancestor)),
    }
  })
}

function values(record: Readonly<Record<string, cedar.CedarValueJson>>): Map<string, Value> {
  return new Map(Object.entries(record).map(([name, json]) => [name, valueOfJson(json)]))
}

function uidOf(json: cedar.EntityUidJson): EntityUid {
  const { type, id } = '__entity' in json ? json.__entity : json
  return new EntityUid(type, id)
}
