import { rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/** How long an orphaned gate's calls under way may take to end, in ms. */
export const ORPHAN_DRAIN_MS = 10_000

/** A gate whose control died, as its successor finds it. */
export interface Orphan {
  /** Whose chains of the log it writes. */
  readonly boot: string
  /** Has it end its calls under way and give up the address; settles once it was told. */
  relieve(): Promise<void>
}

/**
 * A gate whose control died serves on. Its successor finds it by this socket in the store and has it drain once it is
 * itself ready to take over, so that neither a broken configuration nor the compiling of a good one stops the service.
 */
export const OrphanSocket = {
  serve(store: string, boot: string, drain: () => void): void {
    const path = socketPath(store)
    rmSync(path, { force: true })
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      // Asked who is there, it answers; only a word drains it.
      socket.write(`orphan ${boot}\n`)
      socket.once('data', () => {
        socket.end('draining\n')
        drain()
      })
    })
    const mask = process.umask(0o177)
    const unmask = (): void => void process.umask(mask)
    server.once('error', unmask)
    server.listen(path, unmask)
    server.on('error', () => undefined)
  },

  /** Null where no gate of this store was left alone. */
  find(store: string): Promise<Orphan | null> {
    return new Promise((resolve) => {
      const socket = connect(socketPath(store))
      socket.once('error', () => resolve(null))
      socket.once('end', () => resolve(null))
      socket.once('data', (said) => {
        socket.end()
        const boot = /^orphan ([\w-]{1,64})\n$/.exec(said.toString('latin1'))?.[1] ?? ''
        resolve({ boot, relieve: () => relieve(store) })
      })
    })
  },
}

function relieve(store: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(store), () => socket.write('drain\n'))
    socket.resume()
    // Gone meanwhile is as good as drained.
    socket.once('error', () => resolve())
    socket.once('close', () => resolve())
  })
}

function socketPath(store: string): string {
  return join(store, 'orphan.sock')
}
