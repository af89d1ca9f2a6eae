import type { Command } from 'commander'
import type { CliActions } from './actions.ts'
import { portNumber } from './arguments.ts'
import { conclude, output } from './output.ts'

export function demoCommand(program: Command, actions: CliActions): void {
  program
    .command('demo')
    .description(
      'run a sample API, a real OpenID provider and the gate in front, with a live view of decisions',
    )
    .option('--once', 'run a scripted tour on free ports and a temporary store, then end', false)
    .option('--json', 'with --once: print nothing but the tour’s result as JSON', false)
    .option('--port <number>', 'the gate’s port (default 8080)', portNumber)
    .option('--management-port <number>', 'the management port (default 9090)', portNumber)
    .option('--shop-port <number>', 'the sample API’s port (default 3000)', portNumber)
    .option('--provider-port <number>', 'the OpenID provider’s port (default 4000)', portNumber)
    .action(
      (options: {
        once: boolean
        json: boolean
        port?: number
        managementPort?: number
        shopPort?: number
        providerPort?: number
      }) =>
        conclude(output(options.json), async () => {
          const { once, json } = options
          const code = await actions.demo({
            once,
            json,
            port: options.port ?? null,
            managementPort: options.managementPort ?? null,
            shopPort: options.shopPort ?? null,
            providerPort: options.providerPort ?? null,
          })
          return code === 0 ? 0 : code === 1 ? 1 : 2
        }),
    )
}
