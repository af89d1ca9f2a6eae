import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { callInMemory, type MemoryAnswer } from '../../src/enforcement/entrances/memory.ts'
import type { Gate } from '../../src/enforcement/gate.ts'
import type { ApiSnapshot, Snapshot } from '../../src/enforcement/snapshot.ts'
import { SallyportError } from '../../src/model/errors.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { MemoryAudit } from '../memory-gate.ts'
import { type OpenGate, ok, openGate } from './open-gate.ts'

const INTERNAL = 'internal detail of /var/lib/gate'
const fail = (): never => {
  throw new Error(INTERNAL)
}

/** The same gate with some of its parts failing. */
function failing(gate: OpenGate, over: Partial<Gate>): Gate {
  return { ...gate.gate, ...over }
}

/** The same gate where what an API was instantiated from fails. */
function failingApi(gate: OpenGate, change: (api: ApiSnapshot) => ApiSnapshot): Gate {
  const pin = () => {
    const pinned = gate.gate.snapshots.pin()
    if (pinned === null) return null
    const { apis } = pinned.snapshot
    const match = (...args: Parameters<typeof apis.match>) => {
      const found = apis.match(...args)
      return found.kind === 'api' ? { ...found, api: change(found.api) } : found
    }
    const changed: Snapshot['apis'] = Object.assign(Object.create(apis), { match })
    return { snapshot: { ...pinned.snapshot, apis: changed }, unpin: () => pinned.unpin() }
  }
  return failing(gate, { snapshots: { pin } })
}

function failingOperation(gate: OpenGate, method: 'checkParameters' | 'checkBody' | 'checkAnswer'): Gate {
  return failingApi(gate, (api) => {
    const { contract } = api
    if (contract === null) return api
    const match: typeof contract.match = (...args) => {
      const found = contract.match(...args)
      return found.kind === 'match' ? { ...found, operation: { ...found.operation, [method]: fail } } : found
    }
    return { ...api, contract: { operations: contract.operations, match } }
  })
}

const STAGES: Record<string, (gate: OpenGate) => Gate> = {
  'the token check': (gate) =>
    failing(gate, { tokens: Object.assign(Object.create(gate.gate.tokens), { verify: fail }) }),
  'the contract’s parameters': (gate) => failingOperation(gate, 'checkParameters'),
  'the contract’s body check': (gate) => failingOperation(gate, 'checkBody'),
  'the policies': (gate) =>
    failingApi(gate, (api) => ({ ...api, policies: { reads: new Set(), evaluate: fail } })),
}
const ANSWER_STAGES: Record<string, (gate: OpenGate) => Gate> = {
  'the contract’s answer check': (gate) => failingOperation(gate, 'checkAnswer'),
}
const LATE: Record<string, (gate: OpenGate) => Gate> = {
  'the digest': (gate) => failing(gate, { digest: fail }),
  'the route': (gate) => failingApi(gate, fail),
  'the router': (gate) =>
    failingApi(gate, (api) => ({ ...api, contract: { operations: new Map(), match: fail } })),
  'the upstream': (gate) => failing(gate, { upstream: { call: fail, close: () => Promise.resolve() } }),
}

