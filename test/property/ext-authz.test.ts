import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCheckRequest } from '../../src/syntax/ext-authz.ts'
import { readMessage, writeMessage } from '../../src/syntax/grpc.ts'
import { type Asker, asker, checkRequest } from '../attacks/envoy-asking.ts'
import { type OpenGate, openGate } from '../attacks/open-gate.ts'

const ASKED = checkRequest({
  method: 'POST',
  path: '/v1/things',
  fields: { 'content-type': 'application/json', 'content-length': '10' },
  body: '{"id":"a"}',
})

/** The asking with some bytes changed, put in or taken out. */
const mutated = fc
  .array(
    fc.record({
      at: fc.nat(ASKED.length - 1),
      how: fc.constantFrom('change', 'insert', 'remove'),
      byte: fc.integer({ min: 0, max: 255 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((edits) => {
    const bytes = [...ASKED]
    for (const { at, how, byte } of edits) {
      if (how === 'change') bytes[at] = byte
      else if (how === 'insert') bytes.splice(at, 0, byte)
      else bytes.splice(at, 1)
    }
    return Uint8Array.from(bytes)
  })
const bytes = fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated)

describe('any bytes', () => {
  it('are read as a CheckRequest or not at all', () => {
    fc.assert(
      fc.property(bytes, (message) => {
        const read = readCheckRequest(message)
        if (read !== null) expect(read.fields.length % 2).toBe(0)
      }),
      { numRuns: 5_000 },
    )
  })

  it('are a gRPC message within its limit or not at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(32), (frame, limit) => {
        const read = readMessage(frame, limit)
        if (read.ok) expect(read.message.byteLength).toBeLessThanOrEqual(limit)
      }),
    )
  })

  describe('sent to the decision point', () => {
    let gate: OpenGate
    let envoy: Asker
    beforeAll(async () => {
      gate = await openGate()
      envoy = await asker(gate.gate)
    })
    afterAll(async () => {
      await envoy.stop()
      await gate.stop()
    })

    it('are answered, each judged one has one record, and none without a token is OK', async () => {
      await fc.assert(
        fc.asyncProperty(bytes, fc.boolean(), async (message, framed) => {
          const before = gate.audit.outcomes.size
          const told = await envoy.send(framed ? writeMessage(message) : message)
          expect(told.http).toBe(200)
          expect(told.grpc).toMatch(/^\d+$/)
          expect(gate.audit.outcomes.size - before).toBe(told.verdict === null ? 0 : 1)
          expect(told.verdict === null).toBe(told.grpc !== '0')
          // Only an operation open to all could be allowed, and the asking is far from stating one.
          expect(told.verdict).not.toBe('ok')
        }),
        { numRuns: 400 },
      )
      expect(gate.faults).toEqual([])
    })
  })
})
