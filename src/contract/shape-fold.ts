import { FORBIDDEN_SHAPE, type Shape, type ShapeId } from './detail.ts'

export interface FoldedShapes {
  readonly shapes: ReadonlyMap<ShapeId, Shape>
  /** The number that stands for a shape now. */
  readonly resolve: (id: ShapeId) => ShapeId
}

/** Folds all shapes that let everything through, at their place and below, into 0. */
export function foldShapes(shapes: readonly Shape[]): FoldedShapes {
  const tight = tightShapes(shapes)
  const resolve = (id: ShapeId): ShapeId => (tight[id] === 1 || id === FORBIDDEN_SHAPE ? id : 0)
  const folded = new Map<ShapeId, Shape>()
  shapes.forEach((shape, id) => {
    if (tight[id] === 1) folded.set(id, renumber(shape, resolve))
  })
  return { shapes: folded, resolve }
}

/** 1 where something can be undeclared at the shape or below: a declared name leaves no room for its twins. */
function tightShapes(shapes: readonly Shape[]): Uint8Array {
  const tight = new Uint8Array(shapes.length)
  const parents = new Map<ShapeId, ShapeId[]>()
  const queue: ShapeId[] = []
  shapes.forEach((shape, id) => {
    for (const child of children(shape)) {
      const known = parents.get(child)
      if (known === undefined) parents.set(child, [id])
      else known.push(id)
    }
    if (
      id > 0 &&
      shape.p !== undefined &&
      (shape.r === undefined || Object.keys(shape.p).length > 0 || children(shape).includes(FORBIDDEN_SHAPE))
    ) {
      tight[id] = 1
      queue.push(id)
    }
  })
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const parent of parents.get(id) ?? []) {
      if (tight[parent] === 1) continue
      tight[parent] = 1
      queue.push(parent)
    }
  }
  tight[0] = 0
  return tight
}

function children(shape: Shape): readonly ShapeId[] {
  return [
    ...Object.values(shape.p ?? {}),
    ...(shape.q ?? []).map(([, id]) => id),
    ...(shape.r === undefined ? [] : [shape.r]),
    ...(shape.i === undefined ? [] : [shape.i]),
    ...(shape.t ?? []),
  ]
}

function renumber(shape: Shape, resolve: (id: ShapeId) => ShapeId): Shape {
  const out: { -readonly [K in keyof Shape]: Shape[K] } = {}
  if (shape.p !== undefined) {
    const p: Record<string, ShapeId> = Object.create(null)
    for (const [name, id] of Object.entries(shape.p)) p[name] = resolve(id)
    out.p = p
  }
  if (shape.q !== undefined) out.q = shape.q.map(([text, id]) => [text, resolve(id)])
  if (shape.r !== undefined) out.r = resolve(shape.r)
  if (shape.i !== undefined) out.i = resolve(shape.i)
  if (shape.t !== undefined) out.t = shape.t.map(resolve)
  return out
}
