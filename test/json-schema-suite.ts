import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { ContractWarning } from '../src/contract/detail.ts'
import { readDocument } from '../src/contract/document.ts'
import { exactNumber, parseExact } from '../src/contract/exact-json.ts'
import { emitModules } from '../src/contract/modules.ts'
import { Check, type GeneratedFunction, runModule } from '../src/contract/runtime.ts'
import { SchemaConverter } from '../src/contract/schema.ts'
import { ValidatorCompiler } from '../src/contract/validators.ts'
import { scanJson } from '../src/syntax/json.ts'
import { buildJson } from '../src/syntax/json-build.ts'

/** One file's groups in JSON-Schema-Test-Suite, read with all digits. */
export interface SuiteGroup {
  readonly description: string
  readonly schema: unknown
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[]
}

const URI_BASE = 'http://localhost:1234/'
const METASCHEMAS: readonly (readonly [uri: string, file: string])[] = [
  ['http://json-schema.org/draft-04/schema', 'ajv-draft-04/dist/refs/json-schema-draft-04.json'],
  ['http://json-schema.org/draft-06/schema', 'ajv/dist/refs/json-schema-draft-06.json'],
  ['http://json-schema.org/draft-07/schema', 'ajv/dist/refs/json-schema-draft-07.json'],
  ...['schema', 'meta/core', 'meta/applicator', 'meta/unevaluated', 'meta/validation', 'meta/meta-data'].map(
    (name): [string, string] => [
      `https://json-schema.org/draft/2020-12/${name}`,
      `ajv/dist/refs/json-schema-2020-12/${name}.json`,
    ],
  ),
  ...['format-annotation', 'content'].map((name): [string, string] => [
    `https://json-schema.org/draft/2020-12/meta/${name}`,
    `ajv/dist/refs/json-schema-2020-12/meta/${name}.json`,
  ]),
]

/** With the digits of numbers that a double does not hold, as the contract's own reader keeps them. */
const readExact = (path: string): unknown => buildJson(readFileSync(path, 'utf8'), exactNumber)

export function readGroups(path: string): readonly SuiteGroup[] {
  return readExact(path) as readonly SuiteGroup[]
}

/** What the suite serves by HTTP, and the metaschemas: in memory, because nothing is ever fetched. */
export function remoteDocuments(suite: string): ReadonlyMap<string, unknown> {
  const documents = new Map<string, unknown>()
  const remotes = join(suite, 'remotes')
  for (const entry of readdirSync(remotes, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    documents.set(URI_BASE + relative(remotes, path), readExact(path))
  }
  const modules = join(import.meta.dirname, '../node_modules')
  for (const [uri, file] of METASCHEMAS) documents.set(uri, readExact(join(modules, file)))
  return documents
}

/** The way of every schema of a contract: converted, compiled, emitted as source, run. */
export function checkOf(
  schema: unknown,
  openApi: Readonly<Record<string, unknown>>,
  documents: ReadonlyMap<string, unknown> = new Map(),
  warnings: ContractWarning[] = [],
): (data: unknown) => boolean {
  const document = readDocument(JSON.stringify({ info: {}, paths: {}, ...openApi }), 'suite.json')
  const converter = new SchemaConverter(document, (warning) => warnings.push(warning), documents)
  const converted = converter.convert(schema, '/components/schemas/Tested')
  const compiler = new ValidatorCompiler(converter.components, converter)
  const name = compiler.check(converted)
  const modules = emitModules(compiler.finish(), new Map()).map(({ source }) => runModule(source))
  if (name === null) return () => true
  const functions: Record<string, GeneratedFunction> = {}
  for (const module of modules) Object.assign(functions, module.checks)
  for (const module of modules) module.link?.(functions)
  const run = functions[name]
  if (run === undefined) throw new Error('the check is missing')
  const check = new Check(run)
  return (data) => {
    const bytes = Buffer.from(JSON.stringify(data))
    const scan = scanJson(bytes)
    // The scanner refuses what the suite has of `__proto__`; the check must know it all the same.
    if (!scan.ok) return check.faults(data, bytes.length) === null
    return check.faults(scan.value, bytes.length, scan.exact ? undefined : parseExact(bytes)) === null
  }
}

/** A schema of the suite as a document of its own, which a schema of the contract refers to. */
export function suiteCheck(
  schema: unknown,
  dialect: string,
  remotes: ReadonlyMap<string, unknown>,
): (data: unknown) => boolean {
  const uri = `${URI_BASE}tested.json`
  return checkOf(
    { $ref: uri },
    { openapi: '3.1.0', jsonSchemaDialect: dialect },
    new Map([...remotes, [uri, schema]]),
  )
}
