import { type Distinction, isStated } from './distinction.ts'

/**
 * Paths to operations by OpenAPI templates (OpenAPI 3.1 §4.8.8.2): at each segment a literal before a template with
 * literal parts before a whole parameter. Compares canonical segments; an encoded slash is never a separator.
 */
export interface Route<T> {
  readonly template: string
  /** By method; those that ask most of a request first. */
  readonly targets: Map<string, Target<T>[]>
  /** Methods in the order declared. */
  readonly allow: string[]
}

interface Target<T> {
  readonly target: T
  readonly names: readonly string[]
  readonly when: readonly Distinction[]
}

export type RouteResult<T> =
  | { readonly kind: 'match'; readonly target: T; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'method'; readonly allow: readonly string[] }
  | { readonly kind: 'none' }

interface Node<T> {
  readonly literals: Map<string, Node<T>>
  /** Segments such as `{id}.json`, the ones with most literal text first. */
  readonly mixed: { readonly parts: readonly string[]; readonly node: Node<T> }[]
  parameter: Node<T> | undefined
  route: Route<T> | undefined
}

const newNode = <T>(): Node<T> => ({ literals: new Map(), mixed: [], parameter: undefined, route: undefined })
const NONE: { readonly kind: 'none' } = Object.freeze({ kind: 'none' })
const NOTHING: readonly never[] = Object.freeze([])
const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})

export class Router<T> {
  readonly #root: Node<T> = newNode()

  /** Adds `METHOD template`, without `?` and `#`; the first of two equal ones stays. */
  add(method: string, template: string, target: T, when: readonly Distinction[] = NOTHING): void {
    let node = this.#root
    const names: string[] = []
    for (const segment of template.slice(1).split('/')) {
      const { parts, names: own } = splitSegment(segment)
      names.push(...own)
      node = child(node, parts)
    }
    node.route ??= { template, targets: new Map(), allow: [] }
    const targets = node.route.targets.get(method)
    if (targets === undefined) {
      node.route.targets.set(method, [{ target, names, when }])
      node.route.allow.push(method)
    } else if (when.length > 0 || targets.at(-1)?.when.length !== 0) {
      targets.push({ target, names, when })
      targets.sort((a, b) => b.when.length - a.when.length)
    }
  }

