import { closeSync, fdatasyncSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import {
  BELL,
  FILE,
  type SyncAnswer,
  type SyncerData,
  type SyncerOrder,
  type SyncRequest,
} from './syncer-link.ts'

/**
 * Worker entry: gets the gate threads' segments to the disk. It waits on a shared word rather than in an event
 * loop, syncs in its own thread (never in libuv's pool, which all threads share), and takes whatever was written
 * meanwhile in one fdatasync. It opens files by path for itself: a descriptor of a thread that died may by then
 * be another file's.
 */

/** With nobody waiting, bytes gather this long before they are synced; with the sync itself that stays under 50 ms. */
const GATHER_MS = 20
const IDLE_MS = 1_000

interface WatchedFile {
  readonly id: number
  readonly port: MessagePort
  readonly state: Int32Array
  /** -1 where it could not be opened. */
  readonly fd: number
}

const { bell } = workerData as SyncerData
const words = new Int32Array(bell)
const ports: MessagePort[] = []
const files = new Set<WatchedFile>()
let stopping = false

while (!stopping || files.size > 0) {
  const rung = Atomics.load(words, 0)
  if (rung === BELL.silent && !stopping) {
    Atomics.wait(words, 0, BELL.silent, IDLE_MS)
    continue
  }
  if (rung === BELL.soft) Atomics.wait(words, 0, BELL.soft, GATHER_MS)
  // Silenced before sizes are read: what is written from here on rings again.
  Atomics.store(words, 0, BELL.silent)
  const requests = takeOrders()
  for (const file of files) syncFile(file)
  // Only now: a new segment's name must not outlive the end of the segment it goes on from.
  for (const { port, request } of requests) syncFile(watch(port, request))
  if (stopping) for (const file of files) letGo(file)
}
for (const port of ports) port.close()
parentPort?.close()

function takeOrders(): { readonly port: MessagePort; readonly request: SyncRequest }[] {
  const requests: { readonly port: MessagePort; readonly request: SyncRequest }[] = []
  if (parentPort === null) return requests
  for (let got = receiveMessageOnPort(parentPort); got; got = receiveMessageOnPort(parentPort)) {
    const order = got.message as SyncerOrder
    if (order.kind === 'stop') stopping = true
    else ports.push(order.port)
  }
  for (const port of ports) {
    for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) {
      requests.push({ port, request: got.message as SyncRequest })
    }
  }
  return requests
}

function watch(port: MessagePort, request: SyncRequest): WatchedFile {
  const state = new Int32Array(request.state)
  let fd = -1
  try {
    fd = openSync(request.path, 'r+')
    // A new file's name must last too, or its bytes are nobody's after a power loss.
    const folder = openSync(dirname(request.path), 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch (error) {
    refuse(port, request.id, state, error)
  }
  const file: WatchedFile = { id: request.id, port, state, fd }
  files.add(file)
  return file
}

function syncFile(file: WatchedFile): void {
  const { state } = file
  const closing = Atomics.load(state, FILE.closing) === 1
  const written = Atomics.load(state, FILE.written)
  const failed = Atomics.load(state, FILE.failed) === 1
  if (!failed && written > Atomics.load(state, FILE.synced)) {
    try {
      fdatasyncSync(file.fd)
      Atomics.store(state, FILE.synced, written)
    } catch (error) {
      // Never tried again: after a failed sync the kernel may call pages clean that never reached the disk.
      refuse(file.port, file.id, state, error)
    }
  }
  if (Atomics.exchange(state, FILE.awaited, 0) === 1) {
    const answer: SyncAnswer =
      Atomics.load(state, FILE.failed) === 1
        ? { id: file.id, error: 'EIO' }
        : { id: file.id, synced: Atomics.load(state, FILE.synced) }
    file.port.postMessage(answer)
  }
  if (closing) letGo(file)
}

function refuse(port: MessagePort, id: number, state: Int32Array, error: unknown): void {
  Atomics.store(state, FILE.failed, 1)
  const answer: SyncAnswer = { id, error: (error as NodeJS.ErrnoException).code ?? 'unknown' }
  port.postMessage(answer)
}

function letGo(file: WatchedFile): void {
  files.delete(file)
  if (file.fd >= 0) closeSync(file.fd)
}
