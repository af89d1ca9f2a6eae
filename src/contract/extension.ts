import { escapePointer, parsePointer } from '../syntax/json-pointer.ts'
import { type OpenApiDocument, readDocument } from './document.ts'
import { originOf } from './fault.ts'
import { own, textAt } from './json-value.ts'
import { declaredPaths } from './operations.ts'
import type { ReadParts } from './parts.ts'

/** One `x-sallyport` of a contract (OpenAPI 3.1 §4.9), as it stands there: what it says is configuration's to check. */
export interface ContractExtension {
  /** Member names down to the extension itself. */
  readonly segments: readonly string[]
  /** The file it stands in, where that is not the contract's own. */
  readonly part?: { readonly file: string; readonly text: string }
  readonly template: string
  /** Of an operation: how configuration names it, `GET /orders`. Of a path: null. */
  readonly operation: string | null
  readonly operationId: string | null
  readonly value: unknown
}

const NAME = 'x-sallyport'

/**
 * The extensions at a contract's paths and operations, in document order.
 * @throws {SallyportError} `contract-invalid` for text that is no contract.
 */
export function readExtensions(text: string, file: string, parts?: ReadParts): readonly ContractExtension[] {
  // Reading a large contract takes a second, and most hold no extension.
  const texts = [...(parts?.values() ?? [])].map((part) => (part.ok ? part.text : ''))
  if (![text, ...texts].some((each) => each.includes(NAME))) return []
  const document = readDocument(text, file, parts)
  const found: ContractExtension[] = []
  for (const { template, fields, operations } of declaredPaths(document, () => undefined)) {
    const ofPath = fields.get(NAME)
    if (ofPath !== undefined) {
      const { value, pointer } = ofPath
      found.push({ ...placed(document, pointer), template, operation: null, operationId: null, value })
    }
    for (const { method, value: operation, pointer } of operations) {
      const value = own(operation, NAME)
      if (value === undefined) continue
      found.push({
        ...placed(document, `${pointer}/${escapePointer(NAME)}`),
        template,
        operation: `${method} ${template}`,
        operationId: textAt(operation, 'operationId') ?? null,
        value,
      })
    }
  }
  return found
}

function placed(document: OpenApiDocument, place: string): Pick<ContractExtension, 'segments' | 'part'> {
  const { file, pointer, text } = originOf(document, place)
  const segments = parsePointer(pointer)
  return file === document.file || text === null ? { segments } : { segments, part: { file, text } }
}
