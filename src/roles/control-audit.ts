import { CheckpointWriter } from '../audit/checkpoint.ts'
import { type ManagementEntry, ManagementLog } from '../audit/management-log.ts'
import type { HeldDataDirectory } from '../store/data-directory.ts'
import { openSigningKey } from '../store/store-keys.ts'
import { systemClock } from './system.ts'

const CHECKPOINT_EVERY_MS = 10_000

/** Control's part in the record: what it did itself, and signed checkpoints over what the threads wrote. */
export class ControlAudit {
  readonly #log: ManagementLog
  readonly #checkpoints: CheckpointWriter
  readonly #say: (text: string) => void

  constructor(directory: HeldDataDirectory, say: (text: string) => void) {
    this.#say = say
    this.#log = new ManagementLog(directory.audit, systemClock)
    const { privateKey } = openSigningKey(directory, 'checkpoint')
    this.#checkpoints = new CheckpointWriter({ directory: directory.audit, privateKey, clock: systemClock })
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

  /** Every ten seconds until closed, and once more then. */
  checkpointsEvery(): { close(): void } {
    const timer = setInterval(() => this.#checkpoint(), CHECKPOINT_EVERY_MS).unref()
    return {
      close: () => {
        clearInterval(timer)
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
