import type { OperationPlan } from '../../model/operation.ts'
import { slug, unused } from './names.ts'

/** A role that could be granted by name: the reads or the writes of one tag. */
export interface Role {
  /** The group that has it, and the policy's id: `shop-orders-readers`. */
  readonly name: string
  readonly kind: 'read' | 'write'
  /** Null for operations without a tag. */
  readonly tag: string | null
  /** Operations without a scope that gave rise to it; the role covers all of its tag and kind. */
  readonly operations: readonly OperationPlan[]
}

/** Read and write roles for each tag among the operations; only kinds that occur, as others could never apply. */
export function rolesByTag(api: string, operations: readonly OperationPlan[]): readonly Role[] {
  const byTag = new Map<string | null, OperationPlan[]>()
  for (const plan of operations) {
    for (const tag of tagsOf(plan)) {
      const list = byTag.get(tag)
      if (list === undefined) byTag.set(tag, [plan])
      else list.push(plan)
    }
  }
  const taken = new Set<string>()
  return [...byTag].flatMap(([tag, plans]) => {
    const stem = unused(tag === null ? 'untagged' : slug(tag, 60) || 'tag', taken)
    return (['read', 'write'] as const).flatMap((kind) => {
      const own = plans.filter((plan) => plan.kind === kind)
      return own.length === 0
        ? []
        : [{ name: `${api}-${stem}-${kind === 'read' ? 'readers' : 'writers'}`, kind, tag, operations: own }]
    })
  })
}

/** A tag that is not well-formed Unicode cannot be named by a policy. */
function tagsOf({ tags }: OperationPlan): Iterable<string | null> {
  const nameable = tags.filter((tag) => tag.isWellFormed())
  return nameable.length === 0 ? [null] : new Set(nameable)
}
