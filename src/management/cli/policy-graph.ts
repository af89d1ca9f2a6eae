import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { SallyportError } from '../../model/errors.ts'
import { count, printable } from '../printable.ts'
import { zoneDrawing } from '../zone-drawing.ts'
import { graphText } from '../zone-graph.ts'
import type { CliActions } from './actions.ts'
import { conclude, output } from './output.ts'

interface GraphOptions {
  readonly config: string
  readonly json: boolean
  readonly svg?: string
}

export function policyGraphCommand(policy: Command, actions: CliActions): void {
  policy
    .command('graph')
    .description('draw trust zones, the APIs in them, and the calls that flows allow')
    .option('--svg <file>', 'write a drawing: SVG, for a browser or a document')
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Example:
  $ sallyport policy graph --svg zones.svg

Drawn is what the configuration says; nothing is asked of a running gate.
Exit codes: 0 done, 1 no zones are declared, 2 usage or fault.`,
    )
    .action((options: GraphOptions) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const graph = await actions.zoneGraph(options.config)
        out.json({ ok: graph.zones.length > 0, ...graph })
        if (graph.zones.length === 0) {
          out.line('no zones are declared: every API takes calls from anywhere')
          return 1
        }
        for (const line of graphText(graph)) out.line(printable(line))
        if (options.svg !== undefined) {
          await write(options.svg, zoneDrawing(graph))
          out.line()
          out.line(
            `drew ${count(graph.zones.length, 'zone')} and ${count(graph.flows.length, 'flow')}: ${options.svg}`,
          )
        }
        return 0
      })
    })
}

async function write(file: string, drawing: string): Promise<void> {
  try {
    await writeFile(file, drawing)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new SallyportError('usage', `${file} cannot be written (${why})`, {}, error)
  }
}
