import { readFileSync } from 'node:fs'
import { sep } from 'node:path'

interface Frame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: Frame
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface FunctionShare {
  readonly name: string
  /** Of the time the thread was busy, in 0 to 1. */
  readonly self: number
  /** With all it called. */
  readonly whole: number
}

/** Functions of a .cpuprofile by their own share of the busy time; wasm functions count as one. */
export function functionShares(file: string): readonly FunctionShare[] {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(
    nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id] as const)),
  )
  const self = new Map<string, number>()
  const whole = new Map<string, number>()
  let busy = 0
  samples.forEach((id, index) => {
    const took = timeDeltas[index] ?? 0
    const leaf = byId.get(id)
    if (leaf === undefined || leaf.callFrame.functionName === '(idle)') return
    // The profiler’s own start.
    if (leaf.callFrame.url === 'node:inspector') return
    busy += took
    add(self, nameOf(leaf.callFrame), took)
    const seen = new Set<string>()
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = byId.get(at)?.callFrame
      if (frame !== undefined) seen.add(nameOf(frame))
    }
    for (const name of seen) add(whole, name, took)
  })
  return [...whole]
    .map(([name, took]) => ({ name, self: (self.get(name) ?? 0) / busy, whole: took / busy }))
    .sort((a, b) => b.self - a.self)
}

function add(sums: Map<string, number>, name: string, took: number): void {
  sums.set(name, (sums.get(name) ?? 0) + took)
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  if (url.startsWith('wasm:')) return 'wasm'
  const place = url === '' ? '' : ` ${url.split(/[/\\]/).slice(-2).join(sep)}:${lineNumber + 1}`
  return `${functionName === '' ? '(anonymous)' : functionName}${place}`
}
