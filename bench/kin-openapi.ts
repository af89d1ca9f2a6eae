import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { CASES, CONTRACT } from './contract-cases.ts'
import { GATE_CORE, UNPINNED } from './cpu.ts'

/** µs by message. */
export type Peer = Readonly<Record<string, number>>

/**
 * kin-openapi over the same messages, built here with Go; or why it was not measured. It reads OpenAPI 3.0, which says
 * the same of these schemas as 3.1 does.
 */
export function kinOpenapi(ms: number, folder: string): Peer | string {
  const go = spawnSync('go', ['version'])
  if (go.status !== 0) return 'Go is missing (Debian: apt-get install golang)'
  const binary = join(folder, 'kin-openapi')
  const built = spawnSync('go', ['build', '-o', binary, '.'], {
    cwd: join(import.meta.dirname, 'kin-openapi'),
    encoding: 'utf8',
    timeout: 180_000,
  })
  if (built.status !== 0)
    return `it could not be built: ${(built.stderr ?? '').split('\n')[0]?.slice(0, 200)}`
  const cases = CASES.map(({ name, operation, direction, value }) => ({
    name,
    direction,
    path: operation === 'importOrders' ? '/imports' : '/orders',
    body: value,
  }))
  const input = JSON.stringify({ contract: { ...CONTRACT, openapi: '3.0.3' }, cases, ms })
  // One core, also for its garbage collector, as the gate's thread has.
  const pinned = UNPINNED === null ? ['taskset', '-c', String(GATE_CORE), binary] : [binary]
  const [program = binary, ...rest] = pinned
  const ran = spawnSync(program, rest, { input, encoding: 'utf8', timeout: 120_000 })
  if (ran.status !== 0) return `it failed: ${(ran.stderr ?? '').split('\n')[0]?.slice(0, 200)}`
  return JSON.parse(ran.stdout) as Peer
}
