import { isLoopbackUrl } from '../../config/forms.ts'
import type { ListSuggestion } from './list-field.ts'
import { oneLine, yamlText } from './literal.ts'
import type { ObjectSuggestion } from './owner-field.ts'
import type { Survey } from './survey.ts'

export interface ConfigTextInput {
  readonly api: string
  readonly issuerName: string
  readonly issuer: string
  readonly jwks?: string
  readonly audience: string
  /** Nobody said it: it is the API's name. */
  readonly audienceAssumed: boolean
  /** As configuration names it: relative to the folder of sallyport.yaml. */
  readonly contract: string
  /** The contract is a GraphQL schema. */
  readonly graphql: boolean
  readonly upstream: string
  readonly basePath: string
  readonly ports: Ports
  readonly survey: Survey
  readonly objects: readonly ObjectSuggestion[]
}

/** Where the gate will listen, beside what else stands on this machine. */
export interface Ports {
  readonly gate: number
  readonly management: number
}

/** sallyport.yaml as a newcomer reads it: each key with the one thing to know about it. */
export function configText(input: ConfigTextInput): string {
  const lines = [
    '# The gate in front of this API. Written once by `sallyport init`, now yours to change; unknown keys are errors,',
    '# and `sallyport check` says what is wrong and where. A running gate takes changes over by itself.',
    '',
    '# Where calls come in: point clients here instead of at the service.',
    `listen: { host: 127.0.0.1, port: ${input.ports.gate} }`,
    '# Health and metrics, read-only: /healthz, /readyz, /metrics.',
    `management: { host: 127.0.0.1, port: ${input.ports.management} }`,
    '',
    'identity:',
    '  issuers:',
    '    # Who issues the access tokens. The name stands in policies: User::"<name>/<sub>", Group::"<name>/<group>".',
    `    ${input.issuerName}:`,
    '      # The iss of the tokens, character by character: a trailing slash counts.',
    `      issuer: ${yamlText(input.issuer)}`,
    ...(input.jwks === undefined
      ? ['      # jwks: left out, so the keys are found by OpenID discovery below the issuer.']
      : [`      jwks: ${yamlText(input.jwks)}`]),
    '      # Access tokens say typ: at+jwt (RFC 9068). Many issuers send JWT; to accept that too:',
    '      # types: [JWT]',
    '',
    'apis:',
    `  ${input.api}:`,
    ...promiseLines(input),
    '    # The service itself. It should be reachable through the gate only.',
    `    upstream: ${yamlText(input.upstream)}`,
    ...(input.basePath === ''
      ? []
      : [
          `    # Paths begin with ${oneLine(input.basePath)}, as the contract’s servers say; basePath: says otherwise.`,
        ]),
    '    identity:',
    `      accept: [${input.issuerName}]`,
    ...(input.audienceAssumed
      ? [
          '      # ASSUMED to be the API’s name. It has to be the aud of the tokens meant for this API (decode one to see it):',
        ]
      : ['      # The aud of the tokens meant for this API:']),
    '      # a token for another audience is refused.',
    `      audience: ${yamlText(input.audience)}`,
    '    # observe: nothing is refused for identity, contract or policy; what would be is recorded, and shown by',
    '    # `sallyport report --would-deny`. Once that holds no surprise, write enforce.',
    '    mode: observe',
    ...credentialLines(input.survey),
    ...objectLines(input.objects),
    '',
    '# Who may call what, and the tests that say so.',
    'policies: ./policies',
    '# Records, keys and bundles; made at the first start, readable by its owner only.',
    'store: ./data',
  ]
  return `${lines.join('\n')}\n`
}

function promiseLines({ contract, graphql }: ConfigTextInput): readonly string[] {
  if (!graphql)
    return [
      '    # What the API promises: calls and answers are held to it.',
      `    contract: ${yamlText(contract)}`,
    ]
  return [
    '    # What the API has: each call is judged by the fields it asks for, each answer held to what was selected.',
    '    graphql:',
    `      schema: ${yamlText(contract)}`,
    '      # ASSUMED: the path of the endpoint.',
    '      path: /graphql',
    '      # What one call may ask for; further limits have their defaults.',
    '      limits: { depth: 12, cost: 5000 }',
  ]
}

function credentialLines({ uncheckable }: Survey): readonly string[] {
  if (uncheckable.length === 0) return []
  return [
    `    # ${uncheckable.length} of the operations use a scheme the gate cannot check (an API key, a password, a certificate) and are`,
    '    # refused when enforcing, unless the API checks the caller’s own credential itself:',
    '    # credential: pass',
  ]
}

function objectLines(objects: readonly ObjectSuggestion[]): readonly string[] {
  if (objects.length === 0) return []
  return [
    '    # Whose an object is, as the answer of its GET states it; policies read it as resource.owner. Guessed from names',
    '    # in the contract: right only where the field holds the sub of the owner’s tokens. A list: is cut down to the items',
    '    # that policies let the caller have.',
    '    # objects:',
    ...objects.map(({ type, template, owner, lookup, list }) => {
      const rule = [
        `path: ${yamlText(template)}`,
        `owner: ${yamlText(owner)}`,
        ...(lookup === undefined ? [] : [`lookup: ${yamlText(lookup)}`]),
        ...(list === undefined ? [] : [listText(list)]),
        'hideAbsent: true',
      ]
      return `    #   ${type}: { ${rule.join(', ')} }`
    }),
  ]
}

function listText({ operation, items, id, counts }: ListSuggestion): string {
  const { operationId, method, template } = operation
  const named = operationId !== undefined && operationId !== '' && operationId.length <= 1024
  const parts = [
    `operation: ${yamlText(named ? operationId : `${method} ${template}`)}`,
    ...(items === '' ? [] : [`items: ${yamlText(items)}`]),
    ...(id === undefined ? [] : [`id: ${yamlText(id)}`]),
    ...(counts.length === 0 ? [] : [`counts: [${counts.map(yamlText).join(', ')}]`]),
  ]
  return `list: { ${parts.join(', ')} }`
}

/** 8080 and 9090, or the next ones where one of these URLs has them on this machine. */
export function freePorts(urls: readonly string[]): Ports {
  const taken = new Set(urls.map(localPort))
  const from = (first: number): number => {
    let port = first
    while (taken.has(port)) port++
    taken.add(port)
    return port
  }
  return { gate: from(8080), management: from(9090) }
}

function localPort(text: string): number {
  const url = URL.parse(text)
  return url !== null && isLoopbackUrl(url) ? Number(url.port) : 0
}
