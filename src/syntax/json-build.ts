/**
 * JSON.parse, but for member names with escapes. V8 (Node 24.21) remembers the names of objects it has parsed and, once
 * one ended with a backslash, takes `"\u006fwner"` after the same members for that name: what the text says is
 * `owner`, what JSON.parse gives is `\`. Whoever sends both chooses what is checked. A string by itself is read right,
 * so names and strings are read one by one where there is an escape at all.
 *
 * @throws {SyntaxError} where the text is no JSON, or nested more than `MAX_DEPTH` deep.
 */
export function parseJson(text: string): unknown {
  return text.includes('\\') ? buildJson(text) : JSON.parse(text)
}

/** Deeper than what any reader here takes. */
const MAX_DEPTH = 512

/**
 * The same whatever the text holds: for one that is known to have a member name with an escape, and for readers that
 * make of a number's literal something else than a double.
 */
export function buildJson(text: string, number?: (literal: string) => unknown): unknown {
  const builder = new Builder(text, number)
  const value = builder.value(0)
  builder.end()
  return value
}

const SPACE = /[ \t\n\r]*/y
const SCALAR = /[-+.\w]+/y

class Builder {
  readonly #text: string
  #at = 0

  readonly #number: ((literal: string) => unknown) | undefined

  constructor(text: string, number: ((literal: string) => unknown) | undefined) {
    this.#text = text
    this.#number = number
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new SyntaxError('JSON is nested too deeply')
    switch (this.#next()) {
      case '{':
        return this.#object(depth)
      case '[':
        return this.#array(depth)
      case '"':
        return this.#string()
      default:
        return this.#literal(this.#scalar())
    }
  }

  /** JSON.parse judges the grammar, whoever reads the number. */
  #literal(token: string): unknown {
    const value: unknown = JSON.parse(token)
    return this.#number !== undefined && typeof value === 'number' ? this.#number(token) : value
  }

  end(): void {
    if (this.#next() !== '') throw this.#fault()
  }

  #object(depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    this.#at++
    if (this.#takes('}')) return object
    do {
      if (this.#next() !== '"') throw this.#fault()
      const name = this.#string()
      if (!this.#takes(':')) throw this.#fault()
      const value = this.value(depth + 1)
      // As JSON.parse: an own member, also of this name.
      if (name === '__proto__')
        Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
      else object[name] = value
    } while (this.#takes(','))
    if (!this.#takes('}')) throw this.#fault()
    return object
  }

  #array(depth: number): unknown[] {
    const array: unknown[] = []
    this.#at++
    if (this.#takes(']')) return array
    do array.push(this.value(depth + 1))
    while (this.#takes(','))
    if (!this.#takes(']')) throw this.#fault()
    return array
  }

  #string(): string {
    const start = this.#at
    let end = start
    do {
      end = this.#text.indexOf('"', end + 1)
      if (end === -1) throw this.#fault()
    } while (this.#isEscaped(end))
    this.#at = end + 1
    return String(JSON.parse(this.#text.slice(start, end + 1)))
  }

  /** An odd number of backslashes stands before it. */
  #isEscaped(at: number): boolean {
    let before = at
    while (this.#text[before - 1] === '\\') before--
    return (at - before) % 2 === 1
  }

  /** The next character that is no space; empty at the end. */
  #next(): string {
    SPACE.lastIndex = this.#at
    SPACE.test(this.#text)
    this.#at = SPACE.lastIndex
    return this.#text[this.#at] ?? ''
  }

  #takes(character: string): boolean {
    if (this.#next() !== character) return false
    this.#at++
    return true
  }

  #scalar(): string {
    SCALAR.lastIndex = this.#at
    if (!SCALAR.test(this.#text)) throw this.#fault()
    const token = this.#text.slice(this.#at, SCALAR.lastIndex)
    this.#at = SCALAR.lastIndex
    return token
  }

  #fault(): SyntaxError {
    return new SyntaxError(`unexpected JSON at ${this.#at}`)
  }
}
