import { MessageChannel, type MessagePort, type Transferable } from 'node:worker_threads'
import { SallyportError } from '../model/errors.ts'
import type { SyncHandle, SyncPort } from './segment.ts'
import {
  FILE,
  newBell,
  ringSoftly,
  ringUrgently,
  type SyncAnswer,
  type SyncerData,
  type SyncerLink,
  type SyncerOrder,
  type SyncRequest,
} from './syncer-link.ts'

/** The syncer's worker entry, in sources and in the compiled package. */
export function syncerEntry(): URL {
  return new URL(import.meta.filename.endsWith('.ts') ? './syncer.ts' : './syncer.js', import.meta.url)
}

/** The gate process's end of the syncer: start the worker with `data`, then hand each thread a link. */
export class SyncerHub {
  readonly data: SyncerData = { bell: newBell() }
  readonly #bell = new Int32Array(this.data.bell)

  /** A link for one thread; its port goes into the thread's transfer list. */
  connect(worker: SyncerWorker): SyncerLink {
    const { port1, port2 } = new MessageChannel()
    const order: SyncerOrder = { kind: 'connect', port: port2 }
    worker.postMessage(order, [port2])
    ringUrgently(this.#bell)
    return { port: port1, bell: this.data.bell }
  }

  /** The worker syncs what is left and ends by itself. */
  stop(worker: SyncerWorker): void {
    const order: SyncerOrder = { kind: 'stop' }
    worker.postMessage(order)
    ringUrgently(this.#bell)
  }
}

export interface SyncerWorker {
  postMessage(value: unknown, transfer?: readonly Transferable[]): void
}

interface Waiter {
  readonly upTo: number
  readonly resolve: () => void
  readonly reject: (error: SallyportError) => void
}

interface Watched {
  readonly path: string
  readonly state: Int32Array
  waiters: Waiter[]
}

/** A gate thread's end of the syncer. */
export class SyncerClient implements SyncPort {
  readonly #port: MessagePort
  readonly #bell: Int32Array
  readonly #files = new Map<number, Watched>()
  #lastId = 0
  #waiting = 0
  #gone = false

  constructor(link: SyncerLink) {
    this.#port = link.port
    this.#bell = new Int32Array(link.bell)
    this.#port.on('message', (answer: SyncAnswer) => this.#take(answer))
    this.#port.on('close', () => this.#lose())
    this.#port.unref()
  }

  watch(path: string): SyncHandle {
    const id = ++this.#lastId
    const shared = new SharedArrayBuffer(FILE.words * 4)
    const file: Watched = { path, state: new Int32Array(shared), waiters: [] }
    this.#files.set(id, file)
    const request: SyncRequest = { id, path, state: shared }
    this.#port.postMessage(request)
    ringUrgently(this.#bell)
    if (this.#gone) Atomics.store(file.state, FILE.failed, 1)
    const bell = this.#bell
    const { state } = file
    return {
      wrote(size) {
        Atomics.store(state, FILE.written, size)
        ringSoftly(bell)
      },
      synced: (upTo) => this.#synced(file, upTo),
      get failed() {
        return Atomics.load(state, FILE.failed) === 1
      },
      close: () => {
        Atomics.store(state, FILE.closing, 1)
        ringUrgently(bell)
        if (file.waiters.length === 0) this.#files.delete(id)
      },
    }
  }

  close(): void {
    this.#port.close()
  }

  #synced(file: Watched, upTo: number): Promise<void> {
    if (Atomics.load(file.state, FILE.synced) >= upTo) return Promise.resolve()
    if (Atomics.load(file.state, FILE.failed) === 1) return Promise.reject(unsynced(file.path, 'EIO'))
    return new Promise((resolve, reject) => {
      file.waiters.push({ upTo, resolve, reject })
      if (this.#waiting++ === 0) this.#port.ref()
      Atomics.store(file.state, FILE.awaited, 1)
      ringUrgently(this.#bell)
    })
  }

  #take(answer: SyncAnswer): void {
    const file = this.#files.get(answer.id)
    if (file === undefined) return
    const waiters = file.waiters
    if ('error' in answer) {
      file.waiters = []
      for (const waiter of waiters) waiter.reject(unsynced(file.path, answer.error))
    } else {
      file.waiters = waiters.filter((waiter) => waiter.upTo > answer.synced)
      for (const waiter of waiters) if (waiter.upTo <= answer.synced) waiter.resolve()
    }
    this.#settled(waiters.length - file.waiters.length)
    if (file.waiters.length > 0) {
      Atomics.store(file.state, FILE.awaited, 1)
      ringUrgently(this.#bell)
    } else if (Atomics.load(file.state, FILE.closing) === 1) this.#files.delete(answer.id)
  }

  /** The syncer is gone: nothing more gets to the disk in time, so nothing is promised. */
  #lose(): void {
    this.#gone = true
    for (const file of this.#files.values()) {
      Atomics.store(file.state, FILE.failed, 1)
      const waiters = file.waiters
      file.waiters = []
      for (const waiter of waiters) waiter.reject(unsynced(file.path, 'syncer-gone'))
      this.#settled(waiters.length)
    }
  }

  #settled(count: number): void {
    this.#waiting -= count
    if (count > 0 && this.#waiting === 0) this.#port.unref()
  }
}

function unsynced(path: string, code: string): SallyportError {
  return new SallyportError('audit-write-failed', `The record in ${path} did not get to the disk: ${code}`, {
    file: path,
    code,
  })
}
