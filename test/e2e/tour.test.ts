import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { socketDrive } from '../../demo/demo.ts'
import { rightsOf, SHOP_RESOURCE } from '../../demo/people.ts'
import { writeSampleConfig } from '../../demo/sample-gate.ts'
import { shopAnswers, type UpstreamCall } from '../../demo/shop.ts'
import { runTour, type TourDrive, type TourResult } from '../../demo/tour.ts'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { memoryGate, memoryUpstream } from '../memory-gate.ts'
import { signed, testKey } from '../token-issuer.ts'
import { type DemoGate, startDemoGate } from './harness.ts'

const failures = (result: TourResult): unknown[] => result.steps.filter(({ ok }) => !ok)

describe('the tour through sockets', () => {
  let demo: DemoGate
  beforeAll(async () => {
    demo = await startDemoGate()
  })
  afterAll(() => demo.stop())

  it('gives every verdict as it must be', async () => {
    const result = await runTour(socketDrive(demo.services, demo.gate))
    expect(failures(result)).toEqual([])
    expect(result.steps).toHaveLength(11)
  })
})

describe('the same tour through the in-memory entrance', () => {
  it('gives the same verdicts with no socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
    const issuer = 'http://127.0.0.1:1'
    const config = writeSampleConfig(folder, {
      shop: 'http://127.0.0.1:1/v1',
      issuer,
      port: 0,
      managementPort: 0,
    })
    const key = testKey('ES256')
    const answers = shopAnswers()
    const reached: UpstreamCall[] = []
    const upstream = memoryUpstream(({ method, path, fields, body }) => {
      const headers: Record<string, string> = {}
      for (let i = 0; i + 1 < fields.length; i += 2)
        headers[(fields[i] ?? '').toLowerCase()] = fields[i + 1] ?? ''
      const call = {
        method,
        path,
        headers,
        body: body instanceof Uint8Array ? Buffer.from(body).toString() : '',
      }
      reached.push(call)
      const { status, type, body: answered } = answers(call)
      return { status, fields: ['Content-Type', type, 'X-Powered-By', 'shop/1.0'], body: answered }
    })
    const { gate, audit, faults, close } = memoryGate({
      config,
      upstream,
      keys: { demo: { iss: issuer, keys: [key] } },
    })
    const random = systemRandom()
    const drive: TourDrive = {
      reached: () => reached,
      token: (person, { scope, resource = SHOP_RESOURCE, ttlSeconds = 900 } = {}) => {
        const now = Math.floor(Date.now() / 1000)
        const rights = rightsOf(person)
        const claims = {
          iss: issuer,
          sub: person,
          aud: resource,
          client_id: 'demo-cli',
          jti: crypto.randomUUID(),
          groups: rights?.groups,
          scope: scope ?? rights?.scopes.join(' '),
        }
        return Promise.resolve(
          signed(
            { alg: 'ES256', typ: 'at+jwt', kid: key.kid },
            { ...claims, iat: now - 900, exp: now + ttlSeconds },
            key,
          ),
        )
      },
      call: async (method, target, token, body) => {
        const fields = [
          'Host',
          'shop.example',
          ...(token === null ? [] : ['Authorization', `Bearer ${token}`]),
        ]
        if (body !== undefined) fields.push('Content-Type', 'application/json')
        const answer = await callInMemory(gate, random, {
          method,
          target,
          fields,
          ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
        })
        return { id: answer.id, status: answer.status, body: Buffer.from(answer.body).toString() }
      },
      records: (ids) =>
        Promise.resolve(
          new Map(
            ids.map((id) => {
              const decisions = [
                ...(audit.intents.get(id)?.decisions ?? []),
                ...(audit.outcomes.get(id)?.decisions ?? []),
              ]
              return [
                id,
                {
                  effect: audit.outcomes.get(id)?.effect ?? 'unknown',
                  reasons: decisions.flatMap(({ reasons }) => reasons.map(({ code }) => code)),
                },
              ]
            }),
          ),
        ),
    }
    const result = await runTour(drive)
    close()
    rmSync(folder, { recursive: true, force: true })
    expect(failures(result)).toEqual([])
    expect(faults).toEqual([])
  })
})
