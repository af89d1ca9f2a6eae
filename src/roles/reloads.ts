/**
 * One reload at a time. An order that comes while one runs gets the next one's result: what it is about may have been
 * written after the running one had read it. Those that wait share one, which names all who asked for it.
 */
export class Reloads<Result> {
  readonly #load: (why: string) => Promise<Result>
  readonly #whys = new Set<string>()
  #running: Promise<Result> | null = null
  #next: Promise<Result> | null = null

  constructor(load: (why: string) => Promise<Result>) {
    this.#load = load
  }

  ask(why: string): Promise<Result> {
    if (this.#running === null) {
      this.#running = this.#load(why).finally(() => {
        this.#running = null
      })
      return this.#running
    }
    this.#whys.add(why)
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        const whys = [...this.#whys].join(', ')
        this.#whys.clear()
        this.#next = null
        return this.ask(whys)
      })
    return this.#next
  }

  /** Settles when none runs or waits any more. */
  async idle(): Promise<void> {
    for (let last = this.#next ?? this.#running; last !== null; last = this.#next ?? this.#running)
      await last.catch(() => undefined)
  }
}
