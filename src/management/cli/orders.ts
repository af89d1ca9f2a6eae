import type { Command } from 'commander'
import { SallyportError } from '../../model/errors.ts'
import { printable } from '../printable.ts'
import type { CliActions } from './actions.ts'
import { operator, secretFrom } from './arguments.ts'
import { conclude, output } from './output.ts'

interface OrderOptions {
  readonly config: string
  readonly json: boolean
}

/** Commands that change a running gate, through its control socket. */
export function orderCommands(program: Command, actions: CliActions): void {
  const withCommon = (command: Command): Command =>
    command
      .option('--config <file>', 'configuration of the running gate', 'sallyport.yaml')
      .option('--json', 'print the result as JSON', false)

  withCommon(
    program
      .command('reload')
      .description('read, validate, test and swap the configuration of the running gate, all or nothing')
      .addHelpText(
        'after',
        '\nExit codes: 0 reloaded, 2 usage or fault: nothing has changed, and what was in force stays.',
      ),
  ).action((options: OrderOptions) => {
    const out = output(options.json)
    return conclude(out, async () => {
      const result = await actions.order(actions.storeOf(options.config), {
        order: 'reload',
        by: operator(),
      })
      out.json({ ok: true, ...result })
      out.line(
        `reloaded: bundle ${String(result['bundle']).slice(0, 12)}, ${String(result['operations'])} operations, ${String(result['tests'])} policy tests`,
      )
      if (result['own'] === false)
        out.line(
          `the configuration is as it was when version ${String(result['version'])} was promoted or rolled back to: that stays in force`,
        )
      return 0
    })
  })

  const revoke = program
    .command('revoke')
    .description('refuse a token or a subject from the next call on, on every thread')
  withCommon(
    revoke
      .command('token')
      .argument('<jti>', 'the token’s jti, or - to read the token from standard input')
      .description('revoke one token')
      .addHelpText('after', '\nExit codes: 0 revoked, 2 usage or fault.'),
  ).action((jti: string, options: OrderOptions) => {
    const out = output(options.json)
    return conclude(out, async () => {
      const keys = jti === '-' ? actions.tokenKeys(secretFrom('-')) : [`jti:${jti}`]
      if (keys.length === 0) throw new SallyportError('usage', 'standard input holds no JWT')
      const result = await actions.order(actions.storeOf(options.config), {
        order: 'revoke-token',
        keys: [...keys],
        by: operator(),
      })
      out.json({ ok: true, ...result })
      out.line(
        jti === '-'
          ? 'revoked: the token is refused from the next call on, on every thread'
          : `revoked: tokens with the jti ${printable(jti)}, if there are any, are refused from the next call on, on every thread`,
      )
      return 0
    })
  })
  withCommon(
    revoke
      .command('subject')
      .argument('<issuer>', 'its name in the configuration, or iss exactly as in the token')
      .argument('<sub>', 'the subject')
      .description('revoke every token of a subject issued so far')
      .addHelpText('after', '\nExit codes: 0 revoked, 2 usage or fault.'),
  ).action((iss: string, sub: string, options: OrderOptions) => {
    const out = output(options.json)
    return conclude(out, async () => {
      const result = await actions.order(actions.storeOf(options.config), {
        order: 'revoke-subject',
        iss,
        sub,
        by: operator(),
      })
      out.json({ ok: true, ...result })
      const whose = `${String(result['sub'])} of issuer ${String(result['issuer'])} (${String(result['iss'])})`
      out.line(
        `revoked: tokens of ${printable(whose)} issued until now are refused from the next call on, on every thread; new ones are accepted when they were issued more than ${String(result['skewSeconds'])} s from now, by the issuer’s clock`,
      )
      return 0
    })
  })
}
