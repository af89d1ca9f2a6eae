import { createRequire } from 'node:module'
import type * as Language from 'graphql/language'
import type * as Type from 'graphql/type'
import type * as Utilities from 'graphql/utilities'
import type * as Validation from 'graphql/validation'

/** What is used of graphql-js. */
export type Graphql = Omit<typeof Language, 'default'> &
  Omit<typeof Type, 'default'> &
  Omit<typeof Utilities, 'default'> &
  Omit<typeof Validation, 'default'>

const require = createRequire(import.meta.url)
let loaded: Graphql | undefined

/** Loaded with the first GraphQL API (about 0.1 s, once a thread): most gates have none. */
export function graphql(): Graphql {
  if (loaded !== undefined) return loaded
  const library: Graphql = {
    ...(require('graphql/language') as typeof Language),
    ...(require('graphql/type') as typeof Type),
    ...(require('graphql/utilities') as typeof Utilities),
    ...(require('graphql/validation') as typeof Validation),
  }
  loaded = library
  return library
}
