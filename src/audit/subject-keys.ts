import type { KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { scanLines } from './scan.ts'
import { keyWrap, makeKey, WRAPPED_LENGTH } from './seal.ts'
import { keyFileOf } from './segment.ts'
import { keyBound } from './subject-table.ts'

/** Overwrites a wrapped key of the same length: it decodes to nothing that opens. */
export const ERASED = '-'.repeat(WRAPPED_LENGTH)

const KEY_LINE = /^\{"v":1,"k":([1-9]\d{0,8}),"s":"([\w-]{22})","w":"([\w-]{80})"\}$/

export interface KeyLine {
  readonly ref: number
  readonly digest: string
  readonly wrapped: string
  /** Offset of the wrapped key in the file. */
  readonly wrappedAt: number
}

/** The lines of one segment's key file that are whole; torn and foreign ones open nothing and are passed over. */
export function* keyLines(segmentPath: string, from = 0): Generator<KeyLine, void> {
  const file = keyFileOf(segmentPath)
  if (!existsSync(file)) return
  for (const line of scanLines(file, from)) {
    const match = line.terminated ? KEY_LINE.exec(line.bytes.toString('latin1')) : null
    if (match === null) continue
    const [text, ref, digest, wrapped] = match
    yield {
      ref: Number(ref),
      digest: digest ?? '',
      wrapped: wrapped ?? '',
      wrappedAt: line.offset + text.length - WRAPPED_LENGTH - 2,
    }
  }
}

/** Finds the keys of one segment's subjects; null where it was erased, or is not there. */
export interface KeyRing {
  find(ref: number): KeyObject | null
}

export function openKeyRing(segmentPath: string, segmentFile: string, storeKey: Uint8Array): KeyRing {
  const wrap = keyWrap(storeKey, segmentFile)
  const wrapped = new Map<number, KeyLine>()
  const keys = new Map<number, KeyObject | null>()
  let read = 0
  const load = () => {
    for (const line of keyLines(segmentPath, read)) {
      wrapped.set(line.ref, line)
      read = line.wrappedAt + WRAPPED_LENGTH + '"}\n'.length
    }
  }
  load()
  return {
    find(ref) {
      const known = keys.get(ref)
      if (known !== undefined) return known
      if (!wrapped.has(ref)) load()
      const line = wrapped.get(ref)
      if (line === undefined) return null
      const bytes = line.wrapped === ERASED ? null : wrap.unwrap(line.wrapped, keyBound(ref, line.digest))
      const key = bytes === null ? null : makeKey(bytes)
      keys.set(ref, key)
      return key
    },
  }
}
