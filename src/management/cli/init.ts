import type { Command } from 'commander'
import { isFault, SallyportError } from '../../model/errors.ts'
import { requireAbsent, writeNew } from '../init/new-files.ts'
import { type InitFlags, readFlags } from '../init/request.ts'
import type { CheckReport, CliActions } from './actions.ts'
import { draftAsJson, nextSteps, printCheck, printDraft, printSteps } from './init-output.ts'
import { conclude, output } from './output.ts'

export function initCommand(program: Command, actions: CliActions): void {
  program
    .command('init')
    .description(
      'make a configuration, starter policies and their tests from an OpenAPI contract or a GraphQL schema',
    )
    .option(
      '--contract <file>',
      'the API’s OpenAPI 3.x or Swagger 2.0 contract, YAML or JSON, or its GraphQL schema (.graphql)',
    )
    .option('--upstream <url>', 'the service to protect: http://127.0.0.1:3000')
    .option('--issuer <url>', 'who issues its access tokens, exactly as in their iss')
    .option(
      '--name <name>',
      'the API’s name in configuration and policies (default: from the contract’s title)',
    )
    .option('--audience <aud>', 'the aud of tokens for this API (default: the API’s name)')
    .option('--jwks <url>', 'the issuer’s key set (default: found by OpenID discovery)')
    .option('--out <folder>', 'where to write', '.')
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      '\nExample:\n  $ sallyport init --contract ./shop.openapi.yaml --upstream http://127.0.0.1:3000 --issuer https://idp.example\n\nWrites sallyport.yaml, policies/<name>.cedar and policies/<name>.test.yaml, all or none, and never overwrites.\nThe API starts in observe: nothing is refused until you write mode: enforce.\nExit codes: 0 written, and the check passes, 1 written, but a policy test failed, 2 usage or fault: what is wrong is told.',
    )
    .action(({ json, ...flags }: InitFlags & { json: boolean }) => {
      const out = output(json)
      return conclude(out, async () => {
        // It brings the contract compiler, which no other command should wait for.
        const { draft, outline } = await import('../init/draft.ts')
        const request = readFlags(flags)
        const outlined = outline(request)
        requireAbsent(outlined.paths)
        const drafted = draft(outlined)
        writeNew(request.out, drafted.files)
        const [config] = outlined.paths
        printDraft(out, request, drafted)
        const report = await checked(actions, config)
        const failed = report.tests.filter(({ passed }) => !passed)
        printCheck(out, report)
        const next = nextSteps(config, drafted)
        printSteps(out, next)
        out.json({ ok: failed.length === 0, ...draftAsJson(drafted), check: report, next })
        return failed.length === 0 ? 0 : 1
      })
    })
}

async function checked(actions: CliActions, config: string): Promise<CheckReport> {
  try {
    return await actions.check(config)
  } catch (error) {
    if (!isFault(error)) throw error
    throw new SallyportError(
      error.code,
      `the files are written, but what they make does not pass \`sallyport check --config ${config}\`:\n${error.message}`,
      error.data,
      error,
    )
  }
}
