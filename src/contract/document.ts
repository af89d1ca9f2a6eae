import { parse, YAMLParseError } from 'yaml'
import { SallyportError } from '../model/errors.ts'
import { parseJson } from '../syntax/json-build.ts'
import { isRecord } from './json-value.ts'
import { placeOf } from './place.ts'

/** A contract as read: OpenAPI 3.0 or 3.1, every `$ref` inside it resolvable. */
export interface OpenApiDocument {
  readonly file: string
  readonly text: string
  readonly root: Readonly<Record<string, unknown>>
  readonly version: '3.0' | '3.1'
}

/** The largest published contracts have 6 MB; ten times that is a mistake or an attack. */
const MAX_TEXT = 64 * 1_048_576
/** Of nested objects; the deepest fixture has 40. JSON.parse itself does not recurse, but every reader after it does. */
const MAX_DEPTH = 200
/** `yaml` multiplies nested aliases before it compares: what 1,000 honest aliases reach, a bomb passes at once. */
const MAX_ALIASES = 1_000

/**
 * Reads JSON, or YAML 1.2, into a document.
 * @throws {SallyportError} `contract-invalid`, with file and, where there is one, pointer, line and column.
 */
export function readDocument(text: string, file: string): OpenApiDocument {
  if (text.length > MAX_TEXT) throw invalid(file, `is larger than ${MAX_TEXT} characters`)
  const value = readText(text, file)
  if (!isRecord(value)) throw invalid(file, 'is not an object')
  const version = readVersion(value, text, file)
  const document: OpenApiDocument = { file, text, root: value, version }
  checkDepth(document)
  return document
}

function readText(text: string, file: string): unknown {
  if (/^[\s\uFEFF]*\{/.test(text)) {
    try {
      return parseJson(text)
    } catch {
      // YAML's flow style also begins so; if it is neither, yaml says where.
    }
  }
  try {
    return parse(text, { version: '1.2', maxAliasCount: MAX_ALIASES, prettyErrors: true, logLevel: 'error' })
  } catch (error) {
    if (!(error instanceof YAMLParseError)) {
      throw invalid(file, `cannot be read: ${error instanceof Error ? error.message : 'unknown fault'}`)
    }
    const at = error.linePos?.[0]
    throw invalid(file, `is neither JSON nor YAML: ${error.message.split('\n')[0] ?? ''}`, {
      ...(at === undefined ? {} : { line: at.line, column: at.col }),
    })
  }
}

function readVersion(root: Readonly<Record<string, unknown>>, text: string, file: string): '3.0' | '3.1' {
  const stated = root['openapi']
  if (typeof stated === 'string') {
    if (/^3\.0\.\d+(?:-.+)?$/.test(stated)) return '3.0'
    if (/^3\.1\.\d+(?:-.+)?$/.test(stated)) return '3.1'
    throw faultAt(
      { text, file },
      '/openapi',
      `OpenAPI ${stated.slice(0, 40)} is not supported: use 3.0 or 3.1`,
    )
  }
  if (root['swagger'] !== undefined) {
    const message =
      'Swagger 2.0 is not supported: convert the contract to OpenAPI 3, for example with swagger2openapi'
    throw faultAt({ text, file }, '/swagger', message)
  }
  throw invalid(file, 'does not say which OpenAPI version it is written in (openapi: 3.0.x or 3.1.x)')
}

/** Aliases can make a YAML document contain itself, which no recursive reader survives. */
function checkDepth(document: OpenApiDocument): void {
  const seen = new Map<object, number>()
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null) return
    if (depth > MAX_DEPTH) throw invalid(document.file, `nests deeper than ${MAX_DEPTH}`)
    if ((seen.get(value) ?? -1) >= depth) return
    seen.set(value, depth)
    for (const member of Array.isArray(value) ? value : Object.values(value)) visit(member, depth + 1)
  }
  visit(document.root, 0)
}

const invalid = (
  file: string,
  message: string,
  data: Readonly<Record<string, string | number>> = {},
): SallyportError => new SallyportError('contract-invalid', `${file}: ${message}`, { file, ...data })

/** A fault at a JSON pointer; the line and column are looked up now, which costs seconds on the largest contracts. */
export function faultAt(
  source: { readonly text: string; readonly file: string },
  pointer: string,
  message: string,
): SallyportError {
  const place = placeOf(source.text, pointer)
  const where = place === null ? source.file : `${source.file}:${place.line}:${place.column}`
  return new SallyportError(
    'contract-invalid',
    `${where}: ${message} (at ${pointer === '' ? '/' : pointer})`,
    {
      file: source.file,
      pointer,
      ...(place ?? {}),
    },
  )
}
