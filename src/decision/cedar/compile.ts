import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { PolicyPlan } from '../../model/bundle.ts'
import type { OperationPlan } from '../../model/operation.ts'
import type { PolicyLink } from '../../model/policy-link.ts'
import { readObligations, ruleReads } from '../obligations.ts'
import type { Policy } from './est.ts'
import { actionScope, entityNames } from './est.ts'
import type { ParsedPolicy, PolicyFault, PolicyFile, PolicyWarning } from './fault.ts'
import { fault, isEnough, placeText, throwIfAny } from './fault.ts'
import type { KnownNames } from './known-names.ts'
import { knownNames, unknownName } from './known-names.ts'
import type { KnownValues } from './known-values.ts'
import { knownValues, unknownValues } from './known-values.ts'
import type { LinkedPolicy } from './links.ts'
import { linkFault, linkPlace, linkTemplates } from './links.ts'
import { classesOf, fieldsNamed } from './named-fields.ts'
import { modeFault } from './observed-policy.ts'
import { unanswerable } from './owner-use.ts'
import type { ApiActions, CedarPlan, CompiledPolicy } from './plan.ts'
import { PolicySet } from './policy-set.ts'
import { parsePolicyText } from './policy-text.ts'
import { policyReads } from './reads.ts'
import type { ApiOperations } from './schema.ts'
import { actionGroups, actionIds } from './schema.ts'
import { keepOnly, offsetOfByte, placeOf, scanPolicies } from './source.ts'
import { filled, SLOTS } from './template.ts'
import { validateFile } from './validate.ts'

export interface PolicyCompilation {
  readonly plan: PolicyPlan
  readonly warnings: readonly PolicyWarning[]
  /** Where each policy stands, `file:line:column`, by its id. */
  readonly places: ReadonlyMap<string, string>
}

/** Four times the text of 10,000 ordinary policies; beyond it, validation alone takes minutes. */
const MAX_TEXT = 4 * 1024 * 1024
const MAX_ID = 200

/**
 * Control's compiler: policy text to the plain data a bundle carries, checked against the schema of every API a
 * policy can touch. An API without any policy is no fault: it denies everything.
 *
 * @throws {SallyportError} `policy-invalid`; `data` has `file`, `line` and `column` of the first fault and `errors`,
 *   a line for each (`file:line:column: message`).
 */
export function compilePolicies(input: {
  readonly files: readonly PolicyFile[]
  /** Links of the files' templates. */
  readonly links?: readonly PolicyLink[]
  readonly apis: readonly ApiOperations[]
  /** Names of the declared trust zones. */
  readonly zones?: readonly string[]
  /** Config names of the issuers; left out: policies may name callers and groups of any. */
  readonly issuers?: readonly string[]
  /** Names of the declared networks; left out: policies may ask for any. */
  readonly networks?: readonly string[]
  /** Whether an operation's answers declare what a JSON pointer names; left out: policies may name any field. */
  readonly declares?: (operation: string, pointer: string) => boolean
  /** Attributes that nothing in this configuration states, with why: a policy that reads one is warned of. */
  readonly unstated?: ReadonlyMap<string, string>
  /** `ignore`: plain Cedar, where a forbid that fails does not apply; else it denies. */
  readonly failingForbid?: 'deny' | 'ignore'
}): PolicyCompilation {
  const faults: PolicyFault[] = []
  const parsed = parseFiles(input.files, faults)
  throwIfAny(faults)
  const size = input.files.reduce((sum, { text }) => sum + text.length, 0)
  const linking = { links: input.links ?? [], parsed, isUsableId, room: MAX_TEXT - size }
  const linked = linkTemplates(linking, faults)
  throwIfAny(faults)
  const names = knownNames(input.apis, input.zones ?? [], input.issuers)
  const values = knownValues(input.networks, classesOf(input.apis))
  for (const policy of parsed) checkPolicy(policy, names, values, faults)
  for (const link of linked) if (!isEnough(faults)) checkLink(link, names, faults)
  throwIfAny(faults)
  const known = new Map(input.apis.map((api) => [api.api, actionIds(api)]))
  const scoped = parsed.map((each) => ({ ...each, apis: apisOf(each.policy, known) }))
  const warnings: PolicyWarning[] = []
  const unstated = (reads: readonly string[]): readonly string[] =>
    reads.flatMap((path) => {
      const why = input.unstated?.get(path)
      return why === undefined ? [] : [`${path} is never known: ${why}`]
    })
  for (const { file, span, id, policy, apis } of scoped) {
    const { wrong, unmet } = fieldsNamed({ id, policy, apis, reads: [] }, input)
    faults.push(...wrong.map((why) => ({ ...fault(file, span.start, why), policy: id })))
    warnings.push(...unmet.map((why) => fault(file, span.start, why, id)))
  }
  throwIfAny(faults)
  const inUse = new Set(linked.map(({ template }) => template.id))
  for (const { file, span, id, policy, template, apis } of scoped) {
    if (apis.length === 0) warnings.push(fault(file, span.start, NEVER_APPLIES, id))
    if (template && !inUse.has(id)) warnings.push(fault(file, span.start, NOT_LINKED, id))
    // What a slot reads is told of the link that fills it.
    for (const what of unstated(policyReads(filled(policy, ANYONE))))
      warnings.push(fault(file, span.start, what, id))
  }
  for (const { template, link, policy } of linked) {
    const said = new Set(policyReads(filled(template.policy, ANYONE)))
    for (const what of unstated(policyReads(policy).filter((path) => !said.has(path))))
      warnings.push(linkFault(link, 'link', what))
  }
  for (const file of input.files) {
    const own = scoped.filter((policy) => policy.file === file)
    const links = linked.filter(({ template }) => template.file === file)
    const checked = validateFile(file, own, input.apis, links)
    faults.push(...checked.faults)
    warnings.push(...checked.warnings)
  }
  throwIfAny(faults)
  const compiled = [
    ...scoped
      .filter(({ template }) => !template)
      .map(({ id, policy, apis }) => compiledPolicy(id, policy, apis)),
    ...linked.map(({ id, policy, template, link }) => ({
      ...compiledPolicy(id, policy, apisOf(policy, known)),
      link: { template: template.id, args: link.args },
    })),
  ]
  const places = new Map([
    ...parsed.filter(({ template }) => !template).map((each) => [each.id, placeText(each)] as const),
    ...linked.map(({ id, link }) => [id, linkPlace(link)] as const),
  ])
  return { plan: toPlan(compiled, input.apis, input.failingForbid ?? 'deny'), warnings, places }
}

