import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestKey, testKey } from '../token-issuer.ts'
import { Connections, call, underLoad } from './caller.ts'
import { IssuerServer } from './issuer-server.ts'
import { pause, until, Workbench } from './workbench.ts'

/** One gate, four issuers, each in its own trouble. */
let bench: Workbench
let flooded: IssuerServer
let late: IssuerServer
let fading: IssuerServer
const WITHDRAWN = testKey('ES256', 'fading-old')
const KEPT = testKey('ES256', 'fading-new')
/** Awaited at the end: it takes the shortest refresh time there is, ten seconds. */
let withdrawal: Promise<{ after: { status: number }[]; young: { status: number }; fetched: number }>

beforeAll(async () => {
  const corp = await IssuerServer.start('corp-1')
  flooded = await IssuerServer.start('flooded-1')
  late = await IssuerServer.start('late-1', 'ES256', true)
  fading = new IssuerServer([WITHDRAWN, KEPT])
  await fading.up()
  bench = await Workbench.prepare({}, corp)
  const issuer = (name: string, { iss, jwksUrl }: IssuerServer, keys: string) =>
    `    ${name}: { issuer: "${iss}", jwks: "${jwksUrl}", keys: { ${keys} } }`
  bench.configure({
    issuers: [
      issuer('corp', corp, 'cooldownSeconds: 1, waitMs: 1500'),
      issuer('flooded', flooded, 'cooldownSeconds: 3600'),
      // The discovery document is as late as the keys.
      `    late: { issuer: "${late.iss}", keys: { cooldownSeconds: 1, waitMs: 200 } }`,
      issuer('fading', fading, 'refreshSeconds: 10, cooldownSeconds: 3600'),
    ].join('\n'),
    apis: `  shop:
    contract: ./api.yaml
    upstream: ${bench.upstream.url}
    identity: { accept: [corp, flooded, late, fading], audience: shop }
    mode: enforce`,
  })
  await bench.startGate()
})
afterAll(async () => {
  await bench.stop()
  for (const issuer of [flooded, late, fading]) await issuer.down()
})

const get = (token: string) => call(bench.url('/items/1'), { token })
const unpublished = (issuer: IssuerServer) => issuer.token({}, testKey('ES256', 'unpublished'), randomKid())
const randomKid = () => ({ kid: crypto.randomUUID() })

describe('an issuer that is down when the gate starts', () => {
  it('keeps the gate from being ready, not from starting, and its callers get 503', async () => {
    const { status, body } = await call(`${bench.running.management}/readyz`)
    expect(status).toBe(503)
    const { ready, missing }: { ready: boolean; missing: string[] } = JSON.parse(body)
    expect(ready).toBe(false)
    expect(missing).toHaveLength(1)
    expect(missing[0]).toMatch(/^issuer late: keys-unreachable/)
    expect(bench.running.said()).toMatch(/not ready yet: issuer late/)
    const refused = await get(late.token())
    expect(refused.status).toBe(503)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect((await get(bench.issuer.token())).status).toBe(200)
  })

  it('becomes usable by itself when it comes', async () => {
    await late.up()
    await until('the gate is ready', async () => {
      const { status } = await call(`${bench.running.management}/readyz`)
      return status === 200
    })
    expect((await get(late.token())).status).toBe(200)
  })
})