  /**
   * `segments`: canonical, below the base path. The first template that fits decides, also where it lacks the method.
   * `query`: decoded pairs; `fields` in wire order: what tells operations of one path apart.
   */
  match(
    method: string,
    segments: readonly string[],
    query: readonly (readonly [string, string])[] = NOTHING,
    fields: readonly string[] = NOTHING,
  ): RouteResult<T> {
    const values: string[] = []
    const route = find(this.#root, segments, 0, values)
    if (route === undefined) return NONE
    const targets = route.targets.get(method)
    if (targets === undefined) return { kind: 'method', allow: route.allow }
    const found = meant(targets, query, fields)
    if (found === undefined) return NONE
    if (found.names.length === 0) return { kind: 'match', target: found.target, params: NO_PARAMS }
    const params: Record<string, string> = Object.create(null)
    found.names.forEach((name, index) => {
      params[name] = decode(values[index] ?? '')
    })
    return { kind: 'match', target: found.target, params }
  }

  /** More than the path tells which operation is meant. */
  distinguishes(method: string, segments: readonly string[]): boolean {
    const targets = find(this.#root, segments, 0, [])?.targets.get(method)
    return targets?.some(({ when }) => when.length > 0) ?? false
  }
}

/**
 * A template's parameters as they stand in the segments of a path that matched it, which are the last ones. Null where
 * the path is not of that form.
 */
export function readParameters(
  template: string,
): (segments: readonly string[]) => ReadonlyMap<string, string> | null {
  const steps = template.slice(1).split('/').map(splitSegment)
  const names = steps.flatMap((step) => step.names)
  return (segments) => {
    const from = segments.length - steps.length
    if (from < 0) return null
    const values: string[] = []
    for (let i = 0; i < steps.length; i++) {
      const { parts, names: own } = steps[i] ?? { parts: [], names: [] }
      if (own.length > 0 && !takeParts(segments[from + i] ?? '', parts, values)) return null
    }
    return new Map(names.map((name, index) => [name, values[index] ?? '']))
  }
}

function meant<T>(
  targets: readonly Target<T>[],
  query: readonly (readonly [string, string])[],
  fields: readonly string[],
): Target<T> | undefined {
  for (const target of targets) {
    if (target.when.length === 0 || isStated(target.when, query, fields)) return target
  }
  return undefined
}

/** Literal parts around the parameters: `a{x}b` gives `['a', 'b']`, a literal gives one part. */
function splitSegment(segment: string): { parts: string[]; names: string[] } {
  const names: string[] = []
  const parts: string[] = []
  let from = 0
  for (const match of segment.matchAll(/\{([^{}]*)\}/g)) {
    parts.push(canonical(segment.slice(from, match.index)))
    names.push(match[1] ?? '')
    from = match.index + match[0].length
  }
  parts.push(canonical(segment.slice(from)))
  return { parts, names }
}

/** A template's literal text in the form of canonical segments: what is not allowed in a path is encoded. */
function canonical(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}|[^%]|%/gu, (unit) => {
    if (unit.length === 3 && unit.startsWith('%')) {
      const character = String.fromCharCode(Number.parseInt(unit.slice(1), 16))
      return /[A-Za-z0-9\-._~]/.test(character) ? character : unit.toUpperCase()
    }
    return /[A-Za-z0-9\-._~!$&'()*+,=:@]/.test(unit) ? unit : encodeURIComponent(unit.toWellFormed())
  })
}

function child<T>(node: Node<T>, parts: readonly string[]): Node<T> {
  const [first = ''] = parts
  if (parts.length === 1) {
    let next = node.literals.get(first)
    if (next === undefined) {
      next = newNode()
      node.literals.set(first, next)
    }
    return next
  }
  if (parts.length === 2 && parts.every((part) => part === '')) {
    node.parameter ??= newNode()
    return node.parameter
  }
  const known = node.mixed.find(
    (entry) => entry.parts.length === parts.length && entry.parts.every((p, i) => p === parts[i]),
  )
  if (known !== undefined) return known.node
  const entry = { parts, node: newNode<T>() }
  node.mixed.push(entry)
  node.mixed.sort((a, b) => b.parts.join('').length - a.parts.join('').length)
  return entry.node
}

/** Visits each node of the tree at most once, since a node has one depth. */
function find<T>(
  node: Node<T>,
  segments: readonly string[],
  at: number,
  values: string[],
): Route<T> | undefined {
  const segment = segments[at]
  if (segment === undefined) return node.route
  const literal = node.literals.get(segment)
  if (literal !== undefined) {
    const route = find(literal, segments, at + 1, values)
    if (route !== undefined) return route
  }
  const mark = values.length
  for (const { parts, node: next } of node.mixed) {
    if (takeParts(segment, parts, values)) {
      const route = find(next, segments, at + 1, values)
      if (route !== undefined) return route
    }
    values.length = mark
  }
  if (node.parameter !== undefined && segment !== '') {
    values.push(segment)
    const route = find(node.parameter, segments, at + 1, values)
    if (route !== undefined) return route
    values.length = mark
  }
  return undefined
}

/** Each parameter takes as little as it can, but one character; the last literal must be the segment's end. */
function takeParts(segment: string, parts: readonly string[], values: string[]): boolean {
  const first = parts[0] ?? ''
  const last = parts[parts.length - 1] ?? ''
  if (!segment.startsWith(first) || !segment.endsWith(last)) return false
  let at = first.length
  for (let i = 1; i < parts.length - 1; i++) {
    const part = parts[i] ?? ''
    const next = segment.indexOf(part, at + 1)
    if (next < 0) return false
    values.push(segment.slice(at, next))
    at = next + part.length
  }
  const end = segment.length - last.length
  if (end <= at) return false
  values.push(segment.slice(at, end))
  return true
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    // A literal part may have cut an escape in two, as in `{a}2{b}`; then the value stays as it stood.
    return segment
  }
}
