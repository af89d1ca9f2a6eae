import type { OperationPlan } from '../model/operation.ts'
import { HIDDEN, withoutSecrets } from '../syntax/sensitive/hidden-text.ts'

/**
 * A path as records and logs may hold it: without the values of parameters that have a class, and without what has the
 * form of a token, key or card number wherever it stands (standards 8.7).
 * @param basePath In front of the template.
 */
export function recordedPath(path: string, basePath: string, operation: OperationPlan | null): string {
  const hidden = operation?.hiddenParameters?.filter((each) => each.in === 'path') ?? []
  if (operation === null || hidden.length === 0) return withoutSecrets(path)
  const named = hidden.map(({ name }) => `{${name}}`)
  const expected = operation.template.split('/')
  const given = path.slice(basePath.length).split('/')
  // What cannot be told apart segment by segment is not shown at all.
  if (!path.startsWith(basePath) || given.length !== expected.length)
    return `${basePath}${operation.template}`
  const shown = given.map((segment, index) => {
    const template = expected[index] ?? ''
    return named.some((name) => template.includes(name)) ? HIDDEN : segment
  })
  return withoutSecrets(`${basePath}${shown.join('/')}`)
}

const whole = new WeakMap<readonly string[], readonly string[]>()

/**
 * Attributes that records keep for policies to come, but for those that would hold what is hidden. What a policy reads
 * is kept, sealed, because its decision could not be judged again without it.
 */
export function recordable(extra: readonly string[], operation: OperationPlan | null): readonly string[] {
  if (operation?.hiddenParameters?.some((each) => each.in === 'path') !== true) return extra
  let kept = whole.get(extra)
  if (kept === undefined) {
    kept = extra.filter((path) => path !== 'context.path' && !path.startsWith('resource.params'))
    whole.set(extra, kept)
  }
  return kept
}

/** The operation takes this header field, and its value has a class. */
export function hidesField(operation: OperationPlan | null, name: string): boolean {
  return (
    operation?.hiddenParameters?.some((each) => each.in === 'header' && each.name.toLowerCase() === name) ===
    true
  )
}
