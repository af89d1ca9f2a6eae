import type { Command } from 'commander'
import type { CliActions } from './actions.ts'
import { portNumber } from './arguments.ts'
import { conclude, output } from './output.ts'

export function startCommand(program: Command, actions: CliActions): void {
  program
    .command('start')
    .description('run the gate from the configuration until SIGTERM or Ctrl-C')
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option('--port <number>', 'listen here instead of listen.port (0: any free one)', portNumber)
    .option('--management-port <number>', 'instead of management.port (0: any free one)', portNumber)
    .option('--json', 'print one JSON object once the gate listens', false)
    .addHelpText(
      'after',
      '\nReloads on change of any file it read, on SIGHUP and on `sallyport reload`; a reload that fails changes nothing.\nExit codes: 0 stopped, and calls under way ended first, 2 usage, it could not start, or a second signal ended it at once.',
    )
    .action((options: { config: string; port?: number; managementPort?: number; json: boolean }) => {
      const out = output(options.json)
      return conclude(out, async () => {
        // Asked for before the start is over, the end comes right after it: a gate is never left alone.
        const { signalled, onImpatience } = untilSignalled()
        const running = await actions.start(options)
        const { url, management, store, startedInMs, apis } = running
        out.json({
          ok: true,
          url,
          management,
          store,
          pid: process.pid,
          startedInMs: Math.round(startedInMs),
          apis,
        })
        out.line(`sallyport listens on ${url} (started in ${Math.round(startedInMs)} ms)`)
        out.line(
          `management, read-only: ${management}/readyz  ${management}/metrics  ${management}/.well-known/jwks.json`,
        )
        out.line(`records: ${store}`)
        for (const api of apis) {
          const where = `${api.hosts.length > 0 ? api.hosts.join(', ') : 'any host'}${api.basePath === '' ? '' : `, ${api.basePath}`}`
          out.line(
            `  ${api.name.padEnd(20)} ${api.mode.padEnd(8)} ${where} -> ${api.upstream}${api.governed ? '' : '  (ungoverned: no contract or no issuer; calls are observed, not judged)'}`,
          )
        }
        const { ready, missing } = running.readiness()
        if (!ready) for (const each of missing) out.note(`not ready yet: ${each}`)
        await signalled
        onImpatience(() => {
          running.kill()
          process.exit(2)
        })
        out.note('draining: calls under way end first')
        await running.stop()
        return 0
      })
    })
}

/** Signals this close together are one: Ctrl-C reaches every process of a terminal, and parents pass it on as well. */
const ONE_SIGNAL_MS = 1_000

/** Resolves at the first SIGTERM or SIGINT; a later one is impatience, and ends the gate at once. */
export function untilSignalled(): { readonly signalled: Promise<void>; onImpatience(end: () => void): void } {
  let end: () => void = () => undefined
  let since: number | null = null
  const signalled = new Promise<void>((resolve) => {
    const onSignal = (): void => {
      if (since === null) {
        since = performance.now()
        resolve()
      } else if (performance.now() - since > ONE_SIGNAL_MS) end()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
  return {
    signalled,
    onImpatience: (run) => {
      end = run
    },
  }
}
