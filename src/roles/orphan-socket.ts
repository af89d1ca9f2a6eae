import { rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/**
 * A gate whose control died serves on. Its successor finds it by this socket in the store and has it drain, so that
 * two gates never share the port for longer than their calls under way.
 */
export const OrphanSocket = {
  serve(store: string, drain: () => void): void {
    const path = socketPath(store)
    rmSync(path, { force: true })
    const server = createServer((socket) => {
      socket.end('draining\n')
      drain()
    })
    server.on('error', () => undefined)
    const umask = process.umask(0o177)
    server.listen(path, () => process.umask(umask))
  },

  /** Resolves true once an orphaned gate of this store was told to drain. */
  relieve(store: string): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(socketPath(store))
      socket.once('error', () => resolve(false))
      socket.once('data', () => undefined)
      socket.once('close', (failed) => resolve(!failed))
    })
  },
}

function socketPath(store: string): string {
  return join(store, 'orphan.sock')
}
