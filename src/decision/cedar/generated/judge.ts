import type { Test } from '../compiled.ts'
import type { Environment } from '../environment.ts'
import type { Expression } from '../est.ts'
import { type EntityScope, holds, type Slots } from '../scope.ts'
import { ExpressionSource } from './expression-source.ts'
import { Names } from './names.ts'
import { RUNTIME } from './runtime.ts'

/** A policy that is to be judged together with others, and what is left to test of its scope. */
export interface Judged<P> {
  readonly policy: P
  readonly principal: EntityScope | null
  readonly resource: EntityScope | null
}

/** What there is to know of a policy to write code for it. */
export interface PolicyParts {
  readonly parts: readonly Expression[]
  readonly slots: Slots | undefined
  readonly condition: Test
}

/** Told of each policy that is satisfied, and of each whose evaluation failed. */
export interface Tally<P> {
  hold(policy: P): void
  fail(policy: P, error: unknown): void
}

export type Judge<P> = (environment: Environment, tally: Tally<P>) => void

/** Code of one policy, and of all that are judged together: beyond it, closures are called. */
const MAX_POLICY_CODE = 8_192
const MAX_CODE = 32_768

/**
 * One function that judges these policies in their order, as their closures would. An attribute or a condition that
 * several ask for is worked out once; one that fails, fails for each.
 */
export function generateJudge<P>(
  judged: readonly Judged<P>[],
  partsOf: (policy: P) => PolicyParts,
): Judge<P> {
  const { source, constants } = judgeSource(judged, partsOf)
  const make: unknown = new Function('runtime', 'constants', source)
  if (typeof make !== 'function') throw new Error('no code was made')
  return make(RUNTIME, constants)
}

/** The function's source, and what it calls `k0`, `k1`…: all that is of the policies' own wording is there. */
export function judgeSource<P>(
  judged: readonly Judged<P>[],
  partsOf: (policy: P) => PolicyParts,
): { readonly source: string; readonly constants: readonly unknown[] } {
  const names = new Names()
  const shared = sharedConditions(judged.map(({ policy }) => partsOf(policy)))
  const body: string[] = []
  let room = MAX_CODE
  for (const { policy, principal, resource } of judged) {
    const { parts, slots, condition } = partsOf(policy)
    const own = names.constant(policy)
    const test = conditionSource(parts, slots, names, shared)
    const fits = test.length <= Math.min(MAX_POLICY_CODE, room)
    if (fits) room -= test.length
    const met = fits ? test : `${names.constant(condition)}(environment)`
    const scope = [
      principal === null ? '' : `if(${scopeSource('principal', principal, names)})`,
      resource === null ? '' : `if(${scopeSource('resource', resource, names)})`,
    ]
    body.push(`${scope.join('')}try{if(${met})tally.hold(${own})}catch(error){tally.fail(${own},error)}`)
  }
  const lets = [
    ...names.locals.map((name) => `${name}=unread`),
    ...[...shared.values()].map(({ local }) => `${local}=0`),
  ]
  const source = [
    '"use strict"',
    `const {${Object.keys(RUNTIME).join(',')}}=runtime`,
    `const [${names.constants.map((_, i) => `k${i}`).join(',')}]=constants`,
    'return (environment,tally)=>{',
    [PRELUDE, ...lets].join(','),
    ...body,
    '}',
  ].join('\n')
  return { source, constants: names.constants }
}

interface Shared {
  readonly local: string
  code: string | undefined
}

/** Conditions that more than one policy has, by their JSON. */
function sharedConditions(policies: readonly PolicyParts[]): Map<string, Shared> {
  const seen = new Set<string>()
  const shared = new Map<string, Shared>()
  for (const { parts, slots } of policies) {
    if (slots !== undefined) continue
    for (const part of parts) {
      const key = JSON.stringify(part)
      if (seen.has(key) && !shared.has(key)) shared.set(key, { local: `s${shared.size}`, code: undefined })
      seen.add(key)
    }
  }
  return shared
}

function conditionSource(
  parts: readonly Expression[],
  slots: Slots | undefined,
  names: Names,
  shared: ReadonlyMap<string, Shared>,
): string {
  const source = new ExpressionSource(names, slots ?? {})
  const tests = parts.map((part) => {
    const known = slots === undefined ? shared.get(JSON.stringify(part)) : undefined
    if (known === undefined) return source.test(part)
    known.code ??= source.test(part)
    // 0: not tried yet, 1: false, 2: true.
    const { local, code } = known
    return `(${local}===0?(${code}?(${local}=2,true):(${local}=1,false)):${local}===2)`
  })
  return tests.length === 0 ? 'true' : tests.join('&&')
}

function scopeSource(variable: 'principal' | 'resource', scope: EntityScope, names: Names): string {
  const { type, same, within } = scope
  if (type !== undefined && same === undefined && within === undefined) {
    return `${variable}.type===${names.constant(type)}`
  }
  const test = (environment: Environment): boolean => holds(scope, environment[variable], environment)
  return `${names.constant(test)}(environment)`
}

/** What every generated function starts with. */
const PRELUDE = `const {principal,action,resource,context,principalEntity,resourceEntity}=environment;let t`
