/** What one process waits to hear from another: by name, each for a bounded time. */
export class Answers<Message> {
  readonly #waiting = new Map<
    string,
    { readonly resolve: (message: Message) => void; readonly reject: (error: Error) => void }
  >()

  /** Rejects with what `late` gives when nothing came within `withinMs`. */
  expect(name: string, withinMs: number, late: () => Error): Promise<Message> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.fail(name, late()), withinMs)
      this.#waiting.set(name, {
        resolve: (message) => {
          clearTimeout(timer)
          resolve(message)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      })
    })
  }

  /** What nobody waits for is passed over. */
  arrived(name: string, message: Message): void {
    const waiting = this.#waiting.get(name)
    this.#waiting.delete(name)
    waiting?.resolve(message)
  }

  fail(name: string, error: Error): void {
    const waiting = this.#waiting.get(name)
    this.#waiting.delete(name)
    waiting?.reject(error)
  }

  get names(): readonly string[] {
    return [...this.#waiting.keys()]
  }
}
