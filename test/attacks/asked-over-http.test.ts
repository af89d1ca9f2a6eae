import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AskServer } from '../../src/enforcement/entrances/ask-server.ts'
import { decisionPoint } from '../../src/enforcement/entrances/decision-points.ts'
import type { DecisionPointSettings } from '../../src/model/channel.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { freePort } from '../e2e/proxies.ts'
import { asker } from './envoy-asking.ts'
import { converse, type OpenGate, openGate, type RawAnswer } from './open-gate.ts'

type Point = ReturnType<typeof decisionPoint>
type Kind =
  | {
      readonly kind: 'ext-authz-http'
      readonly pathPrefix: string
      readonly maxBodyBytes: number
      readonly maxRequestBytes?: number
    }
  | {
      readonly kind: 'forward-auth'
      readonly dialect: 'nginx' | 'traefik'
      readonly identityFields: 'refuse' | 'proxy'
    }

const ENVOY: Kind = { kind: 'ext-authz-http', pathPrefix: '/ask', maxBodyBytes: 1_000, maxRequestBytes: 100 }
const NGINX: Kind = { kind: 'forward-auth', dialect: 'nginx', identityFields: 'refuse' }
const TRAEFIK: Kind = { kind: 'forward-auth', dialect: 'traefik', identityFields: 'refuse' }

const points: Point[] = []
async function pointFor(gate: OpenGate, kind: Kind, bodies: 'deny' | 'unchecked' = 'deny'): Promise<number> {
  const port = await freePort()
  const settings: DecisionPointSettings = {
    ...kind,
    key: 'decisionPoints.test',
    host: '127.0.0.1',
    port,
    peers: ['127.0.0.0/8'],
    bodies,
  }
  const point = decisionPoint(settings, { gate: gate.gate, random: systemRandom() }, 32_768)
  expect(point).toBeInstanceOf(AskServer)
  await point.listen(false)
  points.push(point)
  return port
}

