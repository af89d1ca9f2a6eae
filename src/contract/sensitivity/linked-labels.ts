import { compilePattern, mayFit, type Pattern } from '../pattern.ts'
import type { ItemLabels, LabelDetail, LabelId, LabelNode } from './label-node.ts'

/** A label linked to those below it. */
export interface LinkedLabels {
  classes: readonly string[]
  /** Contract places whose field rules hold here. */
  places: readonly string[]
  nullable: boolean
  required: ReadonlySet<string>
  names: ReadonlyMap<string, LinkedLabels | null>
  patterns: readonly (readonly [Pattern, LinkedLabels | null])[]
  /** Of names that meet several patterns. */
  overlap: LinkedLabels | null
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
        overlap: null,
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
    const items = Object.entries(detail?.items ?? {}).map(
      ([status, { label, within }]) => [status, { labels: this.label(label), within }] as const,
    )
    return new AnswerLabels(new Map(byStatus), detail?.json ?? false, new Map(items))
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
    label.overlap = node.o === undefined ? null : this.label(node.o)
    label.others = node.r === undefined ? null : this.label(node.r)
    label.items = node.i === undefined ? null : this.label(node.i)
    label.prefix = (node.t ?? NONE).map((below) => this.label(below))
  }
}

/** Labels of one item of a sequence; `within`: see `ItemLabels`. */
export interface LinkedItemLabels extends Pick<ItemLabels, 'within'> {
  readonly labels: LinkedLabels | null
}

/** Of what is no sequence. */
export const NO_ITEM: LinkedItemLabels = Object.freeze({ labels: null, within: NONE })

/** Of one operation; `json`: pointers may point into its answers. */
export class AnswerLabels {
  readonly json: boolean
  readonly #byStatus: ReadonlyMap<string, LinkedLabels | null>
  readonly #items: ReadonlyMap<string, LinkedItemLabels>

  constructor(
    byStatus: ReadonlyMap<string, LinkedLabels | null>,
    json: boolean,
    items: ReadonlyMap<string, LinkedItemLabels>,
  ) {
    this.#byStatus = byStatus
    this.json = json
    this.#items = items
  }

  of(status: number): LinkedLabels | null {
    return ofStatus(this.#byStatus, status) ?? null
  }

  ofItem(status: number): LinkedItemLabels {
    return ofStatus(this.#items, status) ?? NO_ITEM
  }
}

/** As for contents (OpenAPI 3.1 §4.8.16): the status's own, its class's, else `default`. */
function ofStatus<T>(byStatus: ReadonlyMap<string, T>, status: number): T | undefined {
  if (byStatus.size === 0) return undefined
  return (
    byStatus.get(String(status)) ?? byStatus.get(`${Math.trunc(status / 100)}XX`) ?? byStatus.get('default')
  )
}

/** What is labelled below a name of an object. */
export function labelsFor(name: string, labels: LinkedLabels): LinkedLabels | null {
  const named = labels.names.get(name)
  if (named !== undefined) return named
  let met = 0
  let found: LinkedLabels | null = null
  for (const [pattern, below] of labels.patterns) {
    if (!mayFit(pattern, name)) continue
    met++
    found = below
  }
  return met === 0 ? labels.others : met === 1 ? found : labels.overlap
}

/** What is labelled of an array's element. */
export function labelsAt(index: number, labels: LinkedLabels): LinkedLabels | null {
  return index < labels.prefix.length ? (labels.prefix[index] ?? null) : labels.items
}
