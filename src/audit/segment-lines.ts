import type { Instant } from '../model/exchange.ts'
import { quote } from './line.ts'
import { numeral } from './redact.ts'
import type { SubjectEntry } from './subject-table.ts'

export interface SegmentHead {
  readonly node: string
  readonly boot: string
  readonly thread: number
  readonly segment: number
  /** The first segment of the chain that holds an intent still open when this one began. */
  readonly oldest: number
  readonly restart: boolean
}

/** A segment's first line. `p` of its envelope is the last hash of the segment before. */
export function openBody(head: SegmentHead, at: Instant): string {
  return (
    `,"node":${quote(head.node)},"boot":${quote(head.boot)},"thread":${numeral(head.thread)}` +
    `,"segment":${numeral(head.segment)},"oldest":${numeral(head.oldest)}` +
    `${head.restart ? ',"restart":true' : ''},"at":[${numeral(at.wallMs)},${numeral(at.monoMs)}]`
  )
}

/** A segment's last line; `final` ends the chain. `lines` counts this one too. */
export function closeBody(lines: number, final: boolean, at: Instant): string {
  return `,"lines":${numeral(lines)},"final":${final},"at":[${numeral(at.wallMs)},${numeral(at.monoMs)}]`
}

export function subjectBody(entry: SubjectEntry, sealed: string): string {
  return `,"s":${entry.ref},"k":${entry.keyRef},"x":"${sealed}"`
}
