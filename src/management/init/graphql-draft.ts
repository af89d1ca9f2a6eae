import { graphqlSettings } from '../../config/graphql-schema.ts'
import type { CompiledContract } from '../../contract/compile.ts'
import { compileGraphql } from '../../contract/graphql/compile.ts'

/** A GraphQL schema in the place of a contract: its root fields are what policies name. */

export function isGraphqlFile(file: string): boolean {
  return /\.(?:graphqls?|gql)$/i.test(file)
}

/**
 * As the configuration that init writes will have it compiled: every setting at its default.
 * @throws {SallyportError} `contract-invalid`
 */
export function compileSchema(api: string, text: string, file: string): CompiledContract {
  const { path, allowGet, limits, listSize, introspection, ...settings } = graphqlSettings.parse({
    schema: file,
  })
  return compileGraphql({
    api,
    text,
    file,
    path,
    allowGet,
    security: { need: 'required', alternatives: [] },
    settings: {
      limits,
      lists: { defaultSize: listSize, arguments: settings.sizeArguments, sizedFields: settings.sizedFields },
      weights: {},
      introspection,
      trusted: null,
      extensions: settings.answerExtensions,
      errorExtensions: settings.errorExtensions,
    },
    fieldActions: [],
    stated: { fields: {}, names: true },
    mentioned: new Set(),
    manifest: null,
  })
}
