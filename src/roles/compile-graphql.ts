import { Findings } from '../config/findings.ts'
import { ConfigError } from '../config/place.ts'
import type { ReadApi, ReadConfig } from '../config/read.ts'
import type { CompiledContract } from '../contract/compile.ts'
import { compileGraphql } from '../contract/graphql/compile.ts'
import { isFault } from '../model/errors.ts'
import type { SecurityPlan } from '../model/operation.ts'

/** The GraphQL schema of an API made into what a contract becomes; null where it has none. */
export function compileSchema(read: ReadConfig, api: ReadApi): CompiledContract | null {
  const { settings, graphql } = api
  const stated = settings.graphql
  if (stated === undefined || graphql === null) return null
  const { limits, introspection, trustedDocuments } = stated
  try {
    return compileGraphql({
      api: api.name,
      ...graphql.schema,
      path: stated.path,
      allowGet: stated.allowGet,
      security: securityOf(stated.security),
      settings: {
        limits,
        lists: {
          defaultSize: stated.listSize,
          arguments: sorted(stated.sizeArguments),
          sizedFields: sorted(stated.sizedFields),
        },
        weights: Object.fromEntries(Object.entries(stated.costs).sort(([a], [b]) => (a < b ? -1 : 1))),
        introspection,
        trusted:
          trustedDocuments === undefined
            ? null
            : { mode: trustedDocuments.mode, forward: trustedDocuments.forward },
        extensions: sorted(stated.answerExtensions),
        errorExtensions: sorted(stated.errorExtensions),
      },
      fieldActions: stated.fieldActions,
      stated: {
        fields: Object.fromEntries(Object.entries(stated.fields).map(([at, field]) => [at, field.class])),
        names: settings.sensitivity.names,
      },
      mentioned: mentionedActions(read),
      manifest: graphql.documents,
    })
  } catch (error) {
    if (!isFault(error, 'config-invalid')) throw error
    const field = error.data['field']
    const at = typeof field === 'string' ? stated.fieldActions.indexOf(field) : -1
    const classified = error.data['classified']
    const findings = new Findings()
    const place =
      typeof classified === 'string'
        ? ['graphql', 'fields', classified]
        : at < 0
          ? ['graphql']
          : ['graphql', 'fieldActions', at]
    findings.problem(api.source, place, error.message, '')
    throw new ConfigError('config-invalid', findings.problems, read.files, read.folders)
  }
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}

function securityOf({
  need,
  scopes,
}: {
  need: SecurityPlan['need']
  scopes: readonly string[]
}): SecurityPlan {
  if (need === 'anonymous') return { need, alternatives: [] }
  return { need, alternatives: [{ schemes: [{ name: 'token', kind: 'bearer', scopes }] }] }
}

/** Ids of actions anywhere in the policies' text, comments too: to name one more makes an action of one field more. */
function mentionedActions({ policies }: ReadConfig): ReadonlySet<string> {
  const mentioned = new Set<string>()
  for (const { text } of policies)
    for (const [, id = ''] of text.matchAll(/\bAction\s*::\s*"([^"\\]{1,1024})"/g)) mentioned.add(id)
  return mentioned
}
