import { checkClaims, checkCovered } from '../config/claims.ts'
import { Findings } from '../config/findings.ts'
import { ConfigError } from '../config/place.ts'
import { type ApiSettingsPlan, settlePlan, toPlans } from '../config/plan.ts'
import { type ReadConfig, type ReadContract, readConfig } from '../config/read.ts'
import { type CompiledContract, compileContract } from '../contract/compile.ts'
import { compilePolicies } from '../decision/cedar/compile.ts'
import { CedarEngine } from '../decision/cedar/evaluate.ts'
import { splitPlan } from '../decision/cedar/plan-parts.ts'
import { compileDomain } from '../decision/domain/compile.ts'
import { type PolicyTestResult, runPolicyTests, type TestedApi } from '../decision/policy-test.ts'
import type { ApiPlan, BundleHead, BundlePart, DomainPlan, PolicyPlan } from '../model/bundle.ts'
import { isFault, SallyportError } from '../model/errors.ts'
import { escapePointer } from '../syntax/json-pointer.ts'
import { compileSchema } from './compile-graphql.ts'
import { fieldStatements } from './field-sources.ts'
import { requireNamedItems } from './named-items.ts'
import { settleOperations } from './named-operations.ts'
import { withContractRules } from './object-sources.ts'
import { apiOperations } from './policy-schemas.ts'
import { requireTestForm } from './policy-test-form.ts'
import { unstatedAttributes } from './unstated.ts'
import { VERSION } from './version.ts'

/** A warning that does not stop the gate, with its place as a person reads it. */
export interface BundleWarning {
  readonly place: string
  readonly message: string
}

export interface CompiledBundle {
  readonly read: ReadConfig
  readonly head: BundleHead
  readonly apis: readonly { readonly plan: ApiPlan; readonly contract: CompiledContract | null }[]
  readonly policies: PolicyPlan
  readonly domains: readonly { readonly plan: DomainPlan; readonly entities: readonly unknown[] }[]
  readonly tests: readonly PolicyTestResult[]
  readonly warnings: readonly BundleWarning[]
  /** Where each policy stands, by its id. */
  readonly places: ReadonlyMap<string, string>
}

/**
 * Config, contracts and policies made into one bundle, and the policies' own tests run against it: what `check`,
 * `start` and every reload do alike. Throws what is wrong as `config-*`, `contract-invalid`, `policy-invalid` or
 * `policy-test-failed`, each with its place; seconds for large contracts. `onRead`: what was read, also of what then is wrong.
 */
export function compileBundle(configFile: string, onRead?: (read: ReadConfig) => void): CompiledBundle {
  const written = readConfig(configFile)
  onRead?.(written)
  const read = withContractRules(written)
  const { head, apis: settings } = toPlans(read, VERSION)
  const warnings: BundleWarning[] = read.warnings.map(({ file, line, column, message, hint }) => ({
    place: `${file}:${line}:${column}`,
    message: hint === '' ? message : `${message} (${hint})`,
  }))

  const compiledApis = settings.map((plan) => {
    const api = read.apis.find(({ name }) => name === plan.name)
    const text = api?.contract ?? api?.graphql?.schema ?? null
    const contract =
      api?.contract == null
        ? api === undefined
          ? null
          : compileSchema(read, api)
        : compileWithPlaces(read, plan, api.contract)
    for (const { code, pointer, message, file = text?.file ?? '' } of contract?.warnings ?? []) {
      warnings.push({ place: `${file}#${pointer}`, message: `${code}: ${message}` })
    }
    return { plan: settlePlan(plan, contract?.basePath ?? '', contract?.urlNames), contract }
  })
  const apis = settleOperations(read, compiledApis)
  const rivals = checkClaims(
    apis.map(({ plan }) => plan),
    read.apis,
  )
  const covered = checkCovered(
    apis.map(({ plan: { name, hosts, basePath }, contract }) => {
      const templates = contract?.operations.map(({ plan }) => plan.template) ?? []
      return { name, hosts, basePath, templates }
    }),
    read.apis,
  )
  const claims = [...rivals, ...covered]
  if (claims.length > 0) throw new ConfigError('config-invalid', claims, read.files, read.folders)

  const compiled = compilePolicies({
    files: read.policies,
    links: read.policyLinks,
    apis: apiOperations(apis),
    zones: (head.zones ?? []).map(({ name }) => name),
    issuers: head.issuers.map(({ name }) => name),
    networks: Object.keys(head.networks ?? {}),
    unstated: unstatedAttributes(head),
    declares: (operation, pointer) =>
      apis.some(({ contract }) => contract?.classified.get(operation)?.declares(pointer) === true),
    failingForbid: read.config.failingForbid,
  })
  requireNamedItems(read, apis, compiled.plan, compiled.places)
  for (const { file, line, column, message } of compiled.warnings)
    warnings.push({ place: `${file}:${line}:${column}`, message })
  const domains = read.domains.map((domain) => {
    const made = compileDomain(domain)
    for (const { file, line, column, message } of made.warnings)
      warnings.push({ place: `${file}:${line}:${column}`, message })
    return made
  })
  const tests = testPolicies(read, compiled.plan, apis)
  return { read, head, apis, policies: compiled.plan, domains, tests, warnings, places: compiled.places }
}

