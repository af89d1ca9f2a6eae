import type { DocumentNode, OperationDefinitionNode } from 'graphql/language'
import type { GraphQLSchema } from 'graphql/type'
import type { Finding } from '../../model/fact.ts'
import { contractFinding } from '../findings.ts'
import type { GraphqlLimits } from './detail.ts'
import { saidToCaller } from './document-error.ts'
import { limit } from './form.ts'
import { graphql } from './library.ts'
import { type Fragments, type Measure, measureOperations } from './measure.ts'
import { mergeable } from './mergeable.ts'

/** A document that fits the schema and its limits. */
export interface ReadDocument {
  readonly text: string
  readonly fragments: Fragments
  readonly operations: readonly { readonly node: OperationDefinitionNode; readonly measure: Measure }[]
}

export type DocumentReading =
  | { readonly ok: true; readonly document: ReadDocument }
  | { readonly ok: false; readonly finding: Finding }

/** Brackets inside one another: the parser goes down one call deep for each. Three times any `depth` in use. */
const MAX_NESTING = 200
/** Comments are tokens to the parser, and nothing to anyone else. */
const MAX_COMMENTS = 200
const MAX_ERRORS = 1
/** What merging may cost: see `mergeable`. */
const MAX_MERGE_STEPS = 50_000

/** Parsed, measured, then validated, each only where the one before has bounded its work. Pure over its arguments. */
export function readDocument(text: string, schema: GraphQLSchema, limits: GraphqlLimits): DocumentReading {
  const { parse, Kind, validate, specifiedRules, OverlappingFieldsCanBeMergedRule } = graphql()
  const nesting = nestingOf(text)
  if (nesting > MAX_NESTING) return refused(limit('nesting', nesting, MAX_NESTING))
  let ast: DocumentNode
  try {
    ast = parse(text, {
      maxLexicalTokens: limits.tokens,
      maxComments: MAX_COMMENTS,
      noLocation: true,
    })
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    if (/contains more (?:that|than) /.test(said))
      return refused(limit('tokens', limits.tokens + 1, limits.tokens))
    return invalid('syntax', saidToCaller(error, null))
  }
  const fragments = new Map<string, Fragments extends ReadonlyMap<string, infer F> ? F : never>()
  const nodes: OperationDefinitionNode[] = []
  let defined = 0
  for (const definition of ast.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) nodes.push(definition)
    else if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      defined++
      fragments.set(definition.name.value, definition)
    } else return invalid('executable', 'a document holds operations and fragments only')
  }
  if (defined > limits.fragments) return refused(limit('fragments', defined, limits.fragments))
  if (nodes.length > limits.operations) return refused(limit('operations', nodes.length, limits.operations))
  if (nodes.length === 0) return invalid('operation', 'the document holds no operation')
  const measured = measureOperations(nodes, fragments)
  if (measured === null) return invalid('fragment-cycle', 'a fragment leads back to itself')
  for (const measure of measured) {
    const over = overLimit(measure, limits)
    if (over !== null) return refused(over)
  }
  const rules = specifiedRules.filter((rule) => rule !== OverlappingFieldsCanBeMergedRule)
  const [error] = validate(schema, ast, rules, { maxErrors: MAX_ERRORS, hideSuggestions: true })
  if (error !== undefined) return invalid('validation', saidToCaller(error, ast))
  for (const node of nodes) {
    const merged = mergeable(schema, node, fragments, MAX_MERGE_STEPS)
    if (merged === 'too-much') return refused(limit('merging', MAX_MERGE_STEPS + 1, MAX_MERGE_STEPS))
    if (merged !== null) return invalid('merging', `two fields answer as ${merged} and differ`)
  }
  const operations = nodes.flatMap((node, index) => {
    const measure = measured[index]
    return measure === undefined ? [] : [{ node, measure }]
  })
  return { ok: true, document: { text, fragments, operations } }
}

const MEASURED = ['depth', 'breadth', 'fields', 'aliases', 'directives', 'rootFields'] as const

/** Also of several requests in one body: their measures taken together. */
export function overLimit(measure: Measure, limits: GraphqlLimits): Finding | null {
  for (const name of MEASURED) {
    if (measure[name] > limits[name]) return limit(name, measure[name], limits[name])
  }
  return null
}

function refused(finding: Finding): DocumentReading {
  return { ok: false, finding }
}

function invalid(rule: string, said: string): DocumentReading {
  return { ok: false, finding: contractFinding('graphql-document-invalid', { rule }, said) }
}

/** Brackets inside one another, those in strings and comments left out; one pass, before anything is built. */
export function nestingOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22:
        at = stringEnd(text, at)
        break
      case 0x23:
        while (at < text.length && text.charCodeAt(at) !== 0x0a && text.charCodeAt(at) !== 0x0d) at++
        break
      case 0x28:
      case 0x5b:
      case 0x7b:
        if (++depth > deepest) deepest = depth
        break
      case 0x29:
      case 0x5d:
      case 0x7d:
        depth--
        break
    }
  }
  return deepest
}

/** Index of the closing quote; the text's end where there is none, which the parser then refuses. */
function stringEnd(text: string, start: number): number {
  if (text.startsWith('"""', start)) {
    let at = start + 3
    for (;;) {
      const end = text.indexOf('"""', at)
      if (end < 0) return text.length
      if (text.charCodeAt(end - 1) !== 0x5c) return end + 2
      at = end + 3
    }
  }
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x5c) at++
    else if (code === 0x22) return at
    else if (code === 0x0a || code === 0x0d) return at - 1
  }
  return text.length
}
