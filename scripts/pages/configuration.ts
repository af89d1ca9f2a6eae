import { configJsonSchema } from '../../src/config/schema.ts'
import { code, page, table } from './markdown.ts'

/** A JSON Schema node as zod writes it: what the page reads of it. */
interface Node {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | false
  readonly required?: readonly string[]
}

export function configurationSchema(): string {
  const { $schema, ...rest } = configJsonSchema()
  const titled = { $schema, title: 'sallyport.yaml', ...rest }
  return `${JSON.stringify(titled, null, 2)}\n`
}

export function configurationPage(): string {
  const root = configJsonSchema() as Node
  return page(
    'Configuration',
    'src/config/schema.ts',
    'Everything `sallyport.yaml` may hold. Unknown keys are errors, told with file, line, column and the nearest known key. Paths are relative to the file that names them. Durations end in their unit. Secrets are references (`env:NAME`, `file:PATH`), never values.',
    'Editors check and complete the file with [sallyport.schema.json](sallyport.schema.json): put `# yaml-language-server: $schema=…/sallyport.schema.json` in its first line.',
    'Names of APIs, issuers and object types have 1 to 63 lower-case letters, digits and hyphens and begin with a letter.',
    ...sections('', root),
    '## Files of one API each',
    'With `apis: ./apis/*.yaml`, or a list of such patterns, every file holds the keys of one API at its top. Its name is the key `name`, else the file’s name without its ending. `*` and `?` stand in the file name only. Its contract has to lie below the folder of the configuration or of the file itself.',
  )
}

/** A section for a group of keys and, after it, one for each group among them. */
function sections(path: string, node: Node): string[] {
  const entries = Object.entries(node.properties ?? {})
  const heading = path === '' ? '## Top level' : `## ${code(path)}`
  const rows = entries.map(([key, child]) => [
    code(key),
    typeOf(child),
    defaultOf(child, node.required?.includes(key) === true),
    child.description ?? '',
  ])
  const own = [heading, node.description ?? '', table(['Key', 'Type', 'Default', 'Meaning'], rows)]
  const inner = entries.flatMap(([key, child]) => {
    const at = path === '' ? key : `${path}.${key}`
    const named = namedEntries(child)
    if (child.properties !== undefined) return sections(at, child)
    return named === null ? [] : sections(`${at}.<name>`, named)
  })
  return [...own.filter((part) => part !== ''), ...inner]
}

/** What stands under each name of a record, or null where the node is none. */
function namedEntries(node: Node): Node | null {
  for (const each of [node, ...(node.anyOf ?? [])]) {
    const { additionalProperties } = each
    if (additionalProperties !== undefined && additionalProperties !== false) return additionalProperties
  }
  return null
}

function typeOf(node: Node): string {
  if (node.anyOf !== undefined) return node.anyOf.map(typeOf).join(' or ')
  if (node.const !== undefined) return code(String(node.const))
  if (node.enum !== undefined) return node.enum.map((value) => code(String(value))).join(', ')
  if (node.properties !== undefined) return 'group'
  if (namedEntries(node) !== null) return 'group by name'
  if (node.type === 'array') {
    return `list of ${node.items === undefined ? 'values' : typeOf(node.items)}${range(node.minItems, node.maxItems, ' entries')}`
  }
  if (node.type === 'integer') return `whole number${range(node.minimum, node.maximum, '')}`
  if (node.type === 'boolean') return '`true`, `false`'
  return 'text'
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least === undefined && most === undefined) return ''
  if (most === undefined) return `, at least ${least}`
  return `, ${least === undefined ? 'at most' : `${least} to`} ${most}${unit}`
}

function defaultOf(node: Node, required: boolean): string {
  if (required) return '**required**'
  if (node.default === undefined || typeof node.default === 'object') {
    const listed = Array.isArray(node.default) && node.default.length > 0
    return listed ? code(`[${(node.default as readonly unknown[]).join(', ')}]`) : '–'
  }
  return code(String(node.default))
}
