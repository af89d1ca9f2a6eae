import type { DecisionInput, FieldObligation, Obligation } from '../model/decision.ts'
import type { FieldRulePlan } from '../model/operation.ts'

/**
 * What goes out with an allow, but for some fields (XACML 3.0 §7.18): annotations of permits ask for it,
 * `@mask("/customer/email, class:pci")`, and a contract's own field rules. All that decided are obeyed.
 */

export const FIELD_KINDS: readonly FieldObligation['kind'][] = ['drop', 'redact', 'mask']

type Annotations = Readonly<Record<string, string | null>>

const MAX_FIELDS = 64
const MAX_FIELD = 512
/** Names that somebody wrote who meant one of them: what is not understood would leave fields in clear. */
const MEANT =
  /^(?:masks?|masked|masking|maks|msk|redacts?|redacted|redaction|redcat|drops?|dropped|dorp|omit|hide|remove|strip)$/i
const CLASS = /^class:[a-z][a-z0-9-]{0,31}$/
const POINTER = /^(?:\/(?:[^~/]|~[01])*)+$/

/** What a permit's annotations ask for, in the order drop, redact, mask; a text says what is wrong. */
export function readObligations(
  id: string,
  effect: 'permit' | 'forbid',
  annotations: Annotations = {},
): readonly FieldObligation[] | string {
  const found: FieldObligation[] = []
  for (const name of Object.keys(annotations)) {
    if (MEANT.test(name) && !FIELD_KINDS.some((kind) => kind === name))
      return `there is no annotation @${name}; write @drop, @redact or @mask`
  }
  for (const kind of FIELD_KINDS) {
    if (!Object.hasOwn(annotations, kind)) continue
    if (effect === 'forbid') return `@${kind} stands at permits: a forbid lets nothing out`
    const fields = (annotations[kind] ?? '').split(',').map((field) => field.trim())
    if (fields.length > MAX_FIELDS) return `@${kind} names more than ${MAX_FIELDS} fields`
    for (const field of fields) {
      const readable = field.length <= MAX_FIELD && (CLASS.test(field) || POINTER.test(field))
      if (!readable)
        return `@${kind} names fields as "/customer/email" (* for any name or index) or "class:pii", separated by commas`
    }
    found.push({ kind, fields: [...new Set(fields)].sort(), policy: id })
  }
  return found
}

/** Combinations of permits that are remembered; more are put together anew. */
const MAX_KNOWN = 1_024

/** The obligations of one API's policies and contract. */
export class FieldDuties {
  readonly #permits: ReadonlyMap<string, readonly FieldObligation[]>
  readonly #rules: ReadonlyMap<string, readonly FieldRulePlan[]>
  readonly #known = new Map<string, readonly FieldObligation[]>()

  constructor(
    permits: ReadonlyMap<string, readonly FieldObligation[]>,
    rules: ReadonlyMap<string, readonly FieldRulePlan[]>,
  ) {
    this.#permits = permits
    this.#rules = rules
  }

  get none(): boolean {
    return this.#permits.size === 0 && this.#rules.size === 0
  }

  /** @param permits Ids of those that decided; the same ids and rules give the same list. */
  of(permits: readonly string[], input: DecisionInput): readonly FieldObligation[] | undefined {
    let key = ''
    for (let i = 0; i < permits.length; i++) {
      const id = permits[i] ?? ''
      if (this.#permits.has(id)) key += `${id}\n`
    }
    const rules = this.#rules.get(input.action)
    if (rules !== undefined) {
      key += `\n${input.action}\n`
      for (let i = 0; i < rules.length; i++)
        key += rules[i] !== undefined && isVisible(rules[i], input) ? '1' : '0'
    }
    if (key === '') return undefined
    const known = this.#known.get(key)
    if (known !== undefined) return known.length === 0 ? undefined : known
    const made: FieldObligation[] = permits.flatMap((id) => this.#permits.get(id) ?? [])
    for (const kind of FIELD_KINDS) {
      const hidden = (rules ?? []).filter((rule) => rule.otherwise === kind && !isVisible(rule, input))
      if (hidden.length > 0) made.push({ kind, fields: hidden.map(({ at }) => at), policy: '' })
    }
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(key, made)
    return made.length === 0 ? undefined : made
  }
}

function isVisible(rule: FieldRulePlan | undefined, { principal, context }: DecisionInput): boolean {
  if (rule === undefined) return false
  const { roles, groups, scopes } = rule.visibleTo
  return (
    roles.some((name) => principal.roles?.includes(name) === true) ||
    groups.some((name) => principal.groups.includes(name)) ||
    scopes.some((name) => context.scopes.includes(name))
  )
}

/** Attribute paths that field rules read. */
export function ruleReads(rules: readonly FieldRulePlan[] = []): readonly string[] {
  const reads = new Set<string>()
  for (const { visibleTo } of rules) {
    if (visibleTo.roles.length > 0) reads.add('principal.roles')
    if (visibleTo.groups.length > 0) reads.add('principal.groups')
    if (visibleTo.scopes.length > 0) reads.add('context.scopes')
  }
  return [...reads]
}

/** Whether two decisions hide the same, by the same policies. */
export function sameObligations(one: readonly Obligation[] = [], other: readonly Obligation[] = []): boolean {
  return textsOf(one).join('\n') === textsOf(other).join('\n')
}

/** Those that name fields. */
export function fieldObligations(obligations: readonly Obligation[]): readonly FieldObligation[] {
  // The same list where it can be: by it is known what was made of it before.
  return obligations.every(isOfFields) ? obligations : obligations.filter(isOfFields)
}

function isOfFields(obligation: Obligation): obligation is FieldObligation {
  return obligation.kind !== 'drop-undeclared'
}

function textsOf(obligations: readonly Obligation[]): readonly string[] {
  return fieldObligations(obligations)
    .flatMap(({ kind, policy, fields }) => fields.map((field) => `${kind} ${policy} ${field}`))
    .sort()
}
