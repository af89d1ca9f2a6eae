import type { OperationPlan } from '../../model/operation.ts'
import type { Draft } from '../init/draft.ts'
import { counted, oneLine } from '../init/literal.ts'
import { policyIds } from '../init/policy-text.ts'
import type { InitRequest } from '../init/request.ts'
import type { CheckReport } from './actions.ts'
import type { Output } from './output.ts'

/** What init says: what it permitted and did not, what is open to all, and what to do next. */

/** Named on the terminal; the policies list all. */
const MAX_SHOWN = 10

export function printDraft(out: Output, { contract }: InitRequest, drafted: Draft): void {
  const { api, operations, survey, schemes, objects, audience, files } = drafted
  const ids = policyIds(api)
  out.line(`${api}: ${counted(operations.length, 'operation')} in ${oneLine(contract, 512)}`)
  for (const { path } of files) out.line(`wrote ${path}`)
  out.line()
  const policies = files[1]?.path ?? ''
  if (survey.scoped.length > 0) {
    out.line(
      `permitted by scope: ${counted(survey.scoped.length, 'operation')}, to whoever’s token carries the scopes the contract names (policy ${ids.scopes})`,
    )
  }
  if (survey.unscoped.length > 0) {
    out.line(
      `not permitted: ${counted(survey.unscoped.length, 'operation')} for which the contract names no scope. Read and write roles per tag stand in ${policies}, commented out, to be granted by name:`,
    )
    printOperations(out, survey.unscoped)
  }
  for (const { text, operations: named } of warningsOf(drafted)) {
    out.line(`warning: ${text}${named.length > 0 ? ':' : ''}`)
    printOperations(out, named)
  }
  if (schemes.length > 0 && survey.uncheckable.length > 0) {
    out.line('refused when enforcing, unless credential: pass:')
    printOperations(out, survey.uncheckable)
  }
  if (objects.length > 0) {
    out.line(
      `objects: ${counted(objects.length, 'path')} may name an owner, such as ${oneLine(objects[0]?.template ?? '')} by ${oneLine(objects[0]?.owner ?? '')}; the rules stand in ${files[0]?.path ?? ''}, commented out`,
    )
  }
  if (!audience.assumed) return
  out.line(
    `audience: assumed to be ${audience.value}. A token whose aud is another is refused: decode one of yours (the part between its dots is base64url JSON) and put its aud into ${files[0]?.path ?? ''} if it differs`,
  )
}

interface Warning {
  readonly text: string
  /** Those it speaks of; empty where their number is enough. */
  readonly operations: readonly OperationPlan[]
}

function warningsOf({ api, survey, schemes, objects }: Draft): readonly Warning[] {
  const warnings: Warning[] = []
  const { anonymous, optional } = survey
  const ids = policyIds(api)
  const open = oneObject(survey.scoped)
  if (open.length > 0) {
    const offered =
      objects.length > 0 ? 'those offered in sallyport.yaml' : 'none could be guessed: write one'
    warnings.push({
      text: `EVERYONE’S OBJECTS: by policy ${ids.scopes} any caller whose token carries the scope gets at every object of ${counted(open.length, 'operation')}, whoever it belongs to, until an objects: rule (${offered}) and its owner policy are switched on`,
      operations: open,
    })
  }
  if (anonymous.length > 0) {
    warnings.push({
      text: `PUBLIC: ${counted(anonymous.length, 'operation')} can be called by anyone, without a token (security: [], policy ${ids.anonymous})`,
      operations: anonymous,
    })
  }
  if (optional.length > 0) {
    warnings.push({
      text: `PUBLIC: ${counted(optional.length, 'operation')} can be called by anyone; a token is optional ({} in security, policy ${ids.optional})`,
      operations: optional,
    })
  }
  for (const { name, operations, closed } of schemes) {
    warnings.push({
      text: `the gate cannot check the security scheme ${oneLine(name, 80)} of ${counted(operations, 'operation')}; enforcing refuses every call to the ${closed} that no token opens, unless the API has credential: pass`,
      operations: [],
    })
  }
  return warnings
}

/** Operations on one object each: their only path parameter ends the path. */
function oneObject(operations: readonly OperationPlan[]): readonly OperationPlan[] {
  return operations.filter(({ template }) => /^[^{}]*\/\{[^{}]+\}$/.test(template))
}

function printOperations(out: Output, operations: readonly OperationPlan[]): void {
  for (const { key, method, template } of operations.slice(0, MAX_SHOWN)) {
    out.line(`    ${oneLine(key)}${key.endsWith(` ${template}`) ? '' : `  ${method} ${oneLine(template)}`}`)
  }
  if (operations.length > MAX_SHOWN) out.line(`    and ${operations.length - MAX_SHOWN} more`)
}

export function printCheck(out: Output, { policies, tests, warnings }: CheckReport): void {
  out.line()
  for (const { place, message } of warnings.slice(0, MAX_SHOWN)) {
    out.line(`check: ${oneLine(`${place === '' ? '' : `${place}: `}${message}`, 400)}`)
  }
  if (warnings.length > MAX_SHOWN)
    out.line(`check: and ${counted(warnings.length - MAX_SHOWN, 'warning')} more`)
  for (const { name, detail } of tests.filter(({ passed }) => !passed))
    out.line(`failed: ${oneLine(name)}: ${detail}`)
  const passed = tests.filter((test) => test.passed).length
  out.line(
    `check: ${counted(policies, 'policy file')}, ${passed} of ${tests.length} policy tests pass, ${counted(warnings.length, 'warning')}`,
  )
}

interface Step {
  readonly command?: string
  readonly what: string
}

export function nextSteps(config: string, { api, basePath, ports }: Draft): readonly Step[] {
  const named =
    config === 'sallyport.yaml'
      ? ''
      : ` --config ${/[^\w./-]/.test(config) ? `'${config.replaceAll("'", "'\\''")}'` : config}`
  return [
    {
      command: `sallyport start${named}`,
      what: `${api} in observe: every call is recorded, none refused for identity, contract or policy`,
    },
    {
      what: `send your usual traffic, with its tokens, to http://127.0.0.1:${ports.gate}${oneLine(basePath)} instead of the service`,
    },
    { command: `sallyport report --would-deny${named}`, what: 'what enforcing would refuse, and why' },
    { what: `write mode: enforce in ${config} once that holds no surprise; the running gate takes it over` },
  ]
}

export function printSteps(out: Output, steps: readonly Step[]): void {
  out.line()
  out.line('Next:')
  for (const [index, { command, what }] of steps.entries()) {
    out.line(`  ${index + 1}. ${command === undefined ? what : `${command}   # ${what}`}`)
  }
}

export function draftAsJson(drafted: Draft) {
  const { api, issuer, title, audience, operations, survey, schemes, objects, files } = drafted
  const keys = (list: readonly OperationPlan[]): readonly string[] => list.map(({ key }) => key)
  return {
    api,
    title,
    issuer,
    audience,
    files: files.map(({ path }) => path),
    operations: {
      total: operations.length,
      scoped: keys(survey.scoped),
      unscoped: keys(survey.unscoped),
      anonymous: keys(survey.anonymous),
      optional: keys(survey.optional),
      uncheckable: keys(survey.uncheckable),
      everyonesObjects: keys(oneObject(survey.scoped)),
    },
    schemes,
    objects: objects.map(({ type, template, owner, lookup }) => ({ type, path: template, owner, lookup })),
    warnings: warningsOf(drafted).map(({ text }) => text),
  }
}
