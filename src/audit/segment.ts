import { closeSync, openSync, readdirSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { SallyportError } from '../model/errors.ts'

/** An append-only file as the writer needs it: the port behind which disks fail in tests. */
export interface SegmentFile {
  /** Hands all bytes to the operating system before it returns. @throws SallyportError `audit-write-failed` */
  append(bytes: Uint8Array): void
  /** Asks for the bytes so far to be on the disk soon (50 ms), by another thread. */
  requestSync(): void
  /** Settles once the first `upTo` bytes are on the disk; rejects with `audit-write-failed`. */
  synced(upTo: number): Promise<void>
  /** Bytes that landed, those of a failed append included. */
  readonly size: number
  /** Set once a sync failed: what the disk then holds is unknown, so nothing may follow in this file. */
  readonly failed: boolean
  close(): void
  /** Closes and removes a file that holds no record. */
  discard(): void
}

/** Opens a new file for appending; an existing one is a fault, never reused. */
export type OpenSegmentFile = (path: string) => SegmentFile

/** Bytes get to the disk through this port: the syncer's client, in threads. */
export interface SyncPort {
  watch(path: string): SyncHandle
}

export interface SyncHandle {
  /** States how many bytes the file holds now. */
  wrote(size: number): void
  synced(upTo: number): Promise<void>
  readonly failed: boolean
  /** The file grows no more: what is left is synced and the handle let go. */
  close(): void
}

/** The real file: exclusive creation, 0600, write(2) until every byte is taken. */
export function segmentFiles(sync: SyncPort): OpenSegmentFile {
  return (path) => {
    const fd = attempt(path, () => openSync(path, 'ax', 0o600))
    const handle = sync.watch(path)
    let size = 0
    return {
      append(bytes) {
        let offset = 0
        attempt(path, () => {
          while (offset < bytes.length) {
            const taken = writeSync(fd, bytes, offset, bytes.length - offset)
            if (taken === 0) throw new Error('the file takes no more bytes')
            offset += taken
            size += taken
          }
        })
      },
      requestSync() {
        handle.wrote(size)
      },
      synced(upTo) {
        handle.wrote(size)
        return handle.synced(upTo)
      },
      get size() {
        return size
      },
      get failed() {
        return handle.failed
      },
      close() {
        handle.wrote(size)
        handle.close()
        closeSync(fd)
      },
      discard() {
        handle.close()
        closeSync(fd)
        unlinkSync(path)
      },
    }
  }
}

function attempt<T>(path: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new SallyportError(
      'audit-write-failed',
      `The record cannot be written to ${path}: ${code}`,
      { file: path, code },
      error,
    )
  }
}

/** `<node>-<boot>-<thread>-<number>.seg`: a chain is a node's, a boot's and a thread's. */
export interface SegmentName {
  readonly file: string
  /** All but the number. */
  readonly chain: string
  readonly number: number
}

/** Recovery writes a chain of its own under this name instead of a thread's number. */
export const RECOVERY_THREAD = 'recovery'

const NAME = /^([A-Za-z0-9_-]{1,160}-(?:\d{1,6}|recovery))-(\d{6,12})\.seg$/

export function chainName(node: string, boot: string, thread: number | typeof RECOVERY_THREAD): string {
  const chain = `${node}-${boot}-${thread}`
  if (!NAME.test(`${chain}-000001.seg`)) throw new RangeError(`not a segment name: ${JSON.stringify(chain)}`)
  return chain
}

/** Whether the chain was written by one of these boots: their threads or their recovery. */
export function isOfBoot(chain: string, boots: Iterable<string>): boolean {
  for (const boot of boots) if (chain.includes(`-${boot}-`)) return true
  return false
}

export function segmentName(chain: string, number: number): string {
  return `${chain}-${String(number).padStart(6, '0')}.seg`
}

export function parseSegmentName(file: string): SegmentName | null {
  const match = NAME.exec(file)
  return match === null ? null : { file, chain: match[1] ?? '', number: Number(match[2]) }
}

export function keyFileOf(segmentPath: string): string {
  return `${segmentPath}.keys`
}

/** Segments of a folder by chain, each chain's in order; chains in the order of their names. */
export function listSegments(directory: string): Map<string, SegmentName[]> {
  const chains = new Map<string, SegmentName[]>()
  for (const file of readdirSync(directory).sort()) {
    const name = parseSegmentName(file)
    if (name === null) continue
    const chain = chains.get(name.chain)
    if (chain === undefined) chains.set(name.chain, [name])
    else chain.push(name)
  }
  for (const chain of chains.values()) chain.sort((a, b) => a.number - b.number)
  return chains
}

export function segmentPath(directory: string, name: SegmentName | string): string {
  return join(directory, typeof name === 'string' ? name : name.file)
}
