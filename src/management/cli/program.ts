import { Command } from 'commander'
import type { CliActions } from './actions.ts'
import { auditCommand } from './audit.ts'
import { bundleCommand } from './bundle.ts'
import { candidateCommands } from './candidate.ts'
import { checkCommand } from './check.ts'
import { demoCommand } from './demo.ts'
import { driftCommand } from './drift.ts'
import { explainCommand } from './explain.ts'
import { initCommand } from './init.ts'
import { inventoryCommand } from './inventory.ts'
import { orderCommands } from './orders.ts'
import { policyCommand } from './policy.ts'
import { replayCommand } from './replay.ts'
import { reportCommand } from './report.ts'
import { startCommand } from './start.ts'
import { tryCommand } from './try.ts'

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
  const commands = [
    initCommand,
    demoCommand,
    startCommand,
    checkCommand,
    orderCommands,
    candidateCommands,
    bundleCommand,
    tryCommand,
    explainCommand,
    replayCommand,
    auditCommand,
    policyCommand,
    inventoryCommand,
    driftCommand,
    reportCommand,
  ]
  for (const command of commands) command(program, actions)
  for (const command of program.commands) pointToHelp(command, 'sallyport')
  return program
}

/** Whoever mistypes a command's options is shown to that command's help. */
function pointToHelp(command: Command, parent: string): void {
  const name = `${parent} ${command.name()}`
  const what = command.commands.length > 0 ? 'lists its commands' : 'says how'
  command.showHelpAfterError(`(${name} --help ${what})`)
  for (const each of command.commands) pointToHelp(each, name)
}
