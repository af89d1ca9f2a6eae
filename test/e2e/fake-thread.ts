import { type AddressInfo, createServer } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import type { ThreadCommand, ThreadReport } from '../../src/processes/messages.ts'

// A gate thread's side of the channel without a gate: does as it is told, tells what it was told, and fails in the
// way the name of a bundle's file says.

const { index }: { index: number } = workerData
let file = ''
const report = (message: ThreadReport): void => parentPort?.postMessage(message)
const told: string[] = []
const server = createServer()

parentPort?.on('message', (command: ThreadCommand) => {
  told.push(command.type === 'state' ? `state ${command.state.type}` : command.type)
  switch (command.type) {
    case 'state':
      if (command.state.type === 'addresses' && `exhaust-${index}` in command.state.table) exhaust()
      return
    case 'revoke':
      told.push(...command.revocations.map((each) => (each.kind === 'token' ? each.key : each.sub)))
      report({ type: 'applied', sequence: command.sequence })
      return
    case 'canary':
      report({ type: 'applied', sequence: command.sequence })
      return
    case 'prepare': {
      const { epoch, bundle } = command
      file = bundle.file
      if (bundle.file === `dies-${index}`) process.exit(3)
      if (bundle.file === `fails-${index}`)
        return report({ type: 'prepare-failed', epoch, message: 'spoilt' })
      const ms = bundle.file === `slow-${index}` ? 300 : 0
      setTimeout(() => report({ type: 'prepared', epoch, longestStepMs: 1, totalMs: 1 }), ms)
      return
    }
    case 'commit':
      // What takes its place finds the bundle in force, and fares well.
      if (file === `stuck-${index}` && told.indexOf('commit') < told.length - 1) for (;;);
      if (file === 'ends-once' && told.indexOf('commit') < told.length - 1)
        process.kill(process.pid, 'SIGKILL')
      report({ type: 'committed', epoch: command.epoch })
      return
    case 'listen':
      if (file === 'ends-once') told.push(file)
      report({ type: 'counters', counters: { [told.join(' ')]: 1 } })
      server.listen({ host: command.host, port: command.port, reusePort: command.shared }, () =>
        report({ type: 'listening', port: (server.address() as AddressInfo).port }),
      )
      return
    case 'drain':
      server.close()
      report({ type: 'drained' })
      parentPort?.close()
      return
    case 'abandon':
      return
  }
})

/** Runs into the heap's limit, as a thread does that takes in too much. */
function exhaust(): void {
  const kept: unknown[] = []
  for (;;) kept.push(new Array(1_000_000).fill(kept.length + 0.5))
}
