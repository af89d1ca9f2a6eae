import { parse } from 'yaml'
import { parseJson } from './json-build.ts'

/** As the contract's own reader: more is an attack, and is reported there. */
const MAX_ALIASES = 1_000
const MAX_DEPTH = 200
/** `$ref` before something that does not begin with `#`, or spelled with an escape. */
const LEADS_OUT = /\$ref["']?\s*:\s*["']?[^\s"'#]|\\(?:u00|x)24ref/i

/**
 * Every `$ref` of a JSON or YAML text that leads out of it, once, in no order; empty for a text that cannot be read.
 * What merely looks like one (in an example) is among them: a reader of files must not fail for it.
 */
export function outwardReferences(text: string): readonly string[] {
  // Parsing takes a second for the largest contracts, and most are one file.
  if (!LEADS_OUT.test(text)) return []
  const found = new Set<string>()
  const seen = new Set<object>()
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return
    if (seen.has(value)) return
    seen.add(value)
    for (const [name, member] of Object.entries(value)) {
      if (name === '$ref' && typeof member === 'string' && !member.startsWith('#')) found.add(member)
      visit(member, depth + 1)
    }
  }
  try {
    visit(/^[\s\uFEFF]*\{/.test(text) ? jsonOrYaml(text) : yaml(text), 0)
  } catch {
    return []
  }
  return [...found]
}

function jsonOrYaml(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return yaml(text)
  }
}

const yaml = (text: string): unknown =>
  parse(text, { version: '1.2', maxAliasCount: MAX_ALIASES, logLevel: 'error' })
