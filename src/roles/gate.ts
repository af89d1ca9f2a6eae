import { Worker } from 'node:worker_threads'
import { SyncerHub, syncerEntry } from '../audit/syncer-client.ts'
import { GateProcess } from '../processes/gate-process.ts'
import type { ControlMessage, GateMessage } from '../processes/messages.ts'
import { ENTRY } from './entry.ts'
import { ORPHAN_DRAIN_MS, OrphanSocket } from './orphan-socket.ts'
import { say, surviveDeafStderr, systemClock } from './system.ts'

/** The gate process: composes it, and keeps serving when control is gone. */
export function runGate(): void {
  surviveDeafStderr()
  const hub = new SyncerHub()
  const syncer = new Worker(syncerEntry(), { workerData: hub.data, name: 'syncer' })
  syncer.on('error', (error) => say(`the log’s syncer failed: ${error.message}`))
  let gate: GateProcess | null = null
  let store = ''
  let boot = ''
  let serves = false
  let orphaned = false
  // Without it no record gets to the disk in time, so nothing may be released: a new process does better.
  syncer.on('exit', () => {
    if (!orphaned) process.exit(1)
  })

  const send = (message: GateMessage): void => {
    if (message.type === 'listening') serves = true
    if (process.connected) process.send?.(message, () => undefined)
    else if (message.type === 'drained') process.exit(0)
  }
  process.on('message', (message) => {
    const command = message as ControlMessage
    if (command.type !== 'configure') {
      gate?.receive(command)
      return
    }
    store = command.settings.store
    boot = command.settings.boot
    gate = new GateProcess(command.settings, {
      entry: ENTRY,
      send,
      syncerLink: () => hub.connect(syncer),
      say,
      clock: systemClock,
    })
    gate
      .start()
      .catch((error: NodeJS.ErrnoException) =>
        send({ type: 'failed', code: error.code ?? '', message: error.message }),
      )
  })
  process.once('disconnect', () => {
    // Control that ended before the gate took a call was stopped, or never got to start it.
    if (!serves) process.exit(0)
    orphaned = true
    say('control is gone: the gate goes on with its last bundle, keys and revocations')
    OrphanSocket.serve(store, boot, () => gate?.receive({ type: 'drain', withinMs: ORPHAN_DRAIN_MS }))
  })
  // Control decides when the gate ends; a signal to the whole group must not cut calls off under its feet.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => {
    if (orphaned) gate?.receive({ type: 'drain', withinMs: ORPHAN_DRAIN_MS })
  })
  process.on('SIGHUP', () => undefined)
}