/** Policies and templates of the files, each parsed by itself; where there are faults, not all of them. */
export function parseFiles(files: readonly PolicyFile[], faults: PolicyFault[]): readonly ParsedPolicy[] {
  const parsed: ParsedPolicy[] = []
  const seen = new Map<string, ParsedPolicy>()
  let size = 0
  for (const file of files) {
    size += file.text.length
    if (size > MAX_TEXT) {
      faults.push(fault(file, 0, `policies are larger than ${MAX_TEXT} characters altogether`))
      return parsed
    }
    for (const policy of parseFile(file, faults)) {
      const earlier = seen.get(policy.id)
      if (earlier !== undefined) {
        const { line } = placeOf(earlier.file.text, earlier.span.start)
        const where = `${earlier.file.file}:${line}`
        faults.push(fault(file, policy.span.start, `the id ${policy.id} is taken by the policy at ${where}`))
      }
      seen.set(policy.id, policy)
      parsed.push(policy)
    }
  }
  return parsed
}

function parseFile(file: PolicyFile, faults: PolicyFault[]): readonly ParsedPolicy[] {
  const scan = scanPolicies(file.text)
  if (!scan.ok) {
    faults.push(fault(file, scan.at, scan.why))
    return []
  }
  // Cedar takes templates one by one; blanked, they leave the places of the rest as they are.
  const whole = keepOnly(
    file.text,
    scan.policies,
    scan.policies.filter(({ slots }) => !slots),
  )
  const broken = [...parseFaults(file, 0, { staticPolicies: whole })]
  for (const { start, end, slots } of scan.policies) {
    if (slots) broken.push(...parseFaults(file, start, { templates: { it: file.text.slice(start, end) } }))
  }
  if (broken.length > 0) {
    faults.push(...broken)
    return []
  }
  return scan.policies.flatMap((span, index) => {
    const parsed = parsePolicyText(file.text.slice(span.start, span.end))
    if (!parsed.ok) {
      faults.push(fault(file, span.start, parsed.errors[0]?.message ?? TOO_DEEP))
      return []
    }
    const { policy, template } = parsed
    // What a gate thread will do with it is done here first: a bundle that is made can be instantiated.
    if (attempt(() => new PolicySet([{ id: '', policy: filled(policy, ANYONE) }], [])) === null) {
      faults.push(fault(file, span.start, TOO_DEEP))
      return []
    }
    const id = policy.annotations?.['id'] ?? `${file.file}#${index + 1}`
    if (!isUsableId(id)) {
      faults.push(fault(file, span.start, `@id holds 1 to ${MAX_ID} printable characters`))
      return []
    }
    const asked = readObligations(id, policy.effect, policy.annotations)
    const odd = modeFault(policy) ?? (typeof asked === 'string' ? asked : null)
    if (odd !== null) {
      faults.push({ ...fault(file, span.start, odd), policy: id })
      return []
    }
    return [{ id, file, span, policy, template }]
  })
}

/** Stands in a template's slots where only the rest of it is looked at; nothing is read to compare with it. */
const ANYONE = {
  '?principal': { type: 'Anonymous', id: 'anonymous' },
  '?resource': { type: 'Api', id: '' },
} as const
const NOT_LINKED =
  'the template has no link: it applies to nothing; add one in a *.links.json file beside the policies'
