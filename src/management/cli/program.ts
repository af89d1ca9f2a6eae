import { Command } from 'commander'
import type { CliActions } from './actions.ts'
import { checkCommand } from './check.ts'
import { demoCommand } from './demo.ts'
import { orderCommands } from './orders.ts'
import { startCommand } from './start.ts'

/** The command line. Exit codes: 0 as it should be, 1 a finding, 2 usage or fault. */
export function sallyportProgram(version: string, actions: CliActions): Command {
  const program = new Command('sallyport')
  program
    .description(
      'zero-trust API gateway: every call identified, held against contract and policy, answered with no more than its caller may see, and recorded',
    )
    .version(version)
    .showHelpAfterError('(sallyport --help lists the commands)')
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : 2)
    })
  for (const command of [demoCommand, startCommand, checkCommand, orderCommands]) command(program, actions)
  return program
}