function testPolicies(
  read: ReadConfig,
  plan: PolicyPlan,
  apis: CompiledBundle['apis'],
): readonly PolicyTestResult[] {
  if (read.policyTests.length === 0) return []
  requireTestForm(read)
  const engine = new CedarEngine(plan)
  try {
    return runPolicyTests({ files: read.policyTests, apis: testedApis(apis), engine })
  } finally {
    engine.close()
  }
}

/** What policy tests may call, and what they may leave out. */
export function testedApis(apis: CompiledBundle['apis']): readonly TestedApi[] {
  return apis.map(({ plan: { name, accept, credential }, contract }) => {
    const [issuer] = accept
    return {
      api: name,
      operations: contract?.operations.map(({ plan }) => plan) ?? [],
      credential,
      ...(issuer === undefined ? {} : { issuer }),
    }
  })
}

/** What is wrong with an object rule is said of the file that the rule stands in. */
function compileWithPlaces(read: ReadConfig, plan: ApiSettingsPlan, text: ReadContract): CompiledContract {
  try {
    const api = read.apis.find(({ name }) => name === plan.name)
    const fields = api === undefined ? {} : { fields: fieldStatements(api) }
    return compileContract({ ...contractInput(plan, text), ...fields })
  } catch (error) {
    const object = isFault(error, 'config-invalid') ? error.data['object'] : undefined
    const stated = isFault(error, 'config-invalid') ? error.data['fields'] : undefined
    const beside = read.apis.find(({ name }) => name === plan.name)?.fields?.source
    if (Array.isArray(stated) && beside !== undefined && isFault(error)) {
      const findings = new Findings()
      findings.problem(beside, stated, error.message, '', 'key')
      throw new ConfigError('config-invalid', findings.problems, read.files, read.folders)
    }
    const rules = read.apis.find(({ name }) => name === plan.name)?.rules ?? []
    const source = rules.find(({ type }) => type === object)?.source
    if (typeof object !== 'string' || source === undefined || !isFault(error)) throw error
    const findings = new Findings()
    findings.problem(source, [], error.message, '')
    throw new ConfigError('config-invalid', findings.problems, read.files, read.folders)
  }
}

/** Throws `policy-test-failed` naming every test that got another verdict than it expects. */
export function requireTests(tests: readonly PolicyTestResult[]): void {
  const failed = tests.filter(({ ok }) => !ok)
  if (failed.length === 0) return
  const lines = failed.map(({ file, name, problem }) => `${file}: ${name}: ${problem}`)
  throw new SallyportError('policy-test-failed', lines.join('\n'), {
    failed: failed.length,
    of: tests.length,
  })
}

/** A gate thread makes one part at one go: about 2 ms. */
const ENTITIES_A_PART = 500

/** The bundle part by part, in the order a thread instantiates it. */
export function* bundleParts({ head, apis, policies, domains }: CompiledBundle): Generator<BundlePart> {
  yield { part: 'head', head }
  for (const { plan, contract } of apis) yield { part: 'api', api: plan, contracted: contract !== null }
  for (const { plan, contract } of apis) {
    for (const { name, source } of contract?.modules ?? [])
      yield { part: 'module', api: plan.name, name, source }
    for (const operation of contract?.operations ?? []) yield { part: 'operation', operation }
  }
  const split = splitPlan(policies)
  yield { part: 'policies', policies: split.plan }
  for (const list of split.policies) yield { part: 'policy-list', policies: list }
  for (const { plan, entities } of domains) {
    yield { part: 'domain', domain: plan }
    for (let at = 0; at < entities.length; at += ENTITIES_A_PART)
      yield { part: 'entities', domain: plan.name, entities: entities.slice(at, at + ENTITIES_A_PART) }
  }
}

function contractInput(plan: ApiSettingsPlan, text: ReadContract): Parameters<typeof compileContract>[0] {
  const pointer = (segments: readonly string[]): string =>
    segments.map((segment) => `/${escapePointer(segment)}`).join('')
  const objects = plan.objects.map(({ type, owner, tenant, ...rest }) => [
    type,
    {
      ...rest,
      ...(owner === undefined ? {} : { owner: pointer(owner) }),
      ...(tenant === undefined ? {} : { tenant: pointer(tenant) }),
    },
  ])
  return {
    api: plan.name,
    text: text.text,
    file: text.file,
    parts: text.parts,
    ...(plan.basePath === null ? {} : { basePath: plan.basePath }),
    objects: Object.fromEntries(objects),
    credential: plan.credential,
  }
}
