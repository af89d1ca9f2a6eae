import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { ownerDigest } from './seal.ts'
import { keyFileOf, listSegments, segmentPath } from './segment.ts'
import { ERASED, keyLines } from './subject-keys.ts'
import { addressOwner, subjectOwner } from './subject-table.ts'

/** A verified subject, or the address of anonymous callers. */
export type Erasure = { readonly iss: string; readonly sub: string } | { readonly address: string }

export interface ErasureReport {
  readonly segments: number
  /** Keys destroyed. */
  readonly keys: number
}

/**
 * Destroys the keys of one subject in every segment, in place: a gate thread may be appending to the newest key
 * files. Segments and their chains are not touched and still verify; the subject's records read as erased. A
 * thread that still holds a destroyed key goes on sealing under it until its segment ends, and what it seals is
 * erased with the rest: so whoever erases beside a running gate has its threads begin new segments afterwards
 * (`SegmentWriter.rotate`). Before would not do, as a call in between makes the new segment's key to be destroyed
 * with the others. Anonymous addresses past a segment's bound share a key, which is left.
 */
export function eraseSubject(directory: string, storeKey: Uint8Array, who: Erasure): ErasureReport {
  const owner = 'address' in who ? addressOwner(who.address) : subjectOwner(who.iss, who.sub)
  const digest = ownerDigest(storeKey)(owner)
  let segments = 0
  let keys = 0
  for (const chain of listSegments(directory).values()) {
    for (const segment of chain) {
      const path = segmentPath(directory, segment)
      const places: number[] = []
      for (const line of keyLines(path)) {
        if (line.digest === digest && line.wrapped !== ERASED) places.push(line.wrappedAt)
      }
      if (places.length === 0) continue
      const fd = openSync(keyFileOf(path), 'r+')
      try {
        for (const place of places) writeSync(fd, ERASED, place, 'latin1')
        fdatasyncSync(fd)
      } finally {
        closeSync(fd)
      }
      segments++
      keys += places.length
    }
  }
  return { segments, keys }
}
