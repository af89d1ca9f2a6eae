import type { Command } from 'commander'
import { SallyportError } from '../../model/errors.ts'
import type { CliActions } from './actions.ts'
import { conclude, output } from './output.ts'

export function policySchemaCommand(policy: Command, actions: CliActions): void {
  policy
    .command('schema')
    .description('print what policies may name and read: the schema made of contracts and configuration')
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option('--api <name>', 'of one API alone')
    .option('--json', 'print {"schemas": [{"api", "text"}]}', false)
    .addHelpText(
      'after',
      '\nThe form is Cedar’s own (*.cedarschema). A start and every reload write it to the store, as schema/<api>.cedarschema.\nExit codes: 0 printed, 2 the configuration is invalid or has no such API.',
    )
    .action((options: { config: string; api?: string; json: boolean }) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const all = await actions.policySchemas(options.config)
        const schemas = options.api === undefined ? all : all.filter(({ api }) => api === options.api)
        if (schemas.length === 0 && options.api !== undefined) {
          throw new SallyportError(
            'usage',
            `there is no API ${options.api}; there are ${all.map(({ api }) => api).join(', ')}`,
          )
        }
        out.json({ schemas })
        for (const { api, text } of schemas) out.line(`// ${api}\n${text.trimEnd()}\n`)
        return 0
      })
    })
}
