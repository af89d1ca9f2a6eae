import type { Server, Socket } from 'node:net'
import type { Random } from '../../model/ports.ts'
import { type Cidr, holdsAddress, parseCidr } from '../../syntax/cidr.ts'
import { parseIp } from '../../syntax/ip.ts'
import type { Gate } from '../gate.ts'

/** A place where others ask for decisions. */
export interface DecisionPoint {
  /** Rejects with node's EADDRINUSE or EACCES. */
  listen(shared: boolean): Promise<void>
  drain(withinMs: number): Promise<void>
}

/** What a decision point works with. */
export interface DecisionPorts {
  readonly gate: Gate
  readonly random: Random
}

/** The log says at most this often that someone asked who may not, in ms. */
const FOREIGN_EVERY_MS = 60_000
/** While draining, in ms: no newcomer for so long means an empty queue; at most so long for that. */
const QUIET_MS = 20
const QUEUE_MS = 500

/** What servers of decision points have in common: who may connect, listening, and ending without refusing anyone. */
export class DecisionServer {
  readonly #key: string
  readonly #gate: Gate
  readonly #peers: readonly Cidr[]
  #foreignAt = Number.NEGATIVE_INFINITY
  #lastAccept = 0
  #draining = false
  underWay = 0

  constructor(key: string, peers: readonly string[], gate: Gate) {
    this.#key = key
    this.#gate = gate
    this.#peers = peers.map(parseCidr).filter((peer) => peer !== null)
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Ends connections of those who may not ask before a byte of theirs is read. */
  guard(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#lastAccept = performance.now()
      if (!this.#admits(socket)) socket.destroy()
    })
  }

  listen(server: Server, host: string, port: number, shared: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, reusePort: shared, backlog: 1024 }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  }

  /** As the HTTP entrance drains: the queue is emptied first, then what is under way ends. */
  async drain(server: Server, withinMs: number, ends: { letGo(): void; cut(): void }): Promise<void> {
    this.#draining = true
    const deadline = performance.now() + withinMs
    const emptied = Math.min(performance.now() + QUEUE_MS, deadline)
    while (performance.now() - this.#lastAccept < QUIET_MS && performance.now() < emptied) await pause(5)
    server.close()
    ends.letGo()
    while (this.underWay > 0 && performance.now() < deadline) await pause(10)
    ends.cut()
  }

  #admits(socket: Socket): boolean {
    const { remoteAddress = '' } = socket
    const address = parseIp(remoteAddress)
    if (address !== null && this.#peers.some((peer) => holdsAddress(peer, address.bytes))) return true
    const now = performance.now()
    if (now - this.#foreignAt > FOREIGN_EVERY_MS) {
      this.#foreignAt = now
      this.#gate.fault(
        this.#key,
        'a connection',
        new Error(`${remoteAddress} is not among peers: it was ended`),
      )
    }
    return false
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