describe('a key withdrawn', () => {
  it('is refused within the refresh time, its cached tokens too, and the others go on', async () => {
    const [old, young] = [fading.token({}, WITHDRAWN), fading.token({}, KEPT)]
    const connections = new Connections(8)
    const before = await connections.all(bench.url('/items/1'), { token: old })
    expect(before.map(({ status }) => status)).toEqual(Array(8).fill(200))
    const { fetches } = fading
    fading.keys = [KEPT]
    withdrawal = until(
      'the withdrawn key is refused',
      async () => (await get(old)).status === 401,
      13_000,
    ).then(async () => {
      const after = await connections.all(bench.url('/items/1'), { token: old })
      connections.close()
      return { after, young: await get(young), fetched: fading.fetches - fetches }
    })
    withdrawal.catch(() => undefined)
  })
})
describe('rotation under load', () => {
  it('makes no false 401 on any thread', async () => {
    const key = (number: number): TestKey => testKey('ES256', `corp-${number}`)
    let signing = key(1)
    const tokens = new Map<string, string>()
    const token = (): string => {
      const minted = tokens.get(signing.kid) ?? bench.issuer.token({}, signing)
      tokens.set(signing.kid, minted)
      return minted
    }
    const load = underLoad(
      12,
      () => bench.url('/items/1'),
      () => ({ token: token() }),
    )
    for (const number of [2, 3, 4]) {
      // Past the cool-down (1 s, from the last fetch's end) also on a busy machine: within it a new key is a 401.
      await pause(2_500)
      // Published first, used at once: no thread has heard of it.
      bench.issuer.keys = [key(number - 1), key(number)]
      signing = key(number)
    }
    await pause(300)
    await load.stop()
    expect([...load.seen.keys()]).toEqual(['200'])
    expect(load.answers.length).toBeGreaterThan(200)
    expect(await bench.threadsOf(load.answers.map(({ id }) => id))).toEqual(new Set([0, 1]))
  })
})

describe('unknown key ids', () => {
  it('share one fetch, for which only the calls that brought them wait', async () => {
    await pause(1_100)
    const { fetches } = bench.issuer
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(unpublished(bench.issuer))))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(401))
    expect(bench.issuer.fetches - fetches).toBe(1)
  })

  it('wait no longer than waitMs for an issuer that hangs, then get 503; known keys notice nothing', async () => {
    await pause(1_100)
    bench.issuer.mood = 'hang'
    const [unknown, known] = await Promise.all([
      get(unpublished(bench.issuer)),
      pause(100).then(() => get(bench.issuer.token())),
    ])
    bench.issuer.mood = 'well'
    await bench.issuer.down()
    await bench.issuer.up()
    expect(known.status).toBe(200)
    expect(known.ms).toBeLessThan(1_000)
    expect(unknown.status).toBe(503)
    expect(unknown.ms).toBeGreaterThan(1_400)
    expect(unknown.ms).toBeLessThan(4_000)
    expect(Number(unknown.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  })

  it('get 503 while the issuer is down, not 401; known keys go on', async () => {
    await until(
      'the issuer is asked again',
      async () => (await get(unpublished(bench.issuer))).status === 401,
    )
    await pause(1_100)
    await bench.issuer.down()
    const unknown = await get(unpublished(bench.issuer))
    expect(unknown.status).toBe(503)
    expect(Number(unknown.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect(unknown.headers['www-authenticate']).toBeUndefined()
    expect((await get(bench.issuer.token())).status).toBe(200)
    bench.issuer.mood = 'failing'
    await bench.issuer.up()
    await pause(1_100)
    expect((await get(unpublished(bench.issuer))).status).toBe(503)
    bench.issuer.mood = 'well'
  })

  it('ten thousand of them cause at most two fetches a cool-down', async () => {
    const [head = '', payload = '', signature = ''] = flooded.token().split('.')
    const { alg, typ } = JSON.parse(Buffer.from(head, 'base64url').toString())
    const { fetches } = flooded
    const connections = new Connections(24)
    const seen = new Map<number, number>()
    let left = 10_000
    await Promise.all(
      connections.agents.map(async (agent) => {
        while (left-- > 0) {
          const forged = Buffer.from(JSON.stringify({ alg, typ, ...randomKid() })).toString('base64url')
          const token = `${forged}.${payload}.${signature}`
          const { status } = await call(bench.url('/items/1'), { token, agent })
          seen.set(status, (seen.get(status) ?? 0) + 1)
        }
      }),
    )
    connections.close()
    expect(seen).toEqual(new Map([[401, 10_000]]))
    expect(flooded.fetches - fetches).toBeLessThanOrEqual(2)
    expect((await get(flooded.token())).status).toBe(200)
  })
})

describe('the key withdrawn before', () => {
  it('is gone by now', async () => {
    const { after, young, fetched } = await withdrawal
    expect(after.map(({ status }) => status)).toEqual(Array(8).fill(401))
    expect(young.status).toBe(200)
    expect(fetched).toBeGreaterThanOrEqual(1)
  })
})
