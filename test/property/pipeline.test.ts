import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import type { UpstreamRequest } from '../../src/model/ports.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { parseTarget } from '../../src/syntax/uri.ts'
import { type OpenGate, openGate } from '../attacks/open-gate.ts'
import { type MemoryReply, memoryUpstream } from '../memory-gate.ts'

const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) })
const piece = fc.constantFrom(
  '/v1',
  '/free',
  '/things',
  '/a',
  '/',
  '..',
  '%2e',
  '%2f',
  '%',
  '%00',
  ';',
  '\\',
  '?',
  '&',
  'q=1',
  '=',
  '#',
  '//',
  'http://',
  '@',
  ':',
)
const target = fc.oneof(
  fc.constantFrom('/v1/free', '/v1/things/a', '/v1/things', '/v1/list', '/v1/bare'),
  fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  octets,
)
const fieldName = fc.oneof(
  fc.constantFrom(
    'Host',
    'Authorization',
    'Connection',
    'Content-Type',
    'Content-Length',
    'Transfer-Encoding',
    'Expect',
    'Via',
    'Upgrade',
    'Content-Encoding',
    'X-Forwarded-For',
    'Cookie',
    'Range',
    '__proto__',
    'constructor',
  ),
  octets,
)
const fieldValue = fc.oneof(
  fc.constantFrom(
    'things.example',
    'raw.example',
    'application/json',
    'Bearer x',
    '5',
    'chunked',
    'close',
    'Host, Authorization',
    '100-continue',
    '',
  ),
  octets,
)
const fields = fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 6 }).map((pairs) => pairs.flat())
const body = fc.option(
  fc.oneof(fc.json(), fc.constant('{"id":"a"}'), octets).map((text) => Buffer.from(text, 'latin1')),
  { nil: undefined },
)
const reply = fc.record({
  status: fc.constantFrom(200, 200, 200, 201, 204, 206, 302, 304, 400, 403, 404, 500, 599),
  fields: fc.oneof(fc.constant(['Content-Type', 'application/json']), fields),
  body: fc.oneof(fc.json(), fc.constant('{"owner":"ana"}'), octets),
})

for (const mode of ['enforce', 'observe'] as const) {
  describe(`any call, ${mode}`, () => {
    let gate: OpenGate
    let next: MemoryReply
    let upstream: ReturnType<typeof memoryUpstream>
    beforeAll(async () => {
      upstream = memoryUpstream(() => next)
      gate = await openGate({ mode, upstream: () => upstream })
    })
    afterAll(() => gate.stop())

    it('has an answer and one record, and what went up was judged', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'HEAD', 'TRACE', 'x y'),
          target,
          fields,
          fc.boolean(),
          fc.boolean(),
          body,
          reply,
          async (method, path, given, hosted, known, sent, answer) => {
            next = answer
            upstream.requests.length = 0
            const all = [...given]
            if (hosted) all.push('Host', 'things.example')
            if (known) all.push('Authorization', `Bearer ${gate.token('ana')}`)
            const got = await callInMemory(gate.gate, systemRandom(), {
              method,
              target: path,
              fields: all,
              ...(sent === undefined ? {} : { body: sent }),
            })
            const outcome = gate.audit.outcomes.get(got.id)
            expect(gate.audit.intents.has(got.id)).toBe(true)
            expect(outcome?.status).toBe(got.status)
            expect(got.status).toBeGreaterThanOrEqual(200)
            expect(got.fields[got.fields.indexOf('Sallyport-Exchange') + 1]).toBe(got.id)
            expect(upstream.requests.length).toBeLessThanOrEqual(2)
            for (const request of upstream.requests) expectJudged(request, path, sent)
            if (mode === 'enforce' && outcome?.action === 'forwarded' && upstream.requests.length === 0)
              throw new Error('forwarded without an upstream')
          },
        ),
        { numRuns: 1_500 },
      )
      expect(gate.faults).toEqual([])
    })
  })
}

function expectJudged(request: UpstreamRequest, sent: string, body: Uint8Array | undefined): void {
  const read = parseTarget(sent)
  expect(read.ok && request.path.split('?', 1)[0]).toBe(read.ok && read.path)
  // Reading it again changes nothing: no decoder behind the gate sees another path.
  const again = parseTarget(request.path)
  expect(again.ok && again.path).toBe(read.ok && read.path)
  if (request.body instanceof Uint8Array)
    expect(Buffer.from(request.body).equals(Buffer.from(body ?? []))).toBe(true)
  const names = request.fields.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  for (const name of ['host', 'via', 'x-forwarded-for'])
    expect(names.filter((each) => each === name).length).toBeLessThanOrEqual(1)
  for (const name of ['transfer-encoding', 'connection', 'upgrade', 'expect'])
    expect(names).not.toContain(name)
  expect(request.fields.join()).not.toMatch(/[\r\n\0]/)
}
