import type { z } from 'zod'
import { shown } from './document.ts'
import { nearest } from './nearest.ts'
import type { Segments } from './place.ts'
import { configJsonSchema } from './schema.ts'

/** What the schema found, in words of the configuration: what is wrong, and the way out. */
export interface SchemaFinding {
  readonly segments: Segments
  /** The place meant: the key itself or its value. */
  readonly at: 'key' | 'value'
  readonly message: string
  readonly hint: string
}

/** Keys that will exist one day: refused by name, so that nobody takes them for working. */
const PLANNED: Readonly<Record<string, string>> = {
  shared: 'Leave it out: one node keeps its state itself.',
  tls: 'Listen on loopback and let a proxy on this machine end TLS.',
}

/** A file of nothing but errors must not take the square of its size to be refused. */
const MAX_FINDINGS = 100

export function schemaFindings(
  error: z.ZodError,
  schema: z.ZodType,
  value: unknown,
): readonly SchemaFinding[] {
  const words = configJsonSchema(schema)
  const findings: SchemaFinding[] = []
  for (const issue of error.issues) {
    if (findings.length >= MAX_FINDINGS) break
    findings.push(...explain(issue, [], words, value))
  }
  return findings.slice(0, MAX_FINDINGS)
}

type Issue = z.core.$ZodIssue
type Words = Readonly<Record<string, unknown>>

function explain(issue: Issue, above: Segments, words: Words, value: unknown): SchemaFinding[] {
  const segments = [...above, ...issue.path.map((part) => (typeof part === 'symbol' ? '' : part))]
  const node = wordsAt(words, segments)
  const finding = (message: string, hint: string): SchemaFinding[] => [
    {
      segments,
      at: 'value',
      message: message.startsWith('must ') ? `${named(segments)} ${message}` : message,
      hint,
    },
  ]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.slice(0, MAX_FINDINGS).map((key) => unknownKey(key, segments, node))
    case 'invalid_key':
      return [
        {
          segments,
          at: 'key',
          message: `"${shown(String(segments.at(-1)))}" cannot be a name`,
          hint: issue.issues[0]?.message ?? '',
        },
      ]
    case 'invalid_union': {
      const branch = likelyBranch(issue.errors)
      if (branch !== null) return branch.flatMap((inner) => explain(inner, segments, words, value))
      const expected = issue.errors
        .flatMap((errors) => errors.map(expectedType))
        .filter((type) => type !== '')
      if (!isPresent(value, segments)) return missing(segments, node)
      return finding(`must be ${alternatives([...new Set(expected)])}`, firstSentence(node))
    }
    case 'invalid_type':
      if (!isPresent(value, segments)) return missing(segments, node)
      return finding(
        `must be ${expectedType(issue)}, not ${typeName(valueAt(value, segments))}`,
        firstSentence(node),
      )
    case 'invalid_value': {
      if (!isPresent(value, segments)) return missing(segments, node)
      const allowed = issue.values.map(String)
      const given = valueAt(value, segments)
      const close = typeof given === 'string' ? nearest(given, allowed) : null
      return finding(
        `must be ${alternatives(allowed)}`,
        close === null ? firstSentence(node) : `Did you mean "${close}"?`,
      )
    }
    case 'too_small':
      return finding(`must ${amount(issue.origin, 'at least', issue.minimum)}`, firstSentence(node))
    case 'too_big':
      return finding(`must ${amount(issue.origin, 'at most', issue.maximum)}`, firstSentence(node))
    case 'custom': {
      const hint: unknown = issue.params?.['hint']
      return finding(issue.message, typeof hint === 'string' ? hint : firstSentence(node))
    }
    default:
      return finding(issue.message, firstSentence(node))
  }
}

function unknownKey(key: string, segments: Segments, node: Words): SchemaFinding {
  const at = { segments: [...segments, key], at: 'key' } as const
  const planned = Object.hasOwn(PLANNED, key) ? PLANNED[key] : undefined
  if (planned !== undefined) return { ...at, message: `"${key}" is not available yet`, hint: planned }
  const message = `unknown key "${shown(key)}"`
  if (key === '<<')
    return { ...at, message, hint: 'Merge keys are not part of YAML 1.2; write the keys out.' }
  const properties = propertiesOf(node)
  const known = Object.keys(properties)
  const close = nearest(key, known)
  if (close !== null) return { ...at, message, hint: `Did you mean "${close}"?` }
  for (const [parent, child] of Object.entries(properties)) {
    if (Object.hasOwn(propertiesOf(child), key))
      return { ...at, message, hint: `It belongs under "${parent}".` }
  }
  return { ...at, message, hint: known.length === 0 ? '' : `Known here: ${known.join(', ')}.` }
}

function missing(segments: Segments, node: Words): SchemaFinding[] {
  return [{ segments, at: 'key', message: `${named(segments)} is missing`, hint: firstSentence(node) }]
}

/** The alternative whose outer type fits, if exactly one does. */
function likelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const fitting = branches.filter(
    (issues) => !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  )
  return fitting.length === 1 ? (fitting[0] ?? null) : null
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
  record: 'a group of keys',
  null: 'empty',
}

function expectedType(issue: Issue): string {
  return issue.code === 'invalid_type' ? (TYPE_NAMES[issue.expected] ?? issue.expected) : ''
}

function typeName(value: unknown): string {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  return (type === 'number' && !Number.isInteger(value) ? 'a fraction' : TYPE_NAMES[type]) ?? type
}

function alternatives(words: readonly string[]): string {
  const last = words.at(-1) ?? ''
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`
}

function amount(origin: string, bound: string, limit: number | bigint): string {
  if (origin === 'string') return `have ${bound} ${limit} characters`
  if (origin === 'array') return `have ${bound} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
  return `be ${bound} ${limit}`
}

function named(segments: Segments): string {
  const last = segments.at(-1)
  if (last === undefined) return 'the file'
  return typeof last === 'number' ? `${named(segments.slice(0, -1))} entry ${last + 1}` : shown(last)
}

/** The part of the JSON Schema that speaks of a place; of alternatives the one that can hold it. */
function wordsAt(words: Words, segments: Segments): Words {
  let node = words
  for (const segment of segments) {
    const alternatives = [node, ...(Array.isArray(node['anyOf']) ? (node['anyOf'] as Words[]) : [])]
    const next = alternatives
      .map((each) =>
        typeof segment === 'number'
          ? each['items']
          : ((Object.hasOwn(propertiesOf(each), segment) ? propertiesOf(each)[segment] : undefined) ??
            each['additionalProperties']),
      )
      .find((each) => typeof each === 'object' && each !== null)
    if (next === undefined) return {}
    node = next as Words
  }
  return node
}

function propertiesOf(node: Words): Readonly<Record<string, Words>> {
  return (node['properties'] ?? {}) as Readonly<Record<string, Words>>
}

function firstSentence(node: Words): string {
  const text = typeof node['description'] === 'string' ? node['description'].replaceAll('`', '') : ''
  return /^.*?[^.][.](?= |$)/.exec(text)?.[0] ?? text
}

function isPresent(value: unknown, segments: Segments): boolean {
  return valueAt(value, segments) !== undefined
}

function valueAt(value: unknown, segments: Segments): unknown {
  let at = value
  for (const segment of segments) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined
    at = (at as Readonly<Record<string | number, unknown>>)[segment]
  }
  return at
}
