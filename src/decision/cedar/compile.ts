import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { PolicyPlan } from '../../model/bundle.ts'
import { nearest } from '../../syntax/nearest.ts'
import type { EntityName } from './est.ts'
import { actionScope, entityNames } from './est.ts'
import type { ParsedPolicy, PolicyFault, PolicyFile, PolicyWarning } from './fault.ts'
import { fault, throwIfAny } from './fault.ts'
import { modeFault } from './observed-policy.ts'
import { unanswerable } from './owner-use.ts'
import type { CedarPlan, CompiledPolicy } from './plan.ts'
import { PolicySet } from './policy-set.ts'
import { parsePolicyText } from './policy-text.ts'
import { policyReads } from './reads.ts'
import type { ApiOperations } from './schema.ts'
import { actionGroups, actionIds } from './schema.ts'
import type { PolicySpan } from './source.ts'
import { offsetOfByte, placeOf, scanPolicies } from './source.ts'
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
  readonly apis: readonly ApiOperations[]
  /** Names of the declared trust zones. */
  readonly zones?: readonly string[]
  /** Attributes that nothing in this configuration states, with why: a policy that reads one is warned of. */
  readonly unstated?: ReadonlyMap<string, string>
  /** `ignore`: plain Cedar, where a forbid that fails does not apply; else it denies. */
  readonly failingForbid?: 'deny' | 'ignore'
}): PolicyCompilation {
  const faults: PolicyFault[] = []
  const parsed = parseFiles(input.files, faults)
  throwIfAny(faults)
  const known = new Map(input.apis.map((api) => [api.api, actionIds(api)]))
  const names = knownNames(input.apis, input.zones ?? [], known)
  for (const policy of parsed) checkNames(policy, names, faults)
  throwIfAny(faults)
  const compiled = parsed.map((policy) => compilePolicy(policy, known))
  const warnings: PolicyWarning[] = []
  parsed.forEach(({ file, span, id }, index) => {
    const made = compiled[index]
    if (made?.apis.length === 0) warnings.push(fault(file, span.start, NEVER_APPLIES, id))
    for (const path of made?.reads ?? []) {
      const why = input.unstated?.get(path)
      if (why !== undefined) warnings.push(fault(file, span.start, `${path} is never known: ${why}`, id))
    }
  })
  for (const file of input.files) {
    const own = parsed.flatMap((policy, index) => {
      const apis = compiled[index]?.apis
      return policy.file === file && apis !== undefined ? [{ ...policy, apis }] : []
    })
    const checked = validateFile(file, own, input.apis)
    faults.push(...checked.faults)
    warnings.push(...checked.warnings)
  }
  throwIfAny(faults)
  const places = new Map(parsed.map((policy) => [policy.id, placeText(policy)]))
  return { plan: toPlan(compiled, input.apis, input.failingForbid ?? 'deny'), warnings, places }
}

function placeText({ file, span }: ParsedPolicy): string {
  const { line, column } = placeOf(file.text, span.start)
  return `${file.file}:${line}:${column}`
}

/** Every policy of the files, in their order; what does not parse, or takes another’s id, is added to `faults`. */
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
  const whole = attempt(() => cedar.checkParsePolicySet({ staticPolicies: file.text }))
  if (whole === null || whole.type === 'failure') {
    faults.push(...parseFaults(file, scan.policies, whole?.errors ?? []))
    return []
  }
  return scan.policies.flatMap((span, index) => {
    const parsed = parsePolicyText(file.text.slice(span.start, span.end))
    if (!parsed.ok) {
      faults.push(fault(file, span.start, parsed.errors[0]?.message ?? TOO_DEEP))
      return []
    }
    const { policy } = parsed
    // What a gate thread will do with it is done here first: a bundle that is made can be instantiated.
    if (attempt(() => new PolicySet([{ id: '', policy }], [])) === null) {
      faults.push(fault(file, span.start, TOO_DEEP))
      return []
    }
    const id = policy.annotations?.['id'] ?? `${file.file}#${index + 1}`
    if (!isUsableId(id)) {
      faults.push(fault(file, span.start, `@id holds 1 to ${MAX_ID} printable characters`))
      return []
    }
    const odd = modeFault(policy)
    if (odd !== null) {
      faults.push({ ...fault(file, span.start, odd), policy: id })
      return []
    }
    return [{ id, file, span, policy }]
  })
}

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

