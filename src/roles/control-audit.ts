import type { AuditFault } from '../audit/chain-check.ts'
import { CHECKPOINT_FILE, CheckpointWriter } from '../audit/checkpoint.ts'
import { checkEndedChains } from '../audit/ended-chains.ts'
import { type ManagementEntry, ManagementLog } from '../audit/management-log.ts'
import { recoverAudit } from '../audit/recovery.ts'
import { count } from '../management/printable.ts'
import type { HeldDataDirectory } from '../store/data-directory.ts'
import { openSigningKey } from '../store/store-keys.ts'
import { ORPHAN_DRAIN_MS } from './orphan-socket.ts'
import { systemClock } from './system.ts'

const CHECKPOINT_EVERY_MS = 10_000
/** By then a gate that was left alone has drained and ended, and its chains with it. */
const ORPHAN_GONE_MS = ORPHAN_DRAIN_MS + 5_000
const SAID_FAULTS = 20

/** Control's part in the record: what it did itself, and signed checkpoints over what the threads wrote. */
export class ControlAudit {
  readonly #log: ManagementLog
  readonly #checkpoints: CheckpointWriter
  readonly #directory: HeldDataDirectory
  readonly #boot: string
  readonly #say: (text: string) => void
  readonly #ending = new AbortController()
  /** Places told, so that none is told by both recovery and the check. */
  readonly #told = new Set<string>()
  #late: NodeJS.Timeout | null = null

  constructor(directory: HeldDataDirectory, boot: string, say: (text: string) => void) {
    this.#directory = directory
    this.#boot = boot
    this.#say = say
    this.#log = new ManagementLog(directory.audit, systemClock)
    const { privateKey } = openSigningKey(directory, 'checkpoint')
    this.#checkpoints = new CheckpointWriter({ directory: directory.audit, privateKey, clock: systemClock })
    this.#beginCheckpoints()
  }

  /** The highest line of the journal of what was in force that was recorded before this start. */
  get journalLine(): number {
    return this.#log.journalLine
  }

  /** A change that cannot be recorded is said, and stands: undoing a revocation for want of disk would be worse. */
  management(
    action: ManagementEntry['action'],
    by: string,
    result: ManagementEntry['result'],
    detail: ManagementEntry['detail'],
  ): void {
    try {
      this.#log.write({ action, by, result, detail })
    } catch (error) {
      this.#say(
        `${action} by ${by} (${result}) could not be recorded: ${error instanceof Error ? error.message : 'unknown'}`,
      )
    }
  }

  /**
   * Closes what a crash left open as `unknown` and says where the log is damaged, before this boot's first thread
   * writes. Where a gate of the boot before is still draining, its chains are not at their end: then this waits for
   * it. A log that cannot be recovered keeps no gate from starting: new records go to new segments.
   */
  recover(orphanDrains: boolean): void {
    if (!orphanDrains) return this.#recover()
    this.#late = setTimeout(() => this.#recover(), ORPHAN_GONE_MS).unref()
  }

  #recover(): void {
    const { audit, node } = this.#directory
    try {
      const { chains, closed, faults } = recoverAudit({
        directory: audit,
        node,
        boot: this.#boot,
        clock: systemClock,
      })
      if (chains > 0)
        this.#say(
          `the log had ${count(chains, 'chain')} without an end; ${count(closed, 'exchange')} closed with an unknown outcome`,
        )
      this.#tellFaults(faults)
    } catch (error) {
      this.#say(`the log could not be recovered: ${error instanceof Error ? error.message : 'unknown'}`)
    }
  }

  /** Once the gate listens: looks for damage in chains that ended well, which recovery does not read. */
  async checkEnded(): Promise<void> {
    const { signal } = this.#ending
    try {
      const options = { directory: this.#directory.audit, liveBoots: [this.#boot], signal }
      const { faults, unread } = await checkEndedChains(options)
      if (signal.aborted) return
      this.#tellFaults(faults)
      if (unread > 0)
        this.#say(
          `the log is long: ${count(unread, 'older chain')} not looked at; sallyport audit verify reads all`,
        )
    } catch (error) {
      this.#say(`the log could not be looked through: ${error instanceof Error ? error.message : 'unknown'}`)
    }
  }

  /** Every place is said, the first of them recorded; a place that spoils more than a crash does goes first. */
  #tellFaults(found: readonly AuditFault[]): void {
    const faults = found.filter(({ segment, byte, kind }) => {
      const place = `${segment} ${byte} ${kind}`
      return !this.#told.has(place) && this.#told.add(place)
    })
    for (const { segment, line, byte, kind, detail } of faults.slice(0, SAID_FAULTS))
      this.#say(
        `the log is ${kind === 'torn' ? 'unfinished' : 'damaged'} at ${segment}, line ${line}, byte ${byte}: ${kind}: ${detail}`,
      )
    if (faults.length > SAID_FAULTS)
      this.#say(`and at ${faults.length - SAID_FAULTS} more places: sallyport audit verify names them`)
    const first = faults.find(({ kind }) => kind !== 'torn') ?? faults[0]
    if (first === undefined) return
    const { segment, line, byte, kind } = first
    this.management('damage', 'sallyport', 'failed', { segment, line, byte, kind, places: faults.length })
  }

  /** A store has its first checkpoint before its first record, so that one without any has lost them. */
  #beginCheckpoints(): void {
    try {
      if (this.#checkpoints.begin()) return
      const detail = 'the log has segments and no checkpoint: what was signed is gone'
      this.#tellFaults([{ segment: CHECKPOINT_FILE, line: 1, byte: 0, kind: 'deleted', detail }])
    } catch (error) {
      this.#say(`no checkpoint could be written: ${error instanceof Error ? error.message : 'unknown'}`)
    }
  }

  /** Every ten seconds until closed, and once more then. */
  checkpointsEvery(): { close(): void } {
    const timer = setInterval(() => this.#checkpoint(), CHECKPOINT_EVERY_MS).unref()
    return {
      close: () => {
        clearInterval(timer)
        this.#ending.abort()
        if (this.#late !== null) clearTimeout(this.#late)
        this.#checkpoint()
      },
    }
  }

  #checkpoint(): void {
    try {
      this.#checkpoints.write()
    } catch (error) {
      this.#say(`no checkpoint could be written: ${error instanceof Error ? error.message : 'unknown'}`)
    }
  }
}
