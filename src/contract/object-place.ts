import type { ObjectPlan } from '../model/operation.ts'
import { escapePointer } from '../syntax/json-pointer.ts'
import { nearest } from '../syntax/nearest.ts'
import type { ContractWarning, OperationDetail, Shape, ShapeId } from './detail.ts'
import type { MessagePlan } from './message-plan.ts'
import { compilePattern, surelyFits } from './pattern.ts'

type Place = { readonly declared: true } | { readonly declared: false; readonly meant: string | null }

/**
 * Warns where an object rule's owner or tenant stands in none of the JSON that a GET may answer with: many upstreams
 * send a field their contract keeps silent about, and it is read all the same, but it may as well be misspelt.
 */
export function warnUndeclared(
  object: ObjectPlan,
  { answers }: MessagePlan,
  detail: OperationDetail,
  shapes: ReadonlyMap<ShapeId, Shape>,
  warn: (warning: ContractWarning) => void,
): void {
  const good = Object.keys(detail.answers).filter((status) => status.startsWith('2'))
  const contents = good.flatMap((status) =>
    (detail.answers[status] ?? []).flatMap(({ json, shape }, index) =>
      json ? [{ shape, pointer: answers[status]?.[index]?.pointer ?? '' }] : [],
    ),
  )
  const [first] = contents
  if (first === undefined) return
  for (const name of ['owner', 'tenant'] as const) {
    const field = object[name]
    if (field === undefined) continue
    const path = object.items === undefined ? field : [...object.items.at, '0', ...field]
    const places = contents.map(({ shape }) => placeOf(path, shape, shapes))
    if (places.some(({ declared }) => declared)) continue
    const meant = places.flatMap((place) => (place.declared || place.meant === null ? [] : [place.meant]))[0]
    const hint = meant === undefined ? 'check its spelling.' : `did you mean ${meant}?`
    const message = `objects.${object.type}.${name} is ${pointerOf(path)}, which this answer does not declare: ${hint} If the upstream sends it, it is read and not passed on`
    warn({ code: 'object-undeclared', pointer: first.pointer, message })
  }
}

/** Whether a value may stand at the place; where not, the nearest one that may, as a pointer. */
function placeOf(path: readonly string[], root: ShapeId, shapes: ReadonlyMap<ShapeId, Shape>): Place {
  let id = root
  for (const [index, name] of path.entries()) {
    const shape = shapes.get(id)
    // Nothing is undeclared from here on.
    if (shape === undefined) return { declared: true }
    const next = below(name, shape)
    if (next === undefined) {
      const near = nearest(name, Object.keys(shape.p ?? {}))
      return { declared: false, meant: near === null ? null : pointerOf([...path.slice(0, index), near]) }
    }
    id = next
  }
  return { declared: true }
}

function below(name: string, { p, q, r, i, t }: Shape): ShapeId | undefined {
  if (p !== undefined && Object.hasOwn(p, name)) return p[name]
  const fits = q?.find(([text]) => {
    const pattern = compilePattern(text)
    return pattern !== null && surelyFits(pattern, name)
  })
  if (fits !== undefined) return fits[1]
  return /^[0-9]+$/.test(name) ? (t?.[Number(name)] ?? i ?? r) : r
}

const pointerOf = (path: readonly string[]): string =>
  path.map((segment) => `/${escapePointer(segment)}`).join('')
