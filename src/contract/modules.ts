import { compactCode } from './compact-code.ts'
import type { Shape, ShapeId } from './detail.ts'
import { CALL_FUEL } from './fuel.ts'
import type { LabelId, LabelNode } from './sensitivity/label-node.ts'
import type { GeneratedCheck } from './validators.ts'

export interface GeneratedModule {
  readonly name: string
  readonly source: string
}

/** A gate thread parses one module at a time; this much takes it a few milliseconds. */
const MODULE_CHARACTERS = 65_536

/** The body of a module is a function of `(rt, exports)`: it puts checks, shapes and its link step into `exports`. */
export function emitModules(
  checks: readonly GeneratedCheck[],
  shapes: ReadonlyMap<ShapeId, Shape>,
  labels: Iterable<readonly [LabelId, LabelNode]> = [],
): readonly GeneratedModule[] {
  const modules: GeneratedModule[] = []
  const add = (kind: string, source: string): void => {
    modules.push({ name: `${kind}-${modules.length}`, source })
  }
  for (const group of inGroups(compacted(checks), (check) => check.code.length + sizeOf(check.constants))) {
    add('checks', checkModule(group))
  }
  const texts = [...shapes].map(([id, shape]) => `${id}:${shapeText(shape)}`)
  for (const group of inGroups(texts, (text) => text.length))
    add('shapes', `exports.shapes={${group.join()}}`)
  const labelTexts = [...labels].map(([id, label]) => `${id}:${shapeText(label)}`)
  for (const group of inGroups(labelTexts, (text) => text.length))
    add('labels', `exports.labels={${group.join()}}`)
  return modules
}

/** All of them or none: what calls pass on is what those called take. */
function compacted(checks: readonly GeneratedCheck[]): readonly GeneratedCheck[] {
  const compact: GeneratedCheck[] = []
  for (const check of checks) {
    const code = compactCode(check.code)
    if (code === null) return checks
    compact.push({ ...check, code })
  }
  return compact
}

/** `__proto__` as a plain key of a literal would set the prototype; as a computed one it is a name like others. */
const shapeText = (shape: Shape | LabelNode): string =>
  JSON.stringify(shape).replaceAll('"__proto__":', '["__proto__"]:')

const sizeOf = (constants: GeneratedCheck['constants']): number =>
  constants.reduce((sum, constant) => sum + constant.code.length, 0)

function* inGroups<T>(items: Iterable<T>, size: (item: T) => number): Generator<readonly T[]> {
  let group: T[] = []
  let total = 0
  for (const item of items) {
    const own = size(item)
    if (group.length > 0 && total + own > MODULE_CHARACTERS) {
      yield group
      group = []
      total = 0
    }
    group.push(item)
    total += own
  }
  if (group.length > 0) yield group
}

/** Each function counts its calls, see fuel.ts. */
function withFuel({ name, code }: GeneratedCheck): string {
  const start = code.indexOf('){') + 2
  if (!code.startsWith(`function ${name}(`) || start < 2)
    throw new Error(`check ${name} is not a plain function`)
  return `${code.slice(0, start)}if((fuel.left-=${CALL_FUEL})<0)rt.spent();${code.slice(start)}`
}

function checkModule(checks: readonly GeneratedCheck[]): string {
  const here = new Set(checks.map((check) => check.name))
  const constants = new Map<string, string>()
  const links = new Map<string, string>()
  const foreign = new Set<string>()
  const wrappers = new Set<string>()
  let body = ''
  for (const check of checks) {
    for (const { name, code } of check.constants) constants.set(name, code)
    for (const { as, name, wrapped } of check.calls) {
      if (wrapped) {
        wrappers.add(as)
        links.set(as, `${as}.validate=${here.has(name) ? name : `checks.${name}`}`)
      } else if (!here.has(name)) {
        foreign.add(as)
        links.set(as, `${as}=checks.${name}`)
      }
    }
    body += `${withFuel(check)}\n`
    if (check.evaluated !== undefined) body += `${check.name}.evaluated=${check.evaluated}\n`
  }
  const head = [
    ...[...constants].map(([name, code]) => `const ${name}=${code}`),
    ...[...wrappers].map((name) => `const ${name}={}`),
    ...(foreign.size > 0 ? [`let ${[...foreign].join()}`] : []),
  ]
  return [
    '"use strict"',
    'const {require,fuel}=rt',
    ...head,
    body,
    `exports.checks={${[...here].join()}}`,
    `exports.link=(checks)=>{${[...links.values()].join(';')}}`,
  ].join('\n')
}