const NEVER_APPLIES = 'the action scope names nothing: the policy never applies'
const TOO_DEEP = 'the policy is nested too deeply: split it, or use a set with contains'

/** cedar-wasm throws where its own recursion limits are reached, the evaluator where its own are. */
function attempt<T>(call: () => T): T | null {
  try {
    return call()
  } catch {
    return null
  }
}

function isUsableId(id: string): boolean {
  return id.length > 0 && id.length <= MAX_ID && !/[\p{C}]/u.test(id)
}

/** `base`: where in the file the parsed text begins. */
function parseFaults(file: PolicyFile, base: number, policies: cedar.PolicySet): readonly PolicyFault[] {
  const answer = attempt(() => cedar.checkParsePolicySet(policies))
  if (answer?.type === 'success') return []
  if (answer === null || answer.errors.length === 0) return [fault(file, base, TOO_DEEP)]
  const text = file.text.slice(base)
  return answer.errors.map((error) => {
    const [location] = error.sourceLocations ?? []
    const message = error.message.replace(
      /^failed to parse (?:policy|policies|template)(?: with id `it`)? from string: /,
      '',
    )
    const hint = location?.label ?? error.help
    return fault(
      file,
      location === undefined ? base : base + offsetOfByte(text, location.start),
      hint ? `${message} (${hint})` : message,
    )
  })
}

/** Each name and value at its place in the text; what no checkpoint can answer at the policy's. */
function checkPolicy(
  parsed: ParsedPolicy,
  known: KnownNames,
  values: KnownValues,
  faults: PolicyFault[],
): void {
  const { file, span, policy, id } = parsed
  const text = file.text.slice(span.start, span.end)
  for (const { value, why } of unknownValues(policy, values)) {
    const place = span.start + Math.max(0, text.indexOf(JSON.stringify(value)))
    faults.push({ ...fault(file, place, why), policy: id })
  }
  for (const name of entityNames(policy)) {
    const why = unknownName(name, known)
    if (why === null) continue
    const at = text.indexOf(JSON.stringify(name.id))
    const place = span.start + Math.max(0, at === -1 ? 0 : at - name.type.length - 2)
    faults.push({ ...fault(file, place, why), policy: id })
  }
  const why = unanswerable(policy)
  if (why !== null) faults.push({ ...fault(file, span.start, why), policy: id })
}

function checkLink({ link, entities }: LinkedPolicy, known: KnownNames, faults: PolicyFault[]): void {
  for (const slot of SLOTS) {
    const entity = entities[slot]
    const why = entity === undefined ? null : unknownName(entity, known)
    if (why !== null) faults.push(linkFault(link, slot, why))
  }
}

/** APIs the action scope mentions; a policy that mentions none can decide calls of all. */
function apisOf(policy: Policy, known: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const mentioned = actionScope(policy)
  const all = policy.action.op === 'All'
  return [...known]
    .filter(([, actions]) => all || mentioned.some((action) => actions.has(action.id)))
    .map(([api]) => api)
}

function compiledPolicy(id: string, policy: Policy, apis: readonly string[]): CompiledPolicy {
  return { id, apis, reads: policyReads(policy), policy }
}

function fieldRules(operations: readonly OperationPlan[]): Pick<ApiActions, 'fields'> {
  const fields = operations.flatMap(({ key, fieldRules }) => (fieldRules ? [[key, fieldRules] as const] : []))
  return fields.length === 0 ? {} : { fields: Object.fromEntries(fields) }
}

function graphqlEndpoints(operations: ApiOperations['operations']): {
  readonly endpoints?: readonly string[]
} {
  const endpoints = operations.flatMap(({ key, graphql }) => (graphql === 'endpoint' ? [key] : []))
  return endpoints.length === 0 ? {} : { endpoints }
}

function toPlan(
  policies: readonly CompiledPolicy[],
  apis: readonly ApiOperations[],
  failingForbid: 'deny' | 'ignore',
): PolicyPlan {
  const detail: CedarPlan = {
    format: 1,
    ...(failingForbid === 'ignore' ? { failingForbid } : {}),
    policies,
    apis: Object.fromEntries(
      apis.map(({ api, operations, zone }) => [
        api,
        {
          actions: Object.fromEntries(operations.map((plan) => [plan.key, actionGroups(plan)])),
          ...(zone === undefined ? {} : { zone }),
          ...fieldRules(operations),
          ...graphqlEndpoints(operations),
        },
      ]),
    ),
  }
  const rules = apis.flatMap(({ operations }) => operations.flatMap(({ fieldRules = [] }) => fieldRules))
  const reads = [...policies.flatMap((policy) => policy.reads), ...ruleReads(rules)]
  return { detail, reads: [...new Set(reads)].sort() }
}
