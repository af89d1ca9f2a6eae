import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { SallyportError } from '../../model/errors.ts'
import { count, printable } from '../printable.ts'
import type { CliActions } from './actions.ts'
import { operator } from './arguments.ts'
import { conclude, output } from './output.ts'

interface EraseOptions {
  readonly config: string
  readonly json: boolean
  readonly yes: boolean
}

export function eraseCommand(command: Command, actions: CliActions): void {
  command
    .argument('<iss>', 'the issuer: its name in the configuration, or its iss')
    .argument('<sub>', 'the subject')
    .option('--yes', 'do not ask; needed where there is no terminal to ask on', false)
    .description('destroy the keys of one subject’s records, for good; the log still verifies')
    .addHelpText(
      'after',
      `
What was sealed under these keys (who called, from where, with what attributes) can be read by nobody any more; that a
call was made, and how it was decided, stays. There is no way back, so it asks for the subject once more.

Examples:
  $ sallyport audit erase https://idp.example ana
  $ sallyport audit erase https://idp.example ana --yes

Exit codes: 0 erased, 1 there was nothing to erase, 2 not confirmed, usage or fault.`,
    )
    .action((iss: string, sub: string, options: EraseOptions) => {
      const out = output(options.json)
      return conclude(out, async () => {
        if (!options.yes) await confirmed(iss, sub)
        const { keys, segments } = await actions.records.erase(options.config, iss, sub, operator())
        out.json({ ok: keys > 0, keys, segments })
        out.line(
          keys === 0
            ? 'nothing to erase: no segment holds a key of this subject'
            : `erased: ${count(keys, 'key')} in ${count(segments, 'segment')}; the log still verifies (sallyport audit verify)`,
        )
        return keys === 0 ? 1 : 0
      })
    })
}

/** @throws {SallyportError} `usage` where there is nobody to ask, or the answer is not the subject. */
async function confirmed(iss: string, sub: string): Promise<void> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true)
    throw new SallyportError('usage', 'erasing cannot be undone: without a terminal to ask on it needs --yes')
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-C and the end of input are a no, and would leave the question open for ever.
  const ended = new Promise<string>((resolve) => asking.once('close', () => resolve('')))
  asking.once('SIGINT', () => asking.close())
  try {
    const question = printable(
      `This erases ${sub} of ${iss} from the records, for good. Type the subject to go on: `,
    )
    const answer = await Promise.race([asking.question(question), ended])
    if (answer.trim() !== sub) throw new SallyportError('usage', 'not confirmed: nothing was erased')
  } finally {
    asking.close()
  }
}
