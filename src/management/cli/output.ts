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
    if (error instanceof Error && 'syscall' in error) {
      out.json({ ok: false, code: 'unknown', message })
      out.note(message)
      return
    }
    out.json({ ok: false, code: 'internal', message })
    out.note(faultText(error, message))
  }
}

/** Where it went wrong leads to the cause; the rest of the stack is the runtime's. */
const MAX_FRAMES = 8

/** An error that nobody foresaw is the program's: its reader can put nothing right, but can say where it happened. */
function faultText(error: unknown, message: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line))
  return [
    `a fault of the program, not of what it was given: ${message}`,
    ...frames.slice(0, MAX_FRAMES),
    'Please report it with these lines, the command and the answer of sallyport --version.',
    '(internal)',
  ].join('\n')
}
