import { generateKeyPairSync } from 'node:crypto'
import { OTHER_CORE, pin } from './cpu.ts'
import type { Load } from './measure.ts'
import { ended, forked, message, pidOf } from './rows.ts'

/** What every row needs: the service behind it and the load before it, both on the core the gate has not. */
export interface World {
  readonly upstream: string
  readonly load: Load
}

export async function startWorld(connections: number, closers: (() => Promise<void>)[]): Promise<World> {
  const issuer = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = 'bench-1'
  const jwk = { ...issuer.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }
  const service = forked('upstream.ts', { BENCH_JWKS: JSON.stringify({ keys: [jwk] }) })
  closers.push(() => ended(service))
  const { port } = (await message(service)) as { readonly port: number }
  const upstream = `http://127.0.0.1:${port}`
  pin([pidOf(service)], OTHER_CORE)

  const privateJwk = JSON.stringify(issuer.privateKey.export({ format: 'jwk' }))
  const child = forked('load.ts', { BENCH_TOKENS: JSON.stringify({ issuer: upstream, privateJwk, kid }) })
  closers.push(() => ended(child))
  pin([pidOf(child)], OTHER_CORE)
  return { upstream, load: { child, connections } }
}
