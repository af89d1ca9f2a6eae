import { parse, YAMLParseError } from 'yaml'
import { SallyportError } from '../model/errors.ts'
import { parseJson } from '../syntax/json-build.ts'
import { exactTree, exactYaml } from './exact-document.ts'
import { invalid } from './fault.ts'

/** The largest published contracts have 6 MB; ten times that is a mistake or an attack. */
const MAX_TEXT = 64 * 1_048_576
/** Of nested objects; the deepest fixture has 40. JSON.parse itself does not recurse, but every reader after it does. */
const MAX_DEPTH = 200
/** `yaml` multiplies nested aliases before it compares: what 1,000 honest aliases reach, a bomb passes at once. */
const MAX_ALIASES = 1_000

/** The value of a text, nested no deeper than every reader after it survives. */
export function readTree(text: string, file: string): unknown {
  if (text.length > MAX_TEXT) throw invalid(file, `is larger than ${MAX_TEXT} characters`)
  const value = readText(text, file)
  checkDepth(value, file)
  return value
}

function readText(text: string, file: string): unknown {
  if (/^[\s\uFEFF]*\{/.test(text)) {
    try {
      return exactTree(text) ?? parseJson(text)
    } catch {
      // YAML's flow style also begins so; if it is neither, yaml says where.
    }
  }
  try {
    const options = {
      version: '1.2',
      maxAliasCount: MAX_ALIASES,
      prettyErrors: true,
      logLevel: 'error',
    } as const
    return exactYaml(text, options) ?? parse(text, options)
  } catch (error) {
    if (!(error instanceof YAMLParseError)) {
      throw invalid(file, `cannot be read: ${error instanceof Error ? error.message : 'unknown fault'}`)
    }
    throw notATree(error, file)
  }
}

/** As every other fault: the place first, so that editors and terminals lead there. */
function notATree(error: YAMLParseError, file: string): SallyportError {
  const at = error.linePos?.[0]
  const where = at === undefined ? file : `${file}:${at.line}:${at.col}`
  const why = (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '')
  const hint = /\.(?:graphqls?|gql)$/.test(file)
    ? ' (A GraphQL schema stands under graphql: { schema: … } in place of contract.)'
    : ''
  return new SallyportError('contract-invalid', `${where}: is neither JSON nor YAML: ${why}${hint}`, {
    file,
    ...(at === undefined ? {} : { line: at.line, column: at.col }),
  })
}

/** Aliases can make a YAML document contain itself, which no recursive reader survives. */
function checkDepth(root: unknown, file: string): void {
  const seen = new Map<object, number>()
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null) return
    if (depth > MAX_DEPTH) throw invalid(file, `nests deeper than ${MAX_DEPTH}`)
    if ((seen.get(value) ?? -1) >= depth) return
    seen.set(value, depth)
    for (const member of Array.isArray(value) ? value : Object.values(value)) visit(member, depth + 1)
  }
  visit(root, 0)
}
