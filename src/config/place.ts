import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { SallyportError } from '../model/errors.ts'
import { escapePointer } from '../syntax/json-pointer.ts'

/** Where something stands in a file: line and column count from 1, columns in UTF-16 code units. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface Problem extends Place {
  /** JSON pointer (RFC 6901) into the file; empty for the whole file and where its syntax is broken. */
  readonly pointer: string
  /** What is wrong, without the value: it may be a secret in the wrong place. */
  readonly message: string
  /** The way out; empty where the message says it. */
  readonly hint: string
}

/** `file:line:column: message (hint)`, the form editors and terminals jump to. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, message, hint } = problem
  return `${file}:${line}:${column}: ${message}${hint === '' ? '' : ` (${hint})`}`
}

/**
 * All that is wrong with a configuration, in the order of the files. `files` and `folders` are what was read or
 * looked for (absolute): watching them sees the correction.
 */
export class ConfigError extends SallyportError {
  readonly problems: readonly Problem[]
  readonly files: readonly string[]
  readonly folders: readonly string[]

  constructor(
    code: 'config-missing' | 'config-invalid',
    problems: readonly Problem[],
    files: readonly string[],
    folders: readonly string[],
  ) {
    const sorted = problems.toSorted(inOrder)
    const lines = sorted.map(formatProblem)
    const [first] = sorted
    super(code, lines.join('\n'), {
      problems: lines,
      file: first?.file ?? '',
      line: first?.line ?? 0,
      column: first?.column ?? 0,
    })
    this.problems = sorted
    this.files = files
    this.folders = folders
  }
}

/** Files in the order they were read, each from its top. */
function inOrder(a: Problem, b: Problem): number {
  return a.file === b.file ? a.line - b.line || a.column - b.column : 0
}

export type Segments = readonly (string | number)[]

export function pointerOf(segments: Segments): string {
  return segments.map((segment) => `/${escapePointer(String(segment))}`).join('')
}

export type Locate = (segments: Segments, at?: 'key' | 'value') => { line: number; column: number }

/**
 * Reads YAML or JSON text again, this time with positions, and answers where a pointer's key or value stands; for
 * what is not there, where its nearest ancestor does. Costs up to seconds for a large contract: only after an error.
 */
export function locator(text: string): Locate {
  const lines = new LineCounter()
  let root: Node | null = null
  try {
    root = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
    }).contents
  } catch (error) {
    // Nested beyond the parser's stack: the place is then the file.
    if (!(error instanceof RangeError)) throw error
  }
  const anchors = root === null ? new Map<string, Node>() : anchorsOf(root)
  return (segments, at = 'value') => {
    const offset = root === null ? 0 : offsetOf(root, anchors, segments, at)
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

function offsetOf(
  root: Node,
  anchors: ReadonlyMap<string, Node>,
  segments: Segments,
  at: 'key' | 'value',
): number {
  let node: Node = root
  let key: Node | null = null
  for (const segment of segments) {
    const target: Node | undefined = isAlias(node) ? anchors.get(node.source) : node
    if (isMap(target)) {
      const pair = target.items.find(({ key }) => isScalar(key) && textOf(key.value) === String(segment))
      if (pair === undefined) return startOf(key ?? node)
      key = pair.key as Node
      // `key:` with nothing after it has an empty value; its place is the key's.
      node = isNode(pair.value) ? pair.value : key
    } else if (isSeq(target)) {
      const item = target.items[Number(segment)]
      if (!isNode(item)) return startOf(key ?? node)
      key = null
      node = item
    } else return startOf(key ?? node)
  }
  return startOf(at === 'key' && key !== null ? key : node)
}

function anchorsOf(root: Node): ReadonlyMap<string, Node> {
  const anchors = new Map<string, Node>()
  const open: unknown[] = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (!isNode(node)) continue
    if (!isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, node)
    if (isMap(node)) for (const pair of node.items) open.push(pair.key, pair.value)
    else if (isSeq(node)) for (const item of node.items) open.push(item)
  }
  return anchors
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value)
}

function textOf(value: unknown): string {
  return value === null ? '' : String(value)
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0
}