function asking(line: string, fields: Readonly<Record<string, string>>, body = ''): string {
  const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${lines.join('')}${length}\r\n${body}`
}

const reasonOf = (answer: RawAnswer | undefined): string | undefined =>
  /urn:sallyport:reason:([a-z-]+)/.exec(answer?.body ?? '')?.[1]

describe('asked over HTTP', () => {
  let gate: OpenGate
  beforeAll(async () => {
    gate = await openGate()
  })
  afterAll(async () => {
    for (const point of points) await point.drain(0)
    await gate.stop()
  })
  const bearer = (): Record<string, string> => ({ Authorization: `Bearer ${gate.token('ana')}` })

  describe('by Envoy', () => {
    let port: number
    beforeAll(async () => {
      port = await pointFor(gate, ENVOY)
    })
    const ask = async (line: string, fields: Record<string, string>, body?: string) => {
      const all = { Host: 'things.example', 'X-Real-IP': '192.0.2.7', ...fields }
      return (await converse(port, [asking(line, all, body)]))[0]
    }

    it('states a body in whole, in part, or not at all', async () => {
      const json = { ...bearer(), 'Content-Type': 'application/json' }
      const mark = (text: string): Record<string, string> => ({ ...json, 'x-envoy-auth-partial-body': text })
      const line = 'POST /ask/v1/things'
      expect((await ask(line, mark('false'), '{"id":"a"}'))?.status).toBe(200)
      expect(reasonOf(await ask(line, mark('true'), '{"id":"a"}'))).toBe('body-partial')
      expect(reasonOf(await ask(line, json, '{"id":"a"}'))).toBe('body-partial')
      expect(reasonOf(await ask(line, mark('false')))).toBe('body-unseen')
      // As long as Envoy's buffer: marked as whole, and perhaps cut all the same.
      expect((await ask(line, mark('false'), '{"id":"a"}'.padEnd(99)))?.status).toBe(200)
      expect(reasonOf(await ask(line, mark('false'), '{"id":"a"}'.padEnd(100)))).toBe('body-partial')
      expect(reasonOf(await ask(line, mark('false'), '{"id":1}'))).toBe('body-invalid')
    })

    it('refuses, with a record, what is too large or not stated', async () => {
      const before = gate.audit.outcomes.size
      expect(reasonOf(await ask('POST /ask/v1/things', bearer(), 'x'.repeat(1_001)))).toBe('body-too-large')
      expect(reasonOf(await ask('GET /v1/free', {}))).toBe('proxy-unclear')
      expect(reasonOf(await ask('GET /askv1/free', {}))).toBe('proxy-unclear')
      expect(reasonOf(await ask('GET /ask/v1/free', { 'x-real-ip': '192.0.2.8' }))).toBe('proxy-unclear')
      expect(reasonOf(await ask('GET /ask/v1/free?a;b', {}))).toBe('parameter-undeclared')
      expect(gate.audit.outcomes.size - before).toBe(5)
    })

    it('refuses a query that readers part in two ways, which Envoy cannot be told to encode', async () => {
      expect(reasonOf(await ask('GET /ask/v1/free?q=a;b', {}))).toBe('target-invalid')
    })

    it('names fields to take out', async () => {
      const answer = await ask('GET /ask/v1/free', { 'X-User-Id': 'olga', ...bearer() })
      expect(answer?.field('x-envoy-auth-headers-to-remove')).toBe('x-real-ip, x-user-id, authorization')
    })

    it('survives an asking that breaks off', async () => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write('POST /ask/v1/things HTTP/1.1\r\nHost: things.example\r\nContent-Length: 50\r\n\r\n{"id"')
      await new Promise((resolve) => setTimeout(resolve, 50))
      socket.destroy()
      expect((await ask('GET /ask/v1/free', {}))?.status).toBe(200)
    })
  })

  it('takes no body for whole while Envoy’s buffer is not known', async () => {
    const port = await pointFor(gate, { kind: 'ext-authz-http', pathPrefix: '', maxBodyBytes: 1_000 })
    const fields = { ...bearer(), 'Content-Type': 'application/json', 'x-envoy-auth-partial-body': 'false' }
    const all = { Host: 'things.example', 'X-Real-IP': '192.0.2.7', ...fields }
    const [answer] = await converse(port, [asking('POST /v1/things', all, '{"id":"a"}')])
    expect(reasonOf(answer)).toBe('body-partial')
  })

  it('gives nginx only statuses it knows', async () => {
    const port = await pointFor(gate, NGINX)
    const stated = {
      Host: '127.0.0.1',
      'X-Original-Method': 'GET',
      'X-Original-Host': 'things.example',
      'X-Real-IP': '192.0.2.7',
    }
    const ask = async (uri: string, more: Record<string, string> = {}) =>
      (await converse(port, [asking('GET /', { ...stated, 'X-Original-URI': uri, ...more })]))[0]
    expect((await ask('/v1/free'))?.status).toBe(200)
    const missing = await ask('/v1/things/a')
    expect(missing?.status).toBe(401)
    expect(missing?.field('www-authenticate')).toBe('Bearer realm="things"')
    const bad = await ask('/v1/free?colour=red')
    expect([bad?.status, bad?.field('sallyport-status')]).toEqual([403, '400'])
    const smuggled = await ask('/v1/free', { 'x-original-uri': '/v1/things/a' })
    expect(reasonOf(smuggled)).toBe('proxy-unclear')
    expect((await ask('/v1/free', { 'X-Forwarded-Host': 'elsewhere' }))?.status).toBe(403)
    // What an asking's own connection says is not the call's.
    expect((await ask('/v1/free', { Connection: 'keep-alive', TE: 'trailers' }))?.status).toBe(200)
  })

  it('takes from Traefik the address it saw, and the caller’s credential where the API checks it', async () => {
    const observing = await openGate({ mode: 'observe' })
    const port = await pointFor(observing, TRAEFIK)
    const token = `Bearer ${observing.token('ana')}`
    const fields = {
      Host: '127.0.0.1',
      'X-Forwarded-Method': 'POST',
      'X-Forwarded-Uri': '/v1/things',
      'X-Forwarded-Host': 'things.example',
      'X-Forwarded-For': '127.0.0.1, 198.51.100.3',
      Authorization: token,
    }
    const [answer] = await converse(port, [asking('GET /', fields)])
    expect([answer?.status, answer?.field('authorization')]).toEqual([200, token])
    const id = answer?.field('sallyport-exchange') ?? ''
    expect(observing.audit.intents.get(id)?.personal.address).toBe('198.51.100.3')
    expect(observing.audit.outcomes.get(id)).toMatchObject({ effect: 'allow', wouldDeny: true, status: 0 })
    await observing.stop()
  })

  it('over gRPC an observed call goes on with its own credential, whatever speaks against it', async () => {
    const observing = await openGate({ mode: 'observe' })
    const envoy = await asker(observing.gate)
    expect((await envoy.check({ path: '/v1/nothing' })).verdict).toBe('ok')
    const partial = { 'x-envoy-auth-partial-body': 'true' }
    expect((await envoy.check({ method: 'POST', path: '/v1/things', fields: partial })).verdict).toBe('ok')
    expect([...observing.audit.outcomes.values()].map(({ wouldDeny }) => wouldDeny)).toEqual([true, true])
    expect((await envoy.check({ path: '/v1/../free' })).verdict).toBe('target-invalid')
    await envoy.stop()
    await observing.stop()
  })
})
