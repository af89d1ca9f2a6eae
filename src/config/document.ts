import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { type Problem, pointerOf, type Segments } from './place.ts'

/** Reads YAML 1.2 (and so JSON) as plain data, or says with places why it is none. */

/** Deeper than any configuration; far above it the parser would run out of stack. */
const MAX_DEPTH = 64
/** Aliases expand when read: few are honest use, many are the billion laughs. */
const MAX_ALIASES = 100

const MAX_PROBLEMS = 100

/** Names every object inherits: as keys they are never meant and reach what they must not. */
const INHERITED = new Set(['__proto__', 'constructor', 'prototype'])

export type DocumentResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly Problem[] }

export function readDocument(file: string, text: string): DocumentResult {
  const lines = new LineCounter()
  const problems: Problem[] = []
  const report = (offset: number, segments: Segments, message: string, hint: string) => {
    if (problems.length >= MAX_PROBLEMS) return
    const { line, col } = lines.linePos(offset)
    problems.push({
      file,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      pointer: pointerOf(segments),
      message,
      hint,
    })
  }
  let document: Document.Parsed
  try {
    // Duplicate keys are looked for below: the parser's own search takes the square of a map's size.
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      stringKeys: true,
      // 'silent' would also be silent about a second document, and read the first alone.
      logLevel: 'error',
    })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    report(0, [], 'the file is nested too deeply', `At most ${MAX_DEPTH} levels.`)
    return { ok: false, problems }
  }
  for (const { pos, code, message } of [...document.errors, ...document.warnings].slice(0, MAX_PROBLEMS)) {
    if (/call stack/i.test(message)) {
      report(pos[0], [], 'the file is nested too deeply', `At most ${MAX_DEPTH} levels.`)
    } else report(pos[0], [], `broken YAML: ${words(code, message)}`, SYNTAX_HINTS[code] ?? '')
  }
  if (document.directives.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    // In 1.1 `no` is false and `1:30` is 90: the same text would mean something else.
    report(0, [], 'the file asks for an older YAML', 'Leave out the %YAML line: files are read as YAML 1.2.')
  }
  let firstAlias = 0
  if (problems.length === 0 && document.contents !== null) {
    firstAlias = inspect(document.contents, lines, report)
  }
  if (problems.length > 0) return { ok: false, problems }

  try {
    return { ok: true, value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown }
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    report(
      firstAlias,
      [],
      'the aliases of the file expand too far',
      'Write the values out instead of *aliases.',
    )
    return { ok: false, problems }
  }
}

const SYNTAX_HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'Indent with spaces.',
  BAD_INDENT: 'Keys of one level begin in the same column; brackets and braces are closed.',
  MISSING_CHAR: 'Look for a missing bracket, quote, colon or space before this place.',
  MULTIPLE_DOCS: 'One document per file: take out the ---.',
  TAG_RESOLVE_FAILED: 'Tags (!name) have no meaning here.',
  BLOCK_AS_IMPLICIT_KEY: 'Put the value in quotes, or begin a new line.',
  BAD_DQ_ESCAPE: 'Double the backslash, or use single quotes.',
  BAD_SCALAR_START: 'Put the value in quotes.',
}

type Report = (offset: number, segments: Segments, message: string, hint: string) => void

interface Open {
  readonly node: unknown
  readonly path: Segments
  /** Anchors of the node's ancestors: an alias to one of them would contain itself. */
  readonly around: readonly string[]
}

/**
 * Duplicate and inherited keys, depth, and aliases that lead nowhere or to themselves; without recursion. Gives
 * the offset of the first alias, 0 where there is none.
 */
function inspect(root: Node, lines: LineCounter, report: Report): number {
  const anchors = new Map<string, number>()
  const aliases: { readonly name: string; readonly at: number; readonly path: Segments }[] = []
  const open: Open[] = [{ node: root, path: [], around: [] }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, path, around } = next
    if (isAlias(node)) {
      if (around.includes(node.source)) {
        report(startOf(node), path, 'an alias stands inside its own anchor', 'Write the value out.')
      } else aliases.push({ name: node.source, at: startOf(node), path })
      continue
    }
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor !== undefined) {
      anchors.set(node.anchor, Math.min(startOf(node), anchors.get(node.anchor) ?? Number.POSITIVE_INFINITY))
    }
    if (!isMap(node) && !isSeq(node)) continue
    if (path.length >= MAX_DEPTH) {
      report(startOf(node), path, 'the file is nested too deeply', `At most ${MAX_DEPTH} levels.`)
      continue
    }
    const within = node.anchor === undefined ? around : [...around, node.anchor]
    if (isSeq(node)) {
      for (const [index, item] of node.items.entries())
        open.push({ node: item, path: [...path, index], around: within })
      continue
    }
    const seen = new Map<string, number>()
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value ?? '') : ''
      const at = isScalar(key) ? startOf(key) : startOf(node)
      const place = [...path, name]
      const first = seen.get(name)
      if (first !== undefined) {
        report(
          at,
          place,
          `the key "${shown(name)}" stands twice`,
          `First in line ${lines.linePos(first).line}.`,
        )
      } else if (INHERITED.has(name)) {
        report(at, place, `"${name}" cannot be a key`, 'Choose another name.')
      }
      seen.set(name, first ?? at)
      open.push({ node: value, path: place, around: within })
    }
  }
  for (const { name, at, path } of aliases) {
    if ((anchors.get(name) ?? Number.POSITIVE_INFINITY) < at) continue
    report(
      at,
      path,
      'an alias names no anchor that stands before it',
      'Put text that begins with * in quotes.',
    )
  }
  return aliases.reduce((least, { at }) => Math.min(least, at), aliases[0]?.at ?? 0)
}

/** A key as it may be printed: bounded and without control characters. */
export function shown(key: string, length = 64): string {
  const clean = key.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�')
  return clean.length > length ? `${clean.slice(0, length)}…` : clean
}

/** The parser's words without what it quotes of the text, which may be a secret in the wrong place. */
function words(code: string, message: string): string {
  const own = OWN_WORDS[code]
  if (own !== undefined) return own
  const unquoted = message.replace(/(?<=[\w)]): .*$/s, '').replace(/\.$/, '')
  return shown(unquoted.charAt(0).toLowerCase() + unquoted.slice(1), 160)
}

const OWN_WORDS: Readonly<Record<string, string>> = {
  BAD_DIRECTIVE: 'a line that begins with % is not understood',
  BAD_DQ_ESCAPE: 'an escape sequence in double quotes is not valid',
  MULTIPLE_DOCS: 'a second document begins',
  NON_STRING_KEY: 'a key is not plain text',
  TAG_RESOLVE_FAILED: 'a tag is not known',
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0
}
