/**
 * Applies an Overlay (Overlay Specification 1.0.0, §4.4.3) to a document, for tests: written from the specification
 * alone, with no part of what writes patches. Targets are normalized paths (RFC 9535 §2.7), which select one node.
 */
export function applyOverlay(document: unknown, overlay: unknown): unknown {
  const result: unknown = structuredClone(document)
  const { overlay: version, actions } = overlay as { overlay: string; actions: readonly Action[] }
  if (version !== '1.0.0') throw new Error(`overlay ${version}`)
  for (const { target, update, remove } of actions) {
    const path = normalizedPath(target)
    const parent = path.slice(0, -1).reduce<unknown>(step, result)
    const last = path.at(-1)
    const node = last === undefined ? result : step(parent, last)
    if (node === undefined) throw new Error(`${target} selects nothing`)
    if (remove === true) {
      if (last === undefined) throw new Error('the root is removed')
      if (Array.isArray(parent)) parent.splice(Number(last), 1)
      else delete (parent as Record<string, unknown>)[last]
    } else if (Array.isArray(node)) node.push(structuredClone(update))
    else merge(node as Record<string, unknown>, update as Readonly<Record<string, unknown>>)
  }
  return result
}

interface Action {
  readonly target: string
  readonly update?: unknown
  readonly remove?: boolean
}

/** RFC 9535 §2.3: an index selects of arrays alone, a name of objects alone. */
function step(at: unknown, name: string | number): unknown {
  if (Array.isArray(at) !== (typeof name === 'number')) return undefined
  return (at as Record<string | number, unknown>)[name]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Tools differ on arrays inside an update (1.0.0 does not say): one here would make the patch mean two things. */
function merge(into: Record<string, unknown>, update: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(update)) {
    const known = Object.hasOwn(into, name) ? into[name] : undefined
    if (Array.isArray(known)) throw new Error(`an array is updated inside an object: ${name}`)
    if (isObject(known) && isObject(value)) merge(known, value)
    else
      Object.defineProperty(into, name, {
        value: structuredClone(value),
        enumerable: true,
        writable: true,
        configurable: true,
      })
  }
}

/** RFC 9535 §2.7: `$['name'][0]`. */
export function normalizedPath(text: string): readonly (string | number)[] {
  const path: (string | number)[] = []
  const pattern = /\[(?:(0|[1-9][0-9]*)|'((?:[^'\\]|\\.)*)')\]/y
  if (text[0] !== '$') throw new Error(`${text} is no path`)
  pattern.lastIndex = 1
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (match === null) throw new Error(`${text} is no normalized path`)
    const [, index, name] = match
    path.push(
      index === undefined
        ? JSON.parse(`"${(name ?? '').replaceAll("\\'", "'").replaceAll('"', '\\"')}"`)
        : Number(index),
    )
  }
  return path
}
