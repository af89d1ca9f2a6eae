import type { ASTNode, DocumentNode } from 'graphql/language'
import { graphql } from './library.ts'

const MAX_SAID = 300

/**
 * What the caller is told of a fault in its document: graphql-js's words, where every name that the caller did not
 * write itself stands as `…`, so that no refusal tells the schema; and nothing from where a value begins.
 */
export function saidToCaller(error: unknown, document: DocumentNode | null): string {
  if (!(error instanceof Error)) return 'the document is not valid'
  const words = error.message.replace(/[\s,]*(?:Did you mean|found|value:|\bbut got\b)[\s\S]*$/, '')
  const written = document === null ? new Set<string>() : namesIn(document)
  const told = words.replace(/"([^"]*)"/g, (_, text: string) => {
    const bare = text.replace(/^[$@]/, '')
    return document === null || written.has(bare) ? `"${text}"` : '"…"'
  })
  const [place] =
    (error as { readonly locations?: readonly { line: number; column: number }[] }).locations ?? []
  const where = place === undefined ? '' : ` (line ${place.line}, column ${place.column})`
  return `${told.slice(0, MAX_SAID).toWellFormed()}${where}`
}

/** Names as the document has them; values of enums are values, and left out. */
function namesIn(document: DocumentNode): ReadonlySet<string> {
  const names = new Set<string>()
  graphql().visit(document, {
    Name: (node: ASTNode & { readonly value: string }) => {
      names.add(node.value)
    },
  })
  return names
}
