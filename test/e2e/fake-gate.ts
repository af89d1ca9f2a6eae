import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { GateProcess } from '../../src/processes/gate-process.ts'
import type { ControlMessage } from '../../src/processes/messages.ts'
import { systemClock } from '../../src/roles/system.ts'

// A gate process whose threads only speak the channel (fake-thread.ts), for control's side of it.

let gate: GateProcess | null = null
process.on('message', (message) => {
  const command = message as ControlMessage
  if (command.type === 'configure') {
    gate = new GateProcess(command.settings, {
      entry: join(import.meta.dirname, 'fake-thread.ts'),
      send: (said) => void process.send?.(said, () => undefined),
      syncerLink: () => ({ port: new MessageChannel().port1, bell: new SharedArrayBuffer(4) }),
      say: () => undefined,
      clock: systemClock,
    })
    gate.start().catch((error: NodeJS.ErrnoException) => {
      process.send?.({ type: 'failed', code: error.code ?? '', message: error.message })
    })
  } else gate?.receive(command)
})
process.on('disconnect', () => process.exit(0))
