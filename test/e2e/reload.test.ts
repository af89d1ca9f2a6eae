import { appendFileSync, readdirSync, renameSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { sendOrder } from '../../src/management/control-socket.ts'
import { isFault } from '../../src/model/errors.ts'
import { Connections, call, underLoad } from './caller.ts'
import { CONTRACT, PERMIT_ALL, pause, until, Workbench } from './workbench.ts'

let bench: Workbench
let token: string

beforeAll(async () => {
  bench = await Workbench.start()
  token = bench.issuer.token()
})
afterAll(() => bench.stop())

const FORBID_OPEN = `${PERMIT_ALL}@id("closed")\nforbid (principal, action == Action::"shop.getOpen", resource);\n`
const ADDED = `${CONTRACT.replace(
  'components:\n',
  `  /added:
    get: { operationId: getAdded, security: [], responses: { '200': { $ref: '#/components/responses/Ok' } } }
components:
`,
)}`

const open = () => call(bench.url('/open'))
const policy = (text: string) => bench.write('policies/all.cedar', text)
/** As the command gives it, without a process for each. */
const reload = async (): Promise<{ ok: boolean; bundle: string; code: string; message: string }> => {
  try {
    const { bundle } = await sendOrder(bench.store, { order: 'reload', by: 'test' })
    return { ok: true, bundle: String(bundle), code: '', message: '' }
  } catch (error) {
    if (!isFault(error)) throw error
    return { ok: false, bundle: '', code: error.code, message: error.message }
  }
}
const reloads = () => bench.management().filter(({ action }) => action === 'reload')

/** Bundle hashes that both threads judge by now, from the records of calls over many new connections. */
async function bundles(): Promise<Set<string>> {
  const connections = new Connections(16)
  const answers = await connections.all(bench.url('/items/1'), { token })
  connections.close()
  const records = await bench.records()
  const seen = answers.map(({ id }) => records.get(id))
  expect(new Set(seen.map((record) => record?.place.thread))).toEqual(new Set([0, 1]))
  return new Set(seen.map((record) => record?.intent.bundle ?? ''))
}

describe('a reload takes effect', () => {
  it('on `sallyport reload`, with the same bundle on every thread, once the order is confirmed', async () => {
    const before = await bundles()
    expect(before.size).toBe(1)
    policy(FORBID_OPEN)
    const { code, json } = await bench.running.command(['reload'])
    expect(code).toBe(0)
    const { bundle } = json as { bundle: string }
    expect((await open()).status).toBe(403)
    const after = await bundles()
    expect(after).toEqual(new Set([bundle]))
    expect(before.has(bundle)).toBe(false)
    expect(
      reloads().some(
        ({ by, result, detail }) =>
          by.includes(userInfo().username) && result === 'ok' && detail['bundle'] === bundle,
      ),
    ).toBe(true)
  })

  it('on SIGHUP', async () => {
    await pause(400)
    const done = reloads().length
    policy(PERMIT_ALL)
    process.kill(bench.running.pid, 'SIGHUP')
    await until('calls are permitted again', async () => (await open()).status === 200)
    await until('the reload is recorded', () =>
      reloads()
        .slice(done)
        .some(({ by }) => by.includes('SIGHUP')),
    )
  })

  it('on the change of a policy file, of the contract and of the configuration itself', async () => {
    policy(FORBID_OPEN)
    await until('the policy is in force', async () => (await open()).status === 403)
    policy(PERMIT_ALL)
    await until('the policy is in force', async () => (await open()).status === 200)
    expect((await call(bench.url('/added'))).status).toBe(404)
    bench.write('api.yaml', ADDED)
    await until('the operation is known', async () => (await call(bench.url('/added'))).status === 200)
    bench.write('api.yaml', CONTRACT)
    await until('the operation is gone', async () => (await call(bench.url('/added'))).status === 404)
    bench.configure({ top: 'environment: staging' })
    await until('the environment is recorded', async () => {
      const { id } = await open()
      return (await bench.records()).get(id)?.intent.environment === 'staging'
    })
    bench.configure({ threads: 3 })
    await until('what a reload cannot change is said', () =>
      bench.running.said().includes('listen has changed: it takes effect at the next start'),
    )
    bench.configure()
    expect(reloads().some(({ by, result }) => by.includes('change') && result === 'ok')).toBe(true)
  })

  it('with a new upstream', async () => {
    const other = await Workbench.prepare()
    const shop = `  shop:
    contract: ./api.yaml
    upstream: ${other.upstream.url}
    identity: { accept: [corp], audience: shop }
    mode: enforce`
    bench.configure({ apis: shop })
    expect(await reload()).toMatchObject({ ok: true })
    expect((await open()).status).toBe(200)
    expect(other.upstream.seen).toHaveLength(1)
    expect(bench.running.said()).toMatch(
      /reloaded \([^)]*\): bundle \w+; API shop now at \S+; 5 operations, 1 policy file, 0 policy tests; gate threads were busy with it for at most [\d.]+ ms at a time\n/,
    )
    bench.configure()
    expect(await reload()).toMatchObject({ ok: true })
    await other.stop()
  })
})

