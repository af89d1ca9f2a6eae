import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

export type Judgement =
  | { readonly fast: readonly boolean[]; readonly slow: readonly boolean[] | null }
  | { readonly unreadable: string }

/** The other validators (judge.py), in a process of their own; one question at a time. */
export class Judge {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  constructor(python: string) {
    const script = `${import.meta.dirname}/judge.py`
    this.#child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async read(document: string): Promise<void> {
    this.#child.stdin.write(`${JSON.stringify({ document })}\n`)
    await this.#line()
  }

  async ask(pointer: string, values: readonly unknown[], both: boolean): Promise<Judgement> {
    this.#child.stdin.write(`${JSON.stringify({ pointer, values, both })}\n`)
    return JSON.parse(await this.#line()) as Judgement
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('the judge ended')
    return value
  }

  close(): void {
    this.#child.stdin.end()
  }
}