for (const mode of ['enforce', 'observe'] as const) {
  describe(`a stage that fails to run, ${mode}`, () => {
    let gate: OpenGate
    beforeAll(async () => {
      gate = await openGate({ mode })
      gate.upstream.answer = () => ok('{"id":"a"}').replace('200 OK', '201 X')
    })
    afterAll(() => gate.stop())
    beforeEach(() => {
      gate.upstream.calls.length = 0
    })

    const call = (failed: Gate): Promise<MemoryAnswer> =>
      callInMemory(failed, systemRandom(), {
        method: 'POST',
        target: '/v1/things',
        fields: [
          'Host',
          'things.example',
          'Authorization',
          `Bearer ${gate.token('ana')}`,
          'Content-Type',
          'application/json',
        ],
        body: Buffer.from('{"id":"a"}'),
      })
    const codes = (id: string): readonly string[] =>
      [gate.audit.intents.get(id), gate.audit.outcomes.get(id)].flatMap((entry) =>
        (entry?.decisions ?? []).flatMap(({ reasons }) => reasons.map(({ code }) => code)),
      )

    it.each(Object.entries({ ...STAGES, ...ANSWER_STAGES }))('%s', async (name, fails) => {
      const answer = await call(fails(gate))
      expect(codes(answer.id)).toContain('stage-failed')
      expect(Buffer.from(answer.body).toString()).not.toContain(INTERNAL)
      if (mode === 'enforce') {
        expect(answer.status).toBe(500)
        expect(gate.upstream.calls).toHaveLength(name in STAGES ? 0 : 1)
        expect(gate.audit.outcomes.get(answer.id)?.action).toBe('refused')
      } else {
        expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([201, '{"id":"a"}'])
        expect(gate.audit.outcomes.get(answer.id)?.wouldDeny).toBe(true)
      }
    })

    it.each(Object.entries(LATE))('%s ends the call in every mode', async (_, fails) => {
      const answer = await call(fails(gate))
      expect([answer.status, codes(answer.id).at(-1)]).toEqual([500, 'stage-failed'])
      expect(Buffer.from(answer.body).toString()).not.toContain(INTERNAL)
      expect(gate.audit.outcomes.get(answer.id)?.status).toBe(500)
    })

    it('an intent that cannot be written ends the call before the upstream', async () => {
      const audit = new MemoryAudit()
      audit.intent = () => {
        throw new SallyportError('audit-write-failed', INTERNAL)
      }
      audit.refusal = audit.intent
      const answer = await call(failing(gate, { audit }))
      expect([answer.status, gate.upstream.calls.length]).toEqual([503, 0])
      expect(Buffer.from(answer.body).toString()).not.toContain(INTERNAL)
    })

    it('an outcome that cannot be written keeps the answer back', async () => {
      const audit = new MemoryAudit()
      audit.outcome = () => Promise.reject(new SallyportError('audit-write-failed', INTERNAL)) as never
      const answer = await call(failing(gate, { audit }))
      expect([answer.status, gate.upstream.calls.length]).toEqual([503, 1])
      expect(Buffer.from(answer.body).toString()).not.toContain('"id":"a"')
    })
  })
}

describe('a call under way', () => {
  it('keeps the bundle it began with, and lets go of it', async () => {
    const gate = await openGate()
    let pinned = 0
    const snapshots = {
      pin: () => {
        pinned += 1
        const pin = gate.gate.snapshots.pin()
        const unpin = (): void => {
          pinned -= 1
          pin?.unpin()
        }
        return pin === null ? null : { snapshot: pin.snapshot, unpin }
      },
    }
    for (const over of [
      {},
      { digest: fail },
      { audit: { ...gate.audit, outcome: fail, refusal: fail, intent: fail, cut: fail } },
    ]) {
      await callInMemory(failing(gate, { snapshots, ...over }), systemRandom(), {
        method: 'GET',
        target: '/v1/free',
        fields: ['Host', 'things.example'],
      })
    }
    expect(pinned).toBe(0)
    await gate.stop()
  })

  it('is refused on the next call once its token is revoked', async () => {
    const gate = await openGate()
    const token = gate.token('ana', { jti: 'jti-1' })
    gate.upstream.answer = () => ok('{"owner":"ana"}')
    const call = () =>
      callInMemory(gate.gate, systemRandom(), {
        method: 'GET',
        target: '/v1/things/a',
        fields: ['Host', 'things.example', 'Authorization', `Bearer ${token}`],
      })
    const first = call()
    gate.revocations.apply({
      kind: 'token',
      key: 'jti:jti-1',
      until: Date.now() + 60_000,
      by: 'test',
      at: Date.now(),
    })
    expect((await first).status).toBe(200)
    const again = await call()
    expect(again.status).toBe(401)
    // Whose token it was stays known; nobody was judged for it.
    const { subject, attributes, decisions } = gate.audit.intents.get(again.id) ?? {}
    expect(subject).toMatchObject({ kind: 'user', issuer: 'corp', id: 'ana' })
    expect(attributes?.principal ?? { type: 'Anonymous' }).toMatchObject({ type: 'Anonymous' })
    expect(decisions?.[0]?.reasons.map(({ code }) => code)).toContain('token-revoked')
    await gate.stop()
  })

  it('lets nobody in by a proved token that it refuses, also where it only observes', async () => {
    const gate = await openGate({ mode: 'observe' })
    gate.upstream.answer = () => ok('{"owner":"ana"}')
    const proved = gate.token('ana', { aud: 'billing' })
    const flipped = proved.at(-10) === 'A' ? 'B' : 'A'
    const forged = proved.slice(0, -10) + flipped + proved.slice(-9)
    for (const [token, id] of [
      [forged, 'anonymous'],
      [proved, 'ana'],
    ]) {
      const answer = await callInMemory(gate.gate, systemRandom(), {
        method: 'GET',
        target: '/v1/things/a',
        fields: ['Host', 'things.example', 'Authorization', `Bearer ${token}`],
      })
      expect(answer.status).toBe(200)
      expect(gate.audit.intents.get(answer.id)?.subject.id).toBe(id)
      expect(gate.audit.outcomes.get(answer.id)).toMatchObject({ wouldDeny: true, effect: 'allow' })
    }
    await gate.stop()
  })
})
