import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../model/ports.ts'
import { appendFile } from './append-file.ts'
import {
  CHAIN_START,
  type ChainPoint,
  lineHash,
  lineHead,
  lineTail,
  quote,
  quoteValue,
  readEnvelope,
} from './line.ts'
import { scanLines } from './scan.ts'

export const MANAGEMENT_FILE = 'management.ndjson'

/** What changed the gate, or failed to: never a secret, never a token. */
export interface ManagementEntry {
  readonly action:
    | 'start'
    | 'stop'
    | 'reload'
    | 'stage'
    | 'canary'
    | 'promote'
    | 'drop'
    | 'rollback'
    | 'revoke'
    | 'erase'
    | 'clock-jump'
    | 'damage'
  /** The account or event that caused it. */
  readonly by: string
  readonly result: 'ok' | 'failed'
  readonly detail: Readonly<Record<string, string | number>>
}

/** Behind the detail's other members, as control writes it; what callers state cannot have an unescaped quote. */
const JOURNAL_LINE = /,"journalLine":(\d{1,9})\}/

/** Control's own record (standards 9.11): lines chained like the segments', on the disk before a change is confirmed. */
export class ManagementLog {
  readonly #path: string
  readonly #clock: Clock
  #point: ChainPoint = CHAIN_START
  #journalLine = 0

  constructor(directory: string, clock: Clock) {
    this.#path = join(directory, MANAGEMENT_FILE)
    this.#clock = clock
    if (!existsSync(this.#path)) return
    for (const { bytes, terminated, overlong } of scanLines(this.#path)) {
      const envelope = terminated && !overlong ? readEnvelope(bytes) : null
      if (envelope === null) continue
      this.#point = { next: envelope.sequence + 1, hash: lineHash(bytes) }
      const [, line = '0'] = JOURNAL_LINE.exec(bytes.toString('latin1')) ?? []
      this.#journalLine = Math.max(this.#journalLine, Number(line))
    }
  }

  /** The highest `journalLine` of its details when it was opened; 0 where none has one. */
  get journalLine(): number {
    return this.#journalLine
  }

  /** @throws SallyportError `audit-write-failed` */
  write({ action, by, result, detail }: ManagementEntry): void {
    const at = Math.round(this.#clock.now().wallMs)
    const body = `,"at":${at},"action":"${action}","by":${quote(by.slice(0, 128))},"result":"${result}","detail":${quoteValue(detail)}`
    const head = lineHead(this.#point.next, this.#point.hash, 'management', body)
    const line = `${head}${lineTail(Buffer.from(head))}`
    appendFile(this.#path, `${line}\n`)
    this.#point = { next: this.#point.next + 1, hash: lineHash(line) }
  }
}
