import { isCheckable } from '../../decision/floor.ts'
import type { OperationPlan } from '../../model/operation.ts'
import { yamlText } from './literal.ts'
import { policyIds } from './policy-text.ts'
import type { Survey } from './survey.ts'

/** Policy tests that hold today and say what init decided: a policy change that breaks one does not go live. */

/** The form of a test file holds names to 500 characters; longer keys are left untested. */
const MAX_NAME = 400

interface Case {
  readonly name: string
  readonly principal: string
  readonly object?: string
  readonly call: string
  readonly verdict: 'allow' | 'deny'
  readonly reasons: readonly string[]
  readonly policies?: readonly string[]
  readonly comment?: string
}

/** At most 20 tests: some of each kind, a read and a write and different scopes first. */
export function testText(api: string, issuer: string, survey: Survey): string {
  const ids = policyIds(api)
  const caller = (scopes: readonly string[]): string =>
    `{ id: ${yamlText(`${issuer}/alice`)}${scopes.length === 0 ? '' : `, scopes: [${scopes.map(yamlText).join(', ')}]`} }`
  const object = `{ owner: ${yamlText(`${issuer}/alice`)} }`
  const nobody = '{ type: Anonymous }'
  const scoped = representative(survey.scoped.filter(hasTestableScopes), 4)
  const cases: readonly Case[] = [
    ...scoped.flatMap(({ key, security }): Case[] => [
      {
        name: `${key} with the scopes of the contract`,
        principal: caller(scopesOf(security)),
        object,
        call: key,
        verdict: 'allow',
        reasons: ['scopes-met', 'policy-permits'],
        policies: [ids.scopes],
      },
      {
        name: `${key} without them`,
        principal: caller([]),
        object,
        call: key,
        verdict: 'deny',
        reasons: ['insufficient-scope'],
      },
    ]),
    ...scoped.slice(0, 1).map(
      ({ key, security }): Case => ({
        name: `${key} without a token`,
        principal: nobody,
        call: key,
        verdict: 'deny',
        // Another scheme could still let this caller in, by credential: pass.
        reasons: [security.alternatives.every(isCheckable) ? 'token-missing' : 'policy-missing'],
      }),
    ),
    ...representative(survey.anonymous, 3).map(
      ({ key }): Case => ({
        name: `PUBLIC: ${key} without a token`,
        principal: nobody,
        object,
        call: key,
        verdict: 'allow',
        reasons: ['anonymous-allowed', 'policy-permits'],
        policies: [ids.anonymous],
      }),
    ),
    ...representative(survey.optional, 2).map(
      ({ key }): Case => ({
        name: `PUBLIC: ${key} without a token, which is optional`,
        principal: nobody,
        object,
        call: key,
        verdict: 'allow',
        reasons: ['anonymous-allowed', 'policy-permits'],
        policies: [ids.optional],
      }),
    ),
    ...representative(survey.unscoped, 4).map(
      ({ key }): Case => ({
        name: `${key} names no scope, so it needs a role`,
        principal: caller([]),
        object,
        call: key,
        verdict: 'deny',
        reasons: ['policy-missing'],
      }),
    ),
    ...representative(survey.uncheckable, 2).map(
      ({ key }): Case => ({
        name: `${key} uses a scheme the gate cannot check`,
        principal: caller([]),
        object,
        call: key,
        verdict: 'deny',
        reasons: ['policy-missing'],
        comment: `To be turned to allow, with another reason, once ${ids.leftToApi} is in force.`,
      }),
    ),
  ]
  return [
    '# Run by `sallyport check` and before every reload: a policy change that breaks one of these does not go live.',
    '# given: who calls (and whose the object is); call: the operation; verdict: allow or deny; reasons: among those seen.',
    cases.length === 0 ? 'tests: []' : 'tests:',
    ...cases.flatMap(testLines),
    '',
  ].join('\n')
}

function testLines({
  name,
  principal,
  object,
  call,
  verdict,
  reasons,
  policies,
  comment,
}: Case): readonly string[] {
  return [
    ...(comment === undefined ? [] : [`  # ${comment}`]),
    `  - name: ${yamlText(name)}`,
    '    given:',
    `      principal: ${principal}`,
    ...(object === undefined ? [] : [`      object: ${object}`]),
    `    call: ${yamlText(call)}`,
    `    verdict: ${verdict}`,
    `    reasons: [${reasons.join(', ')}]`,
    ...(policies === undefined ? [] : [`    policies: [${policies.map(yamlText).join(', ')}]`]),
  ]
}

/** The first read and the first write, then whatever asks for other scopes or has another tag, then the rest. */
function representative(operations: readonly OperationPlan[], count: number): readonly OperationPlan[] {
  const chosen = new Set<OperationPlan>()
  const seen = new Set<string>()
  const usable = operations.filter(({ key }) => key.length <= MAX_NAME)
  for (const plan of usable) {
    if (chosen.size === count) break
    const trait = `${plan.kind} ${JSON.stringify(scopesOf(plan.security))} ${plan.tags[0] ?? ''}`
    if (!seen.has(trait)) chosen.add(plan)
    seen.add(trait)
  }
  for (const plan of usable) {
    if (chosen.size >= count) break
    chosen.add(plan)
  }
  return [...chosen]
}

/** Scopes of the first alternative a token can meet. */
function scopesOf({ alternatives }: OperationPlan['security']): readonly string[] {
  const first = alternatives.find(isCheckable)
  return [...new Set(first?.schemes.flatMap(({ scopes }) => scopes) ?? [])]
}

function hasTestableScopes({ security }: OperationPlan): boolean {
  return scopesOf(security).every((scope) => scope !== '' && scope.length <= 500 && scope.isWellFormed())
}