const CONTRACTED = (file: string) => `  shop:
    contract: ${file}
    upstream: ${bench.upstream.url}
    identity: { accept: [corp], audience: shop }
    mode: enforce`

describe('what cannot be loaded leaves the last good bundle in force and says so', () => {
  const TEST = (verdict: string) => `tests:
  - name: anyone
    given: { principal: { id: corp/alice, scopes: ['items:read'] } }
    call: shop.getItem
    verdict: ${verdict}
`
  const broken: readonly [string, string, () => void, RegExp][] = [
    [
      'broken YAML',
      'config-invalid',
      () => bench.configure({ top: 'listen: [1' }),
      /sallyport\.yaml:\d+:\d+/,
    ],
    [
      'an unknown key',
      'config-invalid',
      () => bench.configure({ top: 'polices: ./x' }),
      /sallyport\.yaml:\d+:\d+.*polic/s,
    ],
    [
      'a policy that does not parse',
      'policy-invalid',
      () => policy('permit (principal'),
      /all\.cedar:\d+:\d+/,
    ],
    [
      'a policy with a type error',
      'policy-invalid',
      () => policy('permit (principal, action, resource) when { context.scopes > 3 };\n'),
      /all\.cedar:\d+:\d+/,
    ],
    [
      'a failing policy test',
      'policy-test-failed',
      () => bench.write('policies/all.test.yaml', TEST('deny')),
      /anyone/,
    ],
    [
      'a contract that is none',
      'contract-invalid',
      () => bench.write('api.yaml', 'openapi: 4.0.0\n'),
      /api\.yaml/,
    ],
    [
      'a contract with a reference to nothing',
      'contract-invalid',
      () => bench.write('api.yaml', CONTRACT.replace("responses/Ok'", "responses/Gone'")),
      /api\.yaml/,
    ],
  ]
  it.each(broken)('%s', async (_name, code, breakIt, place) => {
    const [before] = await bundles()
    const count = reloads().length
    breakIt()
    const refused = await reload()
    expect(refused).toMatchObject({ ok: false, code })
    expect(refused.message).toMatch(place)
    expect(await bundles()).toEqual(new Set([before]))
    expect((await call(bench.url('/items/1'), { token })).status).toBe(200)
    expect(reloads().slice(count)).toContainEqual(
      expect.objectContaining({ by: expect.stringContaining('test'), result: 'failed' }),
    )
    expect(bench.running.said()).toMatch(/reload \([^)]*test[^)]*\) failed, the last good bundle stays/)
  })

  afterEach(async () => {
    bench.write('policies/all.test.yaml', TEST('allow'))
    policy(PERMIT_ALL)
    bench.write('api.yaml', CONTRACT)
    bench.configure()
  })

  it('by the command, with its exit code', async () => {
    policy('permit (principal')
    const { code, json, stderr } = await bench.running.command(['reload'])
    expect(code).toBe(2)
    expect(json).toMatchObject({ ok: false, code: 'policy-invalid' })
    expect(stderr).toMatch(/all\.cedar:\d+:\d+/)
  })

  it('because the store cannot be written, as the store’s fault; and the log says when all is well again', async () => {
    expect(await reload()).toMatchObject({ ok: true })
    await pause(500)
    const bundlesFolder = join(bench.store, 'bundles')
    renameSync(bundlesFolder, `${bundlesFolder}.away`)
    const refused = await reload()
    renameSync(`${bundlesFolder}.away`, bundlesFolder)
    expect(refused).toMatchObject({ ok: false, code: 'store-unwritable' })
    expect(refused.message).toMatch(/the bundle cannot be written to .*bundles: ENOENT; /)
    const { length } = bench.running.said()
    expect(await reload()).toMatchObject({ ok: true })
    expect(await reload()).toMatchObject({ ok: true })
    await until('both are told', () => bench.running.said().slice(length).split(' as before').length > 2)
    expect(bench.running.said().slice(length).split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(
        /reloaded \(test\): bundle [0-9a-f]{12} as before; the failure of [\d:]{8} is over$/,
      ),
      expect.stringMatching(/reloaded \(test\): bundle [0-9a-f]{12} as before$/),
    ])
  })

  it('without an order, and what is put right is taken up without one, too', async () => {
    expect(await reload()).toMatchObject({ ok: true })
    await pause(500)
    bench.write('sallyport.yaml', 'this is no yaml: [')
    await until('the change is seen', () => reloads().at(-1)?.result === 'failed')
    bench.configure({ top: 'environment: repaired' })
    await until('the repair is seen', () => reloads().at(-1)?.result === 'ok')
    // A file that is not there is watched for where it was looked for.
    bench.configure({ apis: CONTRACTED('./moved/api.yaml') })
    await until('the contract is missed', () => reloads().at(-1)?.result === 'failed')
    bench.write('moved/api.yaml', CONTRACT)
    await until('the contract is found', () => reloads().at(-1)?.result === 'ok')
  })
})

