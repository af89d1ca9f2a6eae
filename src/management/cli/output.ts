import { isFault } from '../../model/errors.ts'

/** 0: as it should be; 1: something was found; 2: the command could not do its work (usage or fault). */
export type ExitCode = 0 | 1 | 2

export interface Output {
  /** For people; nothing with --json. */
  line(text?: string): void
  /** The command's result; only with --json, once. */
  json(value: unknown): void
  /** Diagnostics, always on stderr. */
  note(text: string): void
  readonly wantsJson: boolean
  readonly isTerminal: boolean
}

export function output(wantsJson: boolean): Output {
  return {
    line: (text = '') => {
      if (!wantsJson) process.stdout.write(`${text}\n`)
    },
    json: (value) => {
      if (wantsJson) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
    },
    note: (text) => process.stderr.write(`${text}\n`),
    wantsJson,
    isTerminal: process.stdout.isTTY === true && !wantsJson,
  }
}

/** Runs a command's work and turns what it throws into a message and an exit code. */
export async function conclude(out: Output, work: () => Promise<ExitCode>): Promise<void> {
  try {
    process.exitCode = await work()
  } catch (error) {
    process.exitCode = 2
    if (isFault(error)) {
      out.json({ ok: false, code: error.code, message: error.message })
      out.note(
        out.wantsJson
          ? `${error.code}: ${error.message.split('\n', 1)[0]}`
          : `${error.message}\n(${error.code})`,
      )
      return
    }
    const message = error instanceof Error ? error.message : 'unknown'
    out.json({ ok: false, code: 'unknown', message })
    out.note(message)
  }
}
