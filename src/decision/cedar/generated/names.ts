/** The names that one generated function uses: constants it is given, and locals for what it reads. */
export class Names {
  readonly constants: unknown[] = []
  readonly #known = new Map<unknown, string>()
  readonly #locals = new Map<string, string>()
  readonly #absent = new Map<string, string>()

  /** A constant's name; small whole numbers stand for themselves. */
  constant(value: unknown): string {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return `(${String(value)})`
    const known = this.#known.get(value)
    if (known !== undefined) return known
    const name = `k${this.constants.length}`
    this.constants.push(value)
    this.#known.set(value, name)
    return name
  }

  /** The local that keeps what is found at a path. */
  local(path: readonly string[]): string {
    return numbered(this.#locals, JSON.stringify(path), 'a')
  }

  /** The function that fails for an attribute of this name. */
  absent(name: string, make: (name: string) => unknown): string {
    const known = this.#absent.get(name)
    if (known !== undefined) return known
    const made = this.constant(make(name))
    this.#absent.set(name, made)
    return made
  }

  get locals(): readonly string[] {
    return [...this.#locals.values()]
  }
}

function numbered(names: Map<string, string>, key: string, letter: string): string {
  const known = names.get(key)
  if (known !== undefined) return known
  const name = `${letter}${names.size}`
  names.set(key, name)
  return name
}
