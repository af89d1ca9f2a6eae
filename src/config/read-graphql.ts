import { dirname } from 'node:path'
import { beside, type FoundApi } from './api-files.ts'
import { shown } from './document.ts'
import { liesBelow, readTextFile } from './files.ts'
import type { Findings, Source } from './findings.ts'

const MAX_FILE_BYTES = 32 * 1_048_576

export interface NamedText {
  readonly file: string
  readonly text: string
}

/** The files of a GraphQL API. */
export interface ReadGraphql {
  readonly schema: NamedText
  /** The manifest of registered documents, where there is one. */
  readonly documents: NamedText | null
}

/** Null where the API has none, or where a file cannot be read, which is reported. */
export function readGraphql(api: FoundApi, main: Source, findings: Findings): ReadGraphql | null {
  const { graphql } = api.settings
  if (graphql === undefined) return null
  const schema = readNamed(api, main, ['graphql', 'schema'], graphql.schema, findings)
  const manifest = graphql.trustedDocuments?.file
  const at = ['graphql', 'trustedDocuments', 'file']
  const documents = manifest === undefined ? null : readNamed(api, main, at, manifest, findings)
  return schema === null ? null : { schema, documents }
}

function readNamed(
  { source }: FoundApi,
  main: Source,
  at: readonly string[],
  path: string,
  findings: Findings,
): NamedText | null {
  const file = beside(source.file, path)
  findings.touchedFile(file)
  const read = readTextFile(file, MAX_FILE_BYTES)
  if (!read.ok) {
    const hint = read.missing ? `Paths are relative to ${source.file}.` : ''
    findings.problem(source, at, `the file ${shown(file, 512)} ${read.why}`, hint)
    return null
  }
  const folders = [main.file, source.file].map((each) => dirname(each))
  if (source.file !== main.file && !folders.some((folder) => liesBelow(read.realpath, folder))) {
    // As for contracts: who owns an API's file may not have it read all that the gate's user can read.
    const hint = 'Put it beside the API’s file.'
    findings.problem(
      source,
      at,
      'the file lies outside the folders of the configuration and of the API’s file',
      hint,
    )
    return null
  }
  return { file, text: read.text }
}
