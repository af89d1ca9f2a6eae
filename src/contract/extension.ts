import { escapePointer } from '../syntax/json-pointer.ts'
import { readDocument } from './document.ts'
import { isRecord, own, textAt } from './json-value.ts'
import { follow } from './reference.ts'

/** One `x-sallyport` of a contract (OpenAPI 3.1 §4.9), as it stands there: what it says is configuration's to check. */
export interface ContractExtension {
  /** Member names down to the extension itself. */
  readonly segments: readonly string[]
  readonly template: string
  /** Of an operation: how configuration names it, `GET /orders`. Of a path: null. */
  readonly operation: string | null
  readonly operationId: string | null
  readonly value: unknown
}

const NAME = 'x-sallyport'
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

/**
 * The extensions at a contract's paths and operations, in document order.
 * @throws {SallyportError} `contract-invalid` for text that is no contract.
 */
export function readExtensions(text: string, file: string): readonly ContractExtension[] {
  // Reading a large contract takes a second, and most hold no extension.
  if (!text.includes(NAME)) return []
  const document = readDocument(text, file)
  const paths = own(document.root, 'paths')
  if (!isRecord(paths)) return []
  const found: ContractExtension[] = []
  for (const [template, member] of Object.entries(paths)) {
    if (!template.startsWith('/')) continue
    const item = follow(document, member, `/paths/${escapePointer(template)}`).value
    const value = own(item, NAME)
    if (value !== undefined)
      found.push({ segments: ['paths', template, NAME], template, operation: null, operationId: null, value })
    for (const method of METHODS) {
      const operation = own(item, method)
      if (!isRecord(operation)) continue
      const stated = own(operation, NAME)
      if (stated === undefined) continue
      found.push({
        segments: ['paths', template, method, NAME],
        template,
        operation: `${method.toUpperCase()} ${template}`,
        operationId: textAt(operation, 'operationId') ?? null,
        value: stated,
      })
    }
  }
  return found
}
