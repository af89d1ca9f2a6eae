import type { MessagePort } from 'node:worker_threads'

/** Between gate threads and the syncer: shared words for sizes, messages for files and answers. */

/** The syncer's bell, one word: soft rings gather for some milliseconds, urgent ones do not. */
export const BELL = { silent: 0, soft: 1, urgent: 2 } as const

/** Words of one file's state. Sizes fit 31 bits: segments rotate far below. */
export const FILE = { written: 0, synced: 1, closing: 2, failed: 3, awaited: 4, words: 5 } as const

export interface SyncerData {
  readonly bell: SharedArrayBuffer
}

export type SyncerOrder = { readonly kind: 'connect'; readonly port: MessagePort } | { readonly kind: 'stop' }

export interface SyncRequest {
  readonly id: number
  readonly path: string
  readonly state: SharedArrayBuffer
}

export type SyncAnswer =
  | { readonly id: number; readonly synced: number }
  | { readonly id: number; readonly error: string }

/** What a gate thread gets in its worker data (transfer the port). */
export interface SyncerLink {
  readonly port: MessagePort
  readonly bell: SharedArrayBuffer
}

export function newBell(): SharedArrayBuffer {
  return new SharedArrayBuffer(4)
}

export function ringSoftly(bell: Int32Array): void {
  if (Atomics.load(bell, 0) !== BELL.silent) return
  if (Atomics.compareExchange(bell, 0, BELL.silent, BELL.soft) === BELL.silent) Atomics.notify(bell, 0)
}

export function ringUrgently(bell: Int32Array): void {
  if (Atomics.exchange(bell, 0, BELL.urgent) !== BELL.urgent) Atomics.notify(bell, 0)
}
