import type { Server } from 'node:http'

/** Starts listening and returns the origin, e.g. `http://127.0.0.1:3000`. Rejects with node's own error. */
export function listen(
  server: Server,
  at: { readonly host: string; readonly port: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, () => {
      server.off('error', reject)
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : at.port
      resolve(`http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${port}`)
    })
  })
}

/** Ends idle and busy connections too: a demo has nothing worth draining. */
export function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
