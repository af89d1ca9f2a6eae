import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpuUs } from './cpu.ts'
import { startProgram, stopProgram } from './rows.ts'
import { median } from './statistics.ts'

export interface StartUp {
  /** Milliseconds until it says that it listens. */
  readonly median: number
  readonly min: number
  /** CPU of all its processes up to then, in ms: what a busy machine does not change much. */
  readonly cpu: number
  readonly runs: number
}

const DEMO = join(import.meta.dirname, '..', 'demo')

/**
 * From the start of the process to its word that it listens, with the demo's contract and policies, a new store and
 * as many gate threads as by default; nothing is pinned. The issuer is `issuer`, which answers for keys.
 */
export async function measureStartUp(folder: string, issuer: string, runs: number): Promise<StartUp> {
  const times: number[] = []
  const work: number[] = []
  for (let run = 0; run < runs; run++) {
    const home = join(folder, `start-${run}`)
    mkdirSync(home, { recursive: true })
    const config = join(home, 'sallyport.yaml')
    writeFileSync(config, JSON.stringify(demoConfig(issuer)))
    const program = await startProgram(config)
    times.push(program.startedMs)
    work.push(cpuUs([program.control, program.gate]) / 1_000)
    await stopProgram(program)
  }
  return { median: median(times), min: Math.min(...times), cpu: median(work), runs }
}

function demoConfig(issuer: string): object {
  const object = { owner: '/customerId', hideAbsent: true }
  return {
    listen: { port: 0 },
    management: { port: 0 },
    identity: { issuers: { demo: { issuer, jwks: `${issuer}/jwks` } } },
    apis: {
      shop: {
        contract: join(DEMO, 'shop.openapi.yaml'),
        upstream: issuer,
        owner: 'team-shop',
        identity: { accept: ['demo'], audience: 'https://shop.example' },
        objects: {
          order: { ...object, path: '/orders/{orderId}', lookup: 'getOrder' },
          payment: { ...object, path: '/payments/{paymentId}' },
          customer: { ...object, path: '/customers/{customerId}', owner: '/id', lookup: 'getCustomer' },
        },
      },
    },
    policies: join(DEMO, 'policies'),
    store: './data',
  }
}
