import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DemoGate, startDemoGate } from '../e2e/harness.ts'
import { encode, signed, testKey } from '../token-issuer.ts'
import { converse } from './open-gate.ts'

/** Secrets that callers send by every way in must stand nowhere in the store, nor on stderr (standards 8.7). */
describe('fifty canaries', () => {
  let demo: DemoGate
  beforeAll(async () => {
    demo = await startDemoGate()
  })
  afterAll(() => demo.stop())

  it('leave no trace', async () => {
    const planted: string[] = []
    const canary = (): string => {
      const text = `cnry${planted.length}x${crypto.randomUUID().slice(0, 8)}`
      planted.push(text)
      return text
    }
    const token = await demo.token('ana')
    const port = Number(new URL(demo.url).port)
    const host = new URL(demo.url).host
    const statuses = new Set<number>()
    const send = async (line: string, fields: Record<string, string> = {}, body?: string): Promise<void> => {
      const all: Record<string, string> = { Host: host, ...fields }
      if (body !== undefined) all['Content-Length'] ??= String(Buffer.byteLength(body))
      const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
      const [answer] = await converse(port, [`${line} HTTP/1.1\r\n${head.join('')}\r\n${body ?? ''}`])
      statuses.add(answer?.status ?? 0)
    }
    const auth = { Authorization: `Bearer ${token}` }
    const json = { ...auth, 'Content-Type': 'application/json' }
    const order = '/v1/orders/o-1001'
    const key = testKey('ES256')
    const forged = (claims: object): string =>
      `Bearer ${signed({ alg: 'ES256', typ: 'at+jwt', kid: key.kid }, { iss: demo.services.issuer, ...claims }, key)}`

    // Credentials, well-formed and not.
    planted.push(token, token.split('.')[2] ?? '')
    await send(`GET ${order}`, auth)
    await send(`GET ${order}`, { Authorization: `Bearer ${canary()}` })
    await send(`GET ${order}`, { Authorization: `Bearer ${canary()}.${canary()}.${canary()}` })
    await send(`GET ${order}`, { Authorization: `Basic ${encode(canary())}${canary()}` })
    await send(`GET ${order}`, { Authorization: canary() })
    await send(`GET ${order}`, { Authorization: `${canary()} ${canary()}` })
    await send(`GET ${order}`, { Authorization: forged({ sub: canary(), jti: canary(), secret: canary() }) })
    await send(`GET ${order}`, { Authorization: `Bearer ${token}${canary()}` })
    await send(`GET ${order}?access_token=${canary()}`)
    await send(`GET ${order}`, { ...auth, 'Proxy-Authorization': canary(), 'X-Api-Key': canary() })
    await send(`GET ${order}`, {
      ...auth,
      Cookie: `session=${canary()}; ${canary()}=1`,
      'Set-Cookie': canary(),
    })
    await send(`GET ${order}`, { ...auth, DPoP: canary(), 'Client-Cert': canary(), Signature: canary() })
    // Targets.
    await send(`GET /v1/orders?limit=${canary()}`, auth)
    await send(`GET /v1/orders?status=${canary()}&limit=1`, auth)
    await send(`GET /v1/orders?unknown=${canary()}`, auth)
    await send(`GET /v1/orders?limit=1&limit=${canary()}`, auth)
    await send(`GET /v1/orders?x=%zz${canary()}`, auth)
    await send(`GET /v1/orders/${canary()}`, auth)
    await send(`GET /v1/${canary()}/x`, auth)
    await send(`GET /v1/%2e%2e/${canary()}`, auth)
    await send(`GET http://user:${canary()}@${host}/v1/orders`, auth)
    await send(`GET /v1/orders?${'a=1&'.repeat(300)}b=${canary()}`, auth)
    // Fields.
    await send(`GET ${order}`, { ...auth, 'User-Agent': canary(), Referer: `https://x/?t=${canary()}` })
    await send(`GET ${order}`, { ...auth, 'X-Note': `a\x01${canary()}` })
    await send(`GET ${order}`, { ...auth, Expect: canary() })
    await send(`GET ${order}`, { ...auth, Upgrade: canary(), Connection: 'Upgrade' })
    await send(`PATCH ${order}`, { ...json, 'Content-Encoding': canary() }, '{"note":"x"}')
    await send(`PATCH ${order}`, { ...auth, 'Content-Type': `text/plain; boundary=${canary()}` }, canary())
    await send(`GET ${order}`, { ...auth, Big: `${canary()}${'a'.repeat(40_000)}` })
    await send(`GET ${order}`, { ...auth, 'Transfer-Encoding': canary() }, '0\r\n\r\n')
    // Bodies.
    await send(`PATCH ${order}`, json, JSON.stringify({ note: canary() }))
    await send(`PATCH ${order}`, json, JSON.stringify({ note: { deep: canary() } }))
    await send(`PATCH ${order}`, json, JSON.stringify({ unknown: canary() }))
    await send(`PATCH ${order}`, json, JSON.stringify({ status: canary() }))
    await send(`PATCH ${order}`, json, `{"note":"${canary()}`)
    await send(`PATCH ${order}`, json, `{"note":"a","note":"${canary()}"}`)
    await send(`PATCH /v1/orders/o-1002`, json, JSON.stringify({ note: canary() }))
    await send('POST /v1/payments', json, JSON.stringify({ orderId: canary(), cardNumber: canary() }))
    await send(`PATCH ${order}`, json, canary().repeat(100_000))
    await send(`GET ${order}`, auth, canary())

    expect(planted.length).toBeGreaterThanOrEqual(50)
    expect([...statuses].sort()).toEqual(expect.arrayContaining([200, 400, 401, 404, 413, 415, 431, 501]))
    await new Promise((resolve) => setTimeout(resolve, 200))
    const files = filesBelow(demo.store)
    expect(files.length).toBeGreaterThan(1)
    const written = `${files.map((file) => readFileSync(file, 'latin1')).join('\n')}\n${demo.gate.said()}`
    expect(planted.filter((text) => written.includes(text))).toEqual([])
    expect(written).toContain('"intent"')
  })
})

function filesBelow(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => {
      const stat = statSync(path)
      return stat.isDirectory() ? filesBelow(path) : stat.isFile() ? [path] : []
    })
}