function parseFaults(
  file: PolicyFile,
  policies: readonly PolicySpan[],
  errors: readonly cedar.DetailedError[],
): readonly PolicyFault[] {
  if (errors.length === 0) return [fault(file, policies[0]?.start ?? 0, TOO_DEEP)]
  return errors.map((error) => {
    if (error.message.includes('template')) {
      const slot = policies.find(({ start, end }) =>
        /\?(?:principal|resource)/.test(file.text.slice(start, end)),
      )
      return fault(file, slot?.start ?? 0, 'templates are not taken: name the principal and the resource')
    }
    const [location] = error.sourceLocations ?? []
    const message = error.message.replace(/^failed to parse polic(?:y|ies) from string: /, '')
    const hint = location?.label ?? error.help
    return fault(
      file,
      location === undefined ? 0 : offsetOfByte(file.text, location.start),
      hint ? `${message} (${hint})` : message,
    )
  })
}

/** Actions, operations, APIs and zones a policy names must exist: a forbid over a misspelt name would forbid nothing. */
function checkNames(parsed: ParsedPolicy, known: KnownNames, faults: PolicyFault[]): void {
  const text = parsed.file.text.slice(parsed.span.start, parsed.span.end)
  for (const name of entityNames(parsed.policy)) {
    const candidates = known.get(name.type)
    if (candidates === undefined || candidates.some((set) => set.has(name.id))) continue
    const close = nearest(
      name.id,
      candidates.flatMap((set) => [...set]),
    )
    const at = text.indexOf(JSON.stringify(name.id))
    const hint = close === null ? '' : `; the nearest is ${literal({ type: name.type, id: close })}`
    const place = parsed.span.start + Math.max(0, at === -1 ? 0 : at - name.type.length - 2)
    faults.push({
      ...fault(parsed.file, place, `there is no ${literal(name)}${hint}`),
      policy: parsed.id,
    })
  }
  const why = unanswerable(parsed.policy)
  if (why !== null) faults.push({ ...fault(parsed.file, parsed.span.start, why), policy: parsed.id })
}

/** By entity type, the ids there are; of other types any may be named. */
type KnownNames = ReadonlyMap<string, readonly ReadonlySet<string>[]>

function knownNames(
  apis: readonly ApiOperations[],
  zones: readonly string[],
  actions: ReadonlyMap<string, ReadonlySet<string>>,
): KnownNames {
  const operations = apis.flatMap((api) => api.operations.map(({ key }) => key))
  return new Map([
    ['Action', [...actions.values()]],
    ['Api', [new Set(actions.keys())]],
    ['Operation', [new Set(operations)]],
    ['Zone', [new Set(zones)]],
  ])
}

function literal(name: EntityName): string {
  return `${name.type}::${JSON.stringify(name.id)}`
}

/** APIs the action scope mentions; a policy that mentions none can decide calls of all. */
function compilePolicy(
  { id, policy }: ParsedPolicy,
  known: ReadonlyMap<string, ReadonlySet<string>>,
): CompiledPolicy {
  const mentioned = actionScope(policy)
  const all = policy.action.op === 'All'
  const apis = [...known]
    .filter(([, actions]) => all || mentioned.some((action) => actions.has(action.id)))
    .map(([api]) => api)
  return { id, apis, reads: policyReads(policy), policy }
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
        },
      ]),
    ),
  }
  return { detail, reads: [...new Set(policies.flatMap(({ reads }) => reads))].sort() }
}
