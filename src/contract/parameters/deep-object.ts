import type { TextShape } from '../detail.ts'
import type { TextNode } from './read-text.ts'

/**
 * Style deepObject: `filter[colour]=red`. OpenAPI defines it for members that are scalars. What clients write beyond
 * that is read where the schema has an object or an array there, and nowhere else: `filter[a][b]=1`, and for arrays
 * `filter[a]=1&filter[a]=2`, `filter[a][]=1`, or `filter[a][0]=1` with indexes counting up from 0.
 */
export type DeepPath = readonly string[]

/** The steps of `[a][b]`, which follow the parameter's name; null where brackets do not pair up. */
export function deepPath(brackets: string): DeepPath | null {
  if (!brackets.startsWith('[') || !brackets.endsWith(']')) return null
  const steps = brackets.slice(1, -1).split('][', MAX_STEPS + 1)
  return steps.length > MAX_STEPS || steps.some((step) => /[[\]]/.test(step)) ? null : steps
}

/** Two more than the levels that are read, for the forms of arrays. */
const MAX_STEPS = 7

/** Whether the schema has a place for a path, whatever its value. */
export function isDeclared(shape: TextShape, path: DeepPath): boolean {
  let at: TextShape | undefined = shape
  for (const step of path) {
    if (at === undefined) return false
    const { members, others, items }: TextShape = at
    if (members !== undefined && Object.hasOwn(members, step)) at = members[step]
    else if (items !== undefined && (step === '' || INDEX.test(step))) at = items
    else at = step === '' ? undefined : others
  }
  return at !== undefined
}

const INDEX = /^(?:0|[1-9][0-9]{0,3})$/

type Branch = Map<string, Branch | string[]>

/** One tree of all pairs, or the rule it breaks: `repeated` scalars, or `nested` where scalar and object meet. */
export function readDeep(
  shape: TextShape,
  pairs: readonly { readonly path: DeepPath; readonly value: string }[],
): TextNode | 'repeated' | 'nested' {
  const root: Branch = new Map()
  for (const { path, value } of pairs) {
    let at = root
    for (let i = 0; i < path.length - 1; i++) {
      const step = path[i] ?? ''
      let next = at.get(step)
      if (next === undefined) {
        next = new Map()
        at.set(step, next)
      }
      if (!(next instanceof Map)) return 'nested'
      at = next
    }
    const last = path[path.length - 1] ?? ''
    const known = at.get(last)
    if (known instanceof Map) return 'nested'
    if (known === undefined) at.set(last, [value])
    else known.push(value)
  }
  return settle(root, shape)
}

function settle(branch: Branch, shape: TextShape | undefined): TextNode | 'repeated' | 'nested' {
  if (shape?.items !== undefined && isList(branch)) {
    const items: TextNode[] = []
    for (const [step, inner] of branch) {
      if (!(inner instanceof Map)) {
        if (step !== '' && inner.length > 1) return 'repeated'
        items.push(...inner)
        continue
      }
      // `[][a]=1&[][b]=2` is one item to some readers and two to others.
      if (step === '') return 'nested'
      const item = settle(inner, shape.items)
      if (item === 'repeated' || item === 'nested') return item
      items.push(item)
    }
    return items
  }
  const members = new Map<string, TextNode>()
  for (const [step, inner] of branch) {
    if (step === '') return 'nested'
    const own = shape?.members === undefined ? undefined : memberShape(shape.members, step)
    const at = own ?? shape?.others
    if (inner instanceof Map) {
      const node = settle(inner, at)
      if (node === 'repeated' || node === 'nested') return node
      members.set(step, node)
    } else if (at?.items !== undefined && (inner.length > 1 || at.types.length === 0))
      members.set(step, inner)
    else if (inner.length > 1) return 'repeated'
    else members.set(step, inner[0] ?? '')
  }
  return members
}

const memberShape = (members: Readonly<Record<string, TextShape>>, name: string): TextShape | undefined =>
  Object.hasOwn(members, name) ? members[name] : undefined

/** `[]` alone, or `[0]`, `[1]`… in order: gaps and other orders are filled in or sorted by some readers. */
function isList(branch: Branch): boolean {
  if (branch.has('')) return branch.size === 1
  let next = 0
  for (const step of branch.keys()) if (step !== String(next++)) return false
  return true
}
