import { readFileSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { SallyportError } from '../../model/errors.ts'
import { parseIp } from '../../syntax/ip.ts'
import { type DryRunText, dryRunText } from '../dry-run-text.ts'
import type { CliActions } from './actions.ts'
import { secretFrom } from './arguments.ts'
import { conclude, output } from './output.ts'

/** Larger bodies than any plan takes are not worth reading. */
const MAX_BODY_BYTES = 64 * 1_048_576
const MAX_FIELDS = 1_000

interface TryOptions {
  readonly config: string
  readonly json: boolean
  readonly token?: string
  readonly header: readonly string[]
  readonly body?: string
  readonly from?: string
}

export function tryCommand(program: Command, actions: CliActions): void {
  program
    .command('try')
    .argument('<method>', 'GET, POST, …')
    .argument('<url>', 'a path, or a URL whose host is the one a caller would use')
    .description('judge one call without a running gate and without touching the upstream')
    .option('--token <reference>', 'the access token: file:PATH, env:NAME or - (standard input)')
    .option(
      '--header <field>',
      'a field, like "Accept: text/plain"; a credential only as "Name: file:PATH" or "Name: env:NAME"; may be repeated',
      collect,
      [],
    )
    .option(
      '--body <text>',
      'the body: its text, @FILE or - (standard input); application/json unless a header says so',
    )
    .option('--from <address>', 'the address the call comes from; left out: 127.0.0.1', askedAddress)
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Issuers’ keys are fetched, as the gate fetches them; nothing is recorded.

Examples:
  $ sallyport try GET /v1/orders/o-1001 --token file:ana.token
  $ sallyport try GET /v1/products --header 'X-Api-Key: env:SHOP_KEY'
  $ sallyport try POST https://api.shop.example/v1/orders --token env:TOKEN --body @order.json

Exit codes: 0 allowed, or undecided until the upstream answers, 1 denied, 2 usage or fault.`,
    )
    .action((method: string, url: string, options: TryOptions) => {
      const out = output(options.json)
      return conclude(out, async () => {
        if (options.token === '-' && options.body === '-')
          throw new SallyportError('usage', 'standard input gives the token or the body, not both')
        const run = await actions.tryCall({
          config: options.config,
          method,
          url,
          fields: options.header.flatMap(field),
          token: options.token === undefined ? null : secretFrom(options.token),
          body: options.body === undefined ? null : bodyFrom(options.body),
          ...(options.from === undefined ? {} : { address: options.from }),
        })
        out.json({ ok: run.verdict !== 'deny', ...run })
        const text: DryRunText = dryRunText(run)
        for (const line of text) out.line(line)
        return run.verdict === 'deny' ? 1 : 0
      })
    })
}

function askedAddress(text: string): string {
  const address = parseIp(text)
  if (address === null) throw new InvalidArgumentError('an IP address is expected: 10.1.2.3 or 2001:db8::1')
  return address.text
}

function collect(value: string, before: readonly string[]): readonly string[] {
  if (before.length >= MAX_FIELDS) throw new SallyportError('usage', `more than ${MAX_FIELDS} --header`)
  return [...before, value]
}

/** Fields that carry a credential by standard or custom. */
const CREDENTIAL =
  /authorization|cookie|(?:api|access|subscription|functions|auth|secret|private)[-_]?key|token|secret|passw|session|credential|signature|assertion|jwt|dpop|^x-auth/i

/** `Name: value`, or its value by reference. Argument lists are open to every user of the machine. */
function field(text: string): readonly [string, string] {
  const at = text.indexOf(':')
  const name = text.slice(0, Math.max(at, 0))
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(name) || /[\r\n\0]/.test(text))
    throw new SallyportError(
      'usage',
      "--header takes 'Name: value', with a name of letters, digits and - and a value on one line",
    )
  const value = text.slice(at + 1).trim()
  if (/^(?:file|env):/.test(value)) return [name, oneLine(name, secretFrom(value))]
  if (CREDENTIAL.test(name))
    throw new SallyportError(
      'usage',
      `a credential is not taken from the command line: use --header '${name}: file:PATH' or '${name}: env:NAME', and --token for an access token`,
    )
  return [name, value]
}

function oneLine(name: string, value: string): string {
  if (/[\r\n\0]/.test(value)) throw new SallyportError('usage', `the value of ${name} is more than one line`)
  return value
}

function bodyFrom(text: string): Uint8Array {
  if (text !== '-' && !text.startsWith('@')) return Buffer.from(text)
  const source = text === '-' ? 0 : text.slice(1)
  const name = text === '-' ? 'standard input' : text.slice(1)
  try {
    if (typeof source === 'string' && statSync(source).size > MAX_BODY_BYTES) throw new Error('too large')
    const bytes = readFileSync(source)
    if (bytes.byteLength > MAX_BODY_BYTES) throw new Error('too large')
    return bytes
  } catch (error) {
    throw new SallyportError(
      'usage',
      `the body cannot be read from ${name}: ${(error as Error).message}`,
      {},
      error,
    )
  }
}
