import { parseJson } from '../syntax/json-build.ts'

/** Texts of decisions that are kept parsed, and how long one may be: some megabytes at most. */
const MAX_KEPT = 512
const MAX_LENGTH = 4_096

const BEGIN = ',"decisions":['
/** What follows the decisions of an intent and of an outcome. */
const AFTER = /\],"(?:request|upstreamStatus|candidate)":/g

type Plain = Readonly<Record<string, unknown>>

/**
 * Most calls of a log are decided alike: the text of their decisions, which is half of a line's members, is parsed once
 * and its value shared. What comes out is what `parseJson` makes of the whole line, or null where that is not plain.
 */
export class RepeatedDecisions {
  readonly #kept = new Map<string, unknown>()

  parse(text: string): Plain | null {
    try {
      return this.#parse(text)
    } catch (error) {
      if (error instanceof SyntaxError) return null
      throw error
    }
  }

  #parse(text: string): Plain | null {
    const begin = text.indexOf(BEGIN)
    if (begin < 0 || text.includes('\\')) return null
    AFTER.lastIndex = begin
    const end = AFTER.exec(text)
    if (end === null || end.index - begin > MAX_LENGTH) return null
    // The line without its decisions: two lists that are JSON each by itself, so that the cut was between members.
    const from = begin + BEGIN.length - 1
    const cut = text.slice(from, end.index + 1)
    const line: unknown = parseJson(`${text.slice(0, from)}0${text.slice(end.index + 1)}`)
    if (typeof line !== 'object' || line === null || Array.isArray(line)) return null
    const plain = line as Record<string, unknown>
    // Elsewhere than at the top, or stated a second time.
    if (plain['decisions'] !== 0 || text.includes(',"decisions":', end.index)) return null
    plain['decisions'] = this.#list(cut)
    return plain
  }

  #list(cut: string): unknown {
    const known = this.#kept.get(cut)
    if (known !== undefined) return known
    const list: unknown = parseJson(cut)
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear()
    // A copy: a piece of a line would keep all of it.
    this.#kept.set(Buffer.from(cut, 'latin1').toString('latin1'), list)
    return list
  }
}
