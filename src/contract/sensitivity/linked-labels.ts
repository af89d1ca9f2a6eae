import { compilePattern, type Pattern } from '../pattern.ts'
import type { LabelDetail, LabelId, LabelNode } from './label-node.ts'

/** A label linked to those below it. */
export interface LinkedLabels {
  classes: readonly string[]
  /** Contract places whose field rules hold here. */
  places: readonly string[]
  nullable: boolean
  required: ReadonlySet<string>
  names: ReadonlyMap<string, LinkedLabels | null>
  patterns: readonly (readonly [Pattern, LinkedLabels | null])[]
  others: LinkedLabels | null
  items: LinkedLabels | null
  prefix: readonly (LinkedLabels | null)[]
}

const NO_NAMES: ReadonlySet<string> = new Set()
const NO_LABELS: ReadonlyMap<string, LinkedLabels | null> = new Map()
const NONE: readonly never[] = Object.freeze([])

/** Labels refer to one another in circles and ahead: one is made at first mention and filled when it comes. */
export class LabelLinker {
  readonly #labels = new Map<LabelId, LinkedLabels>()

  add(labels: Readonly<Record<string, LabelNode>>): void {
    for (const [id, node] of Object.entries(labels)) this.#fill(Number(id), node)
  }

  label(id: LabelId): LinkedLabels | null {
    if (id === 0) return null
    let label = this.#labels.get(id)
    if (label === undefined) {
      label = {
        classes: NONE,
        places: NONE,
        nullable: false,
        required: NO_NAMES,
        names: NO_LABELS,
        patterns: NONE,
        others: null,
        items: null,
        prefix: NONE,
      }
      this.#labels.set(id, label)
    }
    return label
  }

  /** Labels of an operation's answers, by status. */
  answers(detail: LabelDetail | undefined): AnswerLabels {
    const byStatus = Object.entries(detail?.answers ?? {}).map(
      ([status, id]) => [status, this.label(id)] as const,
    )
    return new AnswerLabels(new Map(byStatus), detail?.json ?? false)
  }

  #fill(id: LabelId, node: LabelNode): void {
    const label = this.label(id)
    if (label === null) return
    label.classes = node.c ?? NONE
    label.places = node.f ?? NONE
    label.nullable = node.z === 1
    if (node.m !== undefined) label.required = new Set(node.m)
    if (node.p !== undefined)
      label.names = new Map(Object.entries(node.p).map(([name, below]) => [name, this.label(below)]))
    label.patterns = (node.q ?? NONE).flatMap(([text, below]) => {
      const pattern = compilePattern(text)
      return pattern === null ? [] : [[pattern, this.label(below)] as const]
    })
    label.others = node.r === undefined ? null : this.label(node.r)
    label.items = node.i === undefined ? null : this.label(node.i)
    label.prefix = (node.t ?? NONE).map((below) => this.label(below))
  }
}

/** Of one operation; `json`: pointers may point into its answers. */
export class AnswerLabels {
  readonly json: boolean
  readonly #byStatus: ReadonlyMap<string, LinkedLabels | null>

  constructor(byStatus: ReadonlyMap<string, LinkedLabels | null>, json: boolean) {
    this.#byStatus = byStatus
    this.json = json
  }

  /** As for contents (OpenAPI 3.1 §4.8.16): the status's own, its class's, else `default`. */
  of(status: number): LinkedLabels | null {
    const labels = this.#byStatus
    if (labels.size === 0) return null
    return (
      labels.get(String(status)) ??
      labels.get(`${Math.trunc(status / 100)}XX`) ??
      labels.get('default') ??
      null
    )
  }
}

/** What is labelled below a name of an object. */
export function labelsFor(name: string, labels: LinkedLabels): LinkedLabels | null {
  const named = labels.names.get(name)
  if (named !== undefined) return named
  for (const [pattern, below] of labels.patterns) if (below !== null && pattern.test(name)) return below
  return labels.others
}

/** What is labelled of an array's element. */
export function labelsAt(index: number, labels: LinkedLabels): LinkedLabels | null {
  return index < labels.prefix.length ? (labels.prefix[index] ?? null) : labels.items
}