describe('reloads under load', () => {
  it('fail no call in twenty, and every answer is that of the old or the new bundle', async () => {
    expect(await reload()).toMatchObject({ ok: true })
    await pause(500)
    const count = reloads().length
    const load = underLoad(
      8,
      () => bench.url('/open'),
      () => ({}),
      8,
    )
    for (let round = 0; round < 20; round++) {
      policy((round % 2 === 0 ? FORBID_OPEN : PERMIT_ALL).replace('"all"', `"all-${round}"`))
      expect(await reload()).toMatchObject({ ok: true })
      // Confirmed means in force, on every thread, also on connections that were there before.
      const now = await Promise.all([open(), open(), open(), open()])
      expect(now.map(({ status }) => status)).toEqual(Array(4).fill(round % 2 === 0 ? 403 : 200))
    }
    await load.stop()
    expect([...load.seen.keys()].sort()).toEqual(['200', '403'])
    expect(
      reloads()
        .slice(count)
        .every(({ result }) => result === 'ok'),
    ).toBe(true)
    const records = await bench.records()
    const verdicts = new Map<string, Set<number>>()
    for (const { id, status } of load.answers) {
      const bundle = records.get(id)?.intent.bundle ?? 'unrecorded'
      verdicts.set(bundle, (verdicts.get(bundle) ?? new Set()).add(status))
    }
    expect(verdicts.size).toBeGreaterThanOrEqual(20)
    expect(verdicts.has('unrecorded')).toBe(false)
    // One bundle gives one verdict: no call was judged by a mixture.
    expect([...verdicts.values()].every(({ size }) => size === 1)).toBe(true)
  }, 120_000)

  it('an order that comes while a reload runs gets one that read what stood there by then', async () => {
    policy(FORBID_OPEN)
    const first = reload()
    const second = reload()
    await pause(150)
    policy(PERMIT_ALL)
    const third = reload()
    const results = await Promise.all([first, second, third])
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true])
    expect((await open()).status).toBe(200)
  })
})

describe('a bundle tampered with between compiling and instantiating', () => {
  it('is refused by the threads, and the old one stays', async () => {
    expect(await reload()).toMatchObject({ ok: true })
    await pause(500)
    const [before] = await bundles()
    const folder = join(bench.store, 'bundles')
    // The bundle of this very configuration is compiled once, spoilt on disk, and left so until the threads read it.
    let spoilt = 0
    let going = true
    const known = new Set(readdirSync(folder))
    const spoil = (async () => {
      while (going) {
        for (const file of readdirSync(folder)) {
          if (known.has(file) || !/^[0-9a-f]{64}\.ndjson$/.test(file)) continue
          known.add(file)
          appendFileSync(join(folder, file), '{"part":"head"}\n')
          spoilt++
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    policy(`${FORBID_OPEN}// spoilt\n`)
    const result = await reload()
    going = false
    await spoil
    // Whoever of the two was faster: what is in force is either whole and new, or the old one.
    if (result.ok) return expect((await open()).status).toBe(403)
    expect(spoilt).toBeGreaterThan(0)
    expect(result.code).toBe('bundle-corrupt')
    expect(await bundles()).toEqual(new Set([before]))
    expect((await open()).status).toBe(200)
    policy(`${PERMIT_ALL}// whole\n`)
    expect(await reload()).toMatchObject({ ok: true })
    expect((await open()).status).toBe(200)
  })
})
