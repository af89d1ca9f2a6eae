import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { AskServer } from '../../src/enforcement/entrances/ask-server.ts'
import { decisionPoint } from '../../src/enforcement/entrances/decision-points.ts'
import type { DecisionPointSettings } from '../../src/model/channel.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { freePort } from '../e2e/proxies.ts'
import { type Asker, asker } from './envoy-asking.ts'
import { CONTRACT, converse, type OpenGate, openGate } from './open-gate.ts'

// Where an answer does not come back through the gate nothing of it can be hidden: a call whose answer has a field that
// its caller may not see ends before it is sent (fail closed), and no other.

const POLICIES = `
@id("bare") permit (principal, action == Action::"things.getBare", resource);
@id("all") permit (principal is User, action in Action::"things/all", resource);
@id("masked") @mask("/note") permit (principal in Group::"corp/masked", action in Action::"things/all", resource);
@id("by-class") @drop("class:pii") permit (principal in Group::"corp/by-class", action in Action::"things/all", resource);
`
const LABELLED = CONTRACT.replace(
  'count: { type: integer }',
  'count: { type: integer, x-sallyport: { class: pii } }',
)
const RULED = CONTRACT.replace(
  'count: { type: integer }',
  'count: { type: integer, x-sallyport: { field: { visibleTo: { groups: [corp/auditors] } } } }',
)

describe.each([
  ['an obligation of a permit', LABELLED, ['masked', 'by-class'], []],
  ['a rule of the contract', RULED, ['nobody'], ['auditors']],
] as const)('asked without the answer, %s', (_, contract, hidden, shown) => {
  let gate: OpenGate
  let envoy: Asker
  let point: AskServer
  let port: number
  beforeAll(async () => {
    gate = await openGate({ contract, policies: POLICIES })
    envoy = await asker(gate.gate)
    const settings: DecisionPointSettings = {
      kind: 'forward-auth',
      dialect: 'traefik',
      identityFields: 'refuse',
      key: 'decisionPoints.test',
      host: '127.0.0.1',
      port: await freePort(),
      peers: ['127.0.0.0/8'],
      bodies: 'deny',
    }
    const made = decisionPoint(settings, { gate: gate.gate, random: systemRandom() }, 32_768)
    if (!(made instanceof AskServer)) throw new Error('asked over HTTP')
    point = made
    port = settings.port
    await point.listen(false)
  })
  afterAll(async () => {
    await envoy.stop()
    await point.drain(0)
    await gate.stop()
  })

  const bearer = (group: string): string =>
    `Bearer ${gate.token('ana', { groups: [group], scope: 'things' })}`
  const overGrpc = async (group: string, path: string): Promise<string> =>
    String((await envoy.check({ path, fields: { authorization: bearer(group) } })).verdict)
  const overHttp = async (group: string, path: string): Promise<string> => {
    const fields = {
      Host: '127.0.0.1',
      'X-Forwarded-Method': 'GET',
      'X-Forwarded-Uri': path,
      'X-Forwarded-Host': 'things.example',
      'X-Forwarded-For': '198.51.100.3',
      Authorization: bearer(group),
    }
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    const [answer] = await converse(port, [`GET / HTTP/1.1\r\n${lines.join('')}\r\n`])
    if (answer?.status === 200) return 'ok'
    return /urn:sallyport:reason:([a-z-]+)/.exec(answer?.body ?? '')?.[1] ?? String(answer?.status)
  }

  it('ends the call by gRPC and by HTTP', async () => {
    for (const ask of [overGrpc, overHttp]) {
      for (const group of hidden) expect(await ask(group, '/v1/things/t-1')).toBe('answer-unseen')
      for (const group of shown) expect(await ask(group, '/v1/things/t-1')).toBe('ok')
      // An answer without such a field is nobody's to hide.
      expect(await ask('nobody', '/v1/bare')).toBe('ok')
    }
  })
})
