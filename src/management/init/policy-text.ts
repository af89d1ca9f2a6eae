import type { OperationPlan } from '../../model/operation.ts'
import { cedarString, counted, oneLine } from './literal.ts'
import type { ObjectSuggestion } from './owner-field.ts'
import { type Role, rolesByTag } from './roles.ts'
import type { Survey } from './survey.ts'

/** The starter policies: what the contract itself decides is permitted, all else is offered, commented out. */

export interface PolicyIds {
  readonly scopes: string
  readonly anonymous: string
  readonly optional: string
  readonly leftToApi: string
}

/** Ids stand in records: those of policies that let anyone in say so. */
export function policyIds(api: string): PolicyIds {
  return {
    scopes: `${api}-scopes`,
    anonymous: `PUBLIC-${api}`,
    optional: `PUBLIC-${api}-optional`,
    leftToApi: `LEFT-TO-API-${api}`,
  }
}

/** Beyond these a comment is read by no one; the roles say how the others would be written. */
const MAX_LISTED = 1000
const MAX_ROLES = 200

export interface PolicyTextInput {
  readonly api: string
  /** Config name of the issuer. */
  readonly issuer: string
  readonly survey: Survey
  readonly objects: readonly ObjectSuggestion[]
}

export function policyText(input: PolicyTextInput): string {
  const { api, survey } = input
  const sections = [
    [
      `// Who may call what of ${api}. Deny is the default: what no permit names is refused, and a scope the contract`,
      '// asks for is needed on top, whatever stands here. Written once by `sallyport init`, now yours to change:',
      `// \`sallyport check\` validates it and runs the tests in ${api}.test.yaml beside it.`,
    ],
    scopedSection(api, survey.scoped),
    publicSection(api, survey.anonymous),
    optionalSection(api, survey.optional),
    unscopedSection(input),
    uncheckableSection(api, survey.uncheckable),
    objectSection(api, input.objects),
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function scopedSection(api: string, operations: readonly OperationPlan[]): readonly string[] {
  if (operations.length === 0) {
    return [
      '// The contract names scopes for no operation, so it does not say who may call what: nothing is permitted by scope.',
    ]
  }
  return [
    `// The contract names scopes for ${counted(operations.length, 'operation')}: whoever’s token carries them may call.`,
    `@id(${cedarString(policyIds(api).scopes)})`,
    'permit (',
    '  principal,',
    ...actionList(operations),
    '  resource',
    ') when {',
    '  context.scopesMet',
    '} unless {',
    '  principal is Anonymous',
    '};',
  ]
}

function publicSection(api: string, operations: readonly OperationPlan[]): readonly string[] {
  if (operations.length === 0) return []
  return [
    `// PUBLIC: for ${counted(operations.length, 'operation')} the contract says security: [], so whoever reaches the gate may call, without a token:`,
    ...listing(operations),
    '// What should not be public is taken out of the list here, and given a security in the contract.',
    ...permitAll(policyIds(api).anonymous, operations),
  ]
}

function optionalSection(api: string, operations: readonly OperationPlan[]): readonly string[] {
  if (operations.length === 0) return []
  return [
    `// PUBLIC, token optional: for ${counted(operations.length, 'operation')} the contract’s security holds {}, so whoever reaches the gate may`,
    '// call. A token that is sent is verified, and a bad one refused; scopes are not asked for:',
    ...listing(operations),
    ...permitAll(policyIds(api).optional, operations),
  ]
}

function unscopedSection({ api, issuer, survey: { unscoped } }: PolicyTextInput): readonly string[] {
  if (unscoped.length === 0) return []
  const roles = rolesByTag(api, unscoped)
  const shown = roles.slice(0, MAX_ROLES)
  return [
    `// NOT PERMITTED: for ${counted(unscoped.length, 'operation')} the contract names no scope, so any token would do. Who may call is for you to say:`,
    ...listing(unscoped),
    '//',
    '// Roles to begin with, a read and a write one per tag: take the // off those you want. A role is granted by name:',
    `// callers have it whose token lists the group, for example ${shown[0]?.name ?? ''}, in its groups claim.`,
    ...shown.flatMap((role) => ['', ...commented(rolePolicy(api, issuer, role))]),
    ...(roles.length > shown.length
      ? ['', `// and ${roles.length - shown.length} more roles in the same form`]
      : []),
  ]
}

function rolePolicy(api: string, issuer: string, role: Role): readonly string[] {
  const head = [
    `@id(${cedarString(role.name)})`,
    'permit (',
    `  principal in Group::${cedarString(`${issuer}/${role.name}`)},`,
  ]
  if (role.tag === null) return [...head, ...actionList(role.operations), '  resource', ');']
  return [
    ...head,
    `  action in Action::${cedarString(`${api}/tag/${role.tag}`)},`,
    '  resource',
    ') when {',
    `  action in Action::${cedarString(`${api}/${role.kind}`)}`,
    '};',
  ]
}

function uncheckableSection(api: string, operations: readonly OperationPlan[]): readonly string[] {
  if (operations.length === 0) return []
  return [
    `// REFUSED: ${counted(operations.length, 'operation')} can be called only by a scheme the gate cannot check (an API key, a password, a`,
    '// certificate), so every call is refused:',
    ...listing(operations),
    '//',
    '// If the API behind the gate checks that credential itself, set credential: pass in sallyport.yaml and take the //',
    '// off this policy: the gate then knows no caller of these, and lets all of them through to the API.',
    '',
    ...commented(permitAll(policyIds(api).leftToApi, operations)),
  ]
}

function objectSection(api: string, objects: readonly ObjectSuggestion[]): readonly string[] {
  if (objects.length === 0) return []
  return [
    '// OBJECTS: a permit above opens every object of an operation, whoever it belongs to. Where the object rule offered',
    '// under objects: in sallyport.yaml is right, take the // off both: then only the owner gets through, and a list holds',
    '// the caller’s own alone.',
    ...objects.flatMap(({ type, operations }) => [
      '',
      ...commented([
        `@id(${cedarString(`${api}-${type}-owner-only`)})`,
        'forbid (',
        '  principal,',
        ...actionList(operations),
        '  resource',
        ') unless {',
        '  principal is User && resource has owner && resource.owner == principal',
        '};',
      ]),
    ]),
  ]
}

function permitAll(id: string, operations: readonly OperationPlan[]): readonly string[] {
  return [
    `@id(${cedarString(id)})`,
    'permit (',
    '  principal,',
    ...actionList(operations),
    '  resource',
    ');',
  ]
}

function actionList(operations: readonly OperationPlan[]): readonly string[] {
  const last = operations.length - 1
  return [
    '  action in [',
    ...operations.map(({ key }, index) => `    Action::${cedarString(key)}${index === last ? '' : ','}`),
    '  ],',
  ]
}

function listing(operations: readonly OperationPlan[]): readonly string[] {
  const lines = operations
    .slice(0, MAX_LISTED)
    .map(
      ({ key, method, template }) =>
        `//   ${oneLine(key)}${key.endsWith(` ${template}`) ? '' : `  ${method} ${oneLine(template)}`}`,
    )
  return operations.length > MAX_LISTED
    ? [...lines, `//   and ${operations.length - MAX_LISTED} more`]
    : lines
}

function commented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `// ${line}`)
}
