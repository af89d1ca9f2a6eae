import type { CounterDeltas } from '../processes/messages.ts'

/** Counts by name and then by each label, so that counting builds no text. */
interface Node {
  value: number | null
  readonly below: Map<string, Node>
}

/** A thread's counts since its last report. */
export class Counters {
  #names = new Map<string, Node>()

  /** Bound, so that it can be passed on as a port. */
  readonly add = (name: string, by: number, ...labels: readonly string[]): void => {
    let node = below(this.#names, name)
    for (let i = 0; i < labels.length; i++) node = below(node.below, labels[i] ?? '')
    node.value = (node.value ?? 0) + by
  }

  take(): CounterDeltas {
    const taken: Record<string, number> = {}
    gather(this.#names, '', taken)
    this.#names = new Map()
    return taken
  }
}

function below(nodes: Map<string, Node>, label: string): Node {
  let node = nodes.get(label)
  if (node === undefined) {
    node = { value: null, below: new Map() }
    nodes.set(label, node)
  }
  return node
}

function gather(nodes: ReadonlyMap<string, Node>, before: string, into: Record<string, number>): void {
  for (const [label, { value, below }] of nodes) {
    const key = `${before}${label}`
    if (value !== null) into[key] = (into[key] ?? 0) + value
    gather(below, `${key}|`, into)
  }
}
