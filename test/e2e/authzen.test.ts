import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SampleGate, type Services, startGate, startServices } from '../../demo/sample-gate.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { freePort } from './proxies.ts'

/**
 * The page about AuthZEN, played against the real program: its files are the configuration, its questions are asked
 * and answered as it shows. The same gate then is the decision source of another one.
 */
const ROOT = resolve(import.meta.dirname, '../..')
const PAGE = readFileSync(join(ROOT, 'docs/how-to/ask-from-your-application.md'), 'utf8')
const TOKEN = 'the-token-of-the-todo-application'
const PDP_TOKEN = 'the-token-of-the-other-gate'

const fences = [...PAGE.matchAll(/^```([a-z]+) ([^\n]+)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', info = '', text = '']) => ({ language, info, text }),
)
const questions = fences.filter(({ language }) => language === 'http')

let services: Services
let gate: SampleGate
let folder: string
let pdp: string

beforeAll(async () => {
  services = await startServices({ shop: 0, provider: 0 })
  folder = mkdtempSync(join(tmpdir(), 'sallyport-authzen-'))
  copyFileSync(join(ROOT, 'demo/shop.openapi.yaml'), join(folder, 'shop.openapi.yaml'))
  const port = await freePort()
  pdp = `http://127.0.0.1:${port}`
  for (const { language, info, text } of fences) {
    if (language === 'http') continue
    mkdirSync(dirname(join(folder, info)), { recursive: true })
    const real = text
      .replaceAll('http://127.0.0.1:4000', services.issuer)
      .replaceAll('http://127.0.0.1:3000', services.shop)
      .replace('port: 9194', `port: ${port}`)
      .replace('[env:TODO_TOKEN]', '[env:TODO_TOKEN, file:./pdp.token]')
    writeFileSync(join(folder, info), real)
  }
  writeFileSync(join(folder, 'pdp.token'), `${PDP_TOKEN}\n`)
  process.env['TODO_TOKEN'] = TOKEN
  gate = await startGate(join(folder, 'sallyport.yaml'), { gate: 0, management: 0 })
}, 60_000)

afterAll(async () => {
  await gate?.stop()
  await services?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(path: string, body: string, token = TOKEN) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const answer = await fetch(`${pdp}${path}`, { method: 'POST', body, headers })
  return { status: answer.status, body: (await answer.json()) as unknown }
}

/** `…` stands for what differs each time. */
function shown(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => (value === '…' ? expect.any(String) : value))
}

describe('the AuthZEN page', () => {
  it.each(questions)('is answered as it shows: $info', async ({ text }) => {
    const [, path = '', body = '', answer = ''] = /^POST (\S+)\n([\s\S]*?)---\n([\s\S]*)$/.exec(text) ?? []
    expect(await ask(path, body)).toEqual({ status: 200, body: shown(answer) })
  })

  it('knows those who may ask, and says where', async () => {
    expect((await ask('/access/v1/evaluation', '{}', 'another-token-of-nobody')).status).toBe(401)
    expect((await ask('/access/v1/evaluation', '{}')).status).toBe(400)
    const metadata = await fetch(`${pdp}/.well-known/authzen-configuration`)
    expect(await metadata.json()).toMatchObject({ policy_decision_point: 'https://pdp.example' })
  })

  it('leaves records that explain', async () => {
    const said = await ask(
      '/access/v1/evaluation',
      '{"subject":{"type":"user","id":"eve"},"action":{"name":"read"},"resource":{"type":"todo","id":"t-1"}}',
    )
    const { context } = said.body as { context: { exchange: string } }
    const { code, json } = await gate.command(['explain', context.exchange])
    expect(code).toBeLessThan(2)
    const { record } = json as { record: ExchangeRecord }
    expect(record.intent).toMatchObject({ entrance: 'authzen', api: 'authzen:todo', operation: 'read' })
    const verified = await gate.command(['audit', 'verify'])
    expect(verified.code).toBe(0)
  })

  it('has its domains changed by a reload', async () => {
    const file = join(folder, 'todo/todo.cedar')
    const before = readFileSync(file, 'utf8')
    writeFileSync(
      file,
      `${before}\n@id("all read") permit (principal, action == Action::"read", resource);\n`,
    )
    expect((await gate.command(['reload'])).code).toBe(0)
    const eve =
      '{"subject":{"type":"user","id":"eve"},"action":{"name":"read"},"resource":{"type":"todo","id":"t-1"}}'
    expect((await ask('/access/v1/evaluation', eve)).body).toEqual({ decision: true })
    writeFileSync(file, 'permit (principal, action == Action::"fly", resource);')
    expect((await gate.command(['reload'])).code).not.toBe(0)
    expect((await ask('/access/v1/evaluation', eve)).body).toEqual({ decision: true })
    writeFileSync(file, before)
  })
})

describe('a gate that asks another', () => {
  it('goes by its answer: its name resolved, its credential sent, and denied once it is gone', async () => {
    const own = mkdtempSync(join(tmpdir(), 'sallyport-asking-'))
    copyFileSync(join(ROOT, 'demo/shop.openapi.yaml'), join(own, 'shop.openapi.yaml'))
    const text = readFileSync(join(folder, 'sallyport.yaml'), 'utf8')
    const config = join(own, 'sallyport.yaml')
    const url = pdp.replace('127.0.0.1', 'localhost')
    writeFileSync(
      config,
      `${text
        .slice(0, text.indexOf('decisionPoints:'))
        .replace(
          '    objects:',
          '    signals: [pdp]\n    objects:',
        )}signals:\n  pdp: { kind: authzen, url: "${url}/apis", credential: "file:./pdp.token", timeoutMs: 2000 }\n`,
    )
    writeFileSync(join(own, 'pdp.token'), PDP_TOKEN)
    mkdirSync(join(own, 'policies'))
    writeFileSync(
      join(own, 'policies/shop.cedar'),
      'permit (principal is User, action in [Action::"shop.getOrder", Action::"shop.listOrders"], resource);',
    )
    const asking = await startGate(config, { gate: 0, management: 0 })
    const call = async (path: string) => {
      const headers = { authorization: `Bearer ${await services.token('olga')}` }
      const answer = await fetch(`${asking.url}${path}`, { headers })
      return { status: answer.status, body: await answer.text() }
    }
    // The other gate permits nobody to list orders, although this one's policies do.
    const listed = await call('/v1/orders')
    expect(listed).toMatchObject({ status: 403, body: expect.stringContaining('decision-source-denied') })
    writeFileSync(join(folder, 'policies/shop.cedar'), 'permit (principal, action, resource);')
    writeFileSync(join(folder, 'todo/todo.cedar'), 'permit (principal, action, resource);')
    expect((await gate.command(['reload'])).code).toBe(0)
    expect((await call('/v1/orders')).status).toBe(200)
    await gate.stop()
    expect(await call('/v1/orders')).toMatchObject({
      status: 503,
      body: expect.stringContaining('decision-source-failed'),
    })
    await asking.stop()
    rmSync(own, { recursive: true, force: true })
  }, 60_000)
})
