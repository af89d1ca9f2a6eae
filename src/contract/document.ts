import type { ContractWarning } from './detail.ts'
import { invalid } from './fault.ts'
import { isRecord } from './json-value.ts'
import { DocumentParts, type ReadParts } from './parts.ts'
import { type Release, readRelease } from './release.ts'
import { upgradeSwagger } from './swagger/upgrade.ts'
import { readTree } from './tree.ts'

export { faultAt } from './fault.ts'

/** A contract as read: OpenAPI 3.x, or Swagger 2.0 as the OpenAPI 3.0 it stands for. */
export interface OpenApiDocument {
  readonly file: string
  readonly text: string
  readonly root: Readonly<Record<string, unknown>>
  /** By which rules its schemas are read; OpenAPI 3.2 keeps those of 3.1. */
  readonly version: '3.0' | '3.1'
  readonly release: Release
  /** The files beside it that its references may name. */
  readonly parts: DocumentParts
  /** Of what stands elsewhere in the user's file: its place there, by the longest pointer known. */
  readonly origins: ReadonlyMap<string, string>
  /** What reading it left out, by the user's places. */
  readonly warnings: readonly ContractWarning[]
}

/**
 * Reads JSON, or YAML 1.2, into a document; `parts`: what was read of the files it refers to.
 * @throws {SallyportError} `contract-invalid`, with file and, where there is one, pointer, line and column.
 */
export function readDocument(text: string, file: string, parts: ReadParts = new Map()): OpenApiDocument {
  const root = readTree(text, file)
  if (!isRecord(root)) throw invalid(file, 'is not an object')
  const release = readRelease(root, text, file)
  const version = release === '3.1' || release === '3.2' ? '3.1' : '3.0'
  const document: OpenApiDocument = {
    file,
    text,
    root,
    version,
    release,
    parts: new DocumentParts(file, release, parts),
    origins: new Map(),
    warnings: [],
  }
  return release === '2.0' ? upgradeSwagger(document) : document
}
