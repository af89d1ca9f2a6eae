import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerOf, CONTRACT, type OpenGate, ok, openGate, request } from '../attacks/open-gate.ts'

const THING =
  "requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }, responses: { '200': { $ref: '#/components/responses/Thing' } }"
const MORE = `  /free:
    query: { operationId: searchFree, security: [], ${THING} }
    additionalOperations:
      COPY: { operationId: copyFree, security: [], responses: { '204': { description: done } } }
  /free#X-Copy-Source:
    put: { operationId: copyTo, security: [], parameters: [{ name: X-Copy-Source, in: header, required: true, schema: { type: string } }], responses: { '204': { description: done } } }
  /free?acl:
    put: { operationId: putAcl, security: [], responses: { '204': { description: done } } }
`
const POLICIES = `permit (principal, action in [Action::"things.searchFree", Action::"things.copyFree"], resource);
permit (principal, action == Action::"things.putAcl", resource);`

describe('operations beyond the eight methods and the path', () => {
  let gate: OpenGate
  beforeAll(async () => {
    const contract = CONTRACT.replace('openapi: 3.1.0', 'openapi: 3.2.0').replace('  /free:\n', MORE)
    // The method GET of /free stands after the added ones, and a path may be written once only.
    gate = await openGate({
      contract: contract.replace(/ {4}get: \{ operationId: getFree.*\n/, ''),
      policies: POLICIES,
    })
    gate.upstream.answer = () => ok('{"id":"a"}')
  })
  afterAll(() => gate.stop())

  const call = async (method: string, path: string, fields: Record<string, string> = {}, body = '') => {
    const before = gate.upstream.calls.length
    const [answer] = await gate.send(request(method, path, fields, body))
    return [answer?.status, gate.upstream.calls[before]?.head.split('\r\n', 1)[0] ?? '']
  }
  const json = { 'Content-Type': 'application/json' }

  it('QUERY goes upstream with its content, once that is as the contract says', async () => {
    expect(await call('QUERY', '/v1/free', json, '{"id":"a"}')).toEqual([200, 'QUERY /v1/free HTTP/1.1'])
    expect(await call('QUERY', '/v1/free', json, '{"id":7}')).toEqual([400, ''])
    expect(await call('QUERY', '/v1/free', json, '{"id":"a","extra":1}')).toEqual([400, ''])
  })

  it('a declared method goes upstream, one that is not is refused', async () => {
    gate.upstream.answer = () => answerOf(204, '')
    expect(await call('COPY', '/v1/free')).toEqual([204, 'COPY /v1/free HTTP/1.1'])
    expect(await call('MOVE', '/v1/free')).toEqual([405, ''])
  })

  it('the operation that a query member or a field means is the one that is judged', async () => {
    gate.upstream.answer = () => answerOf(204, '')
    expect(await call('PUT', '/v1/free?acl')).toEqual([204, 'PUT /v1/free?acl HTTP/1.1'])
    expect(await call('PUT', '/v1/free', { 'X-Copy-Source': '/b' })).toEqual([403, ''])
    expect(await call('PUT', '/v1/free', { 'X-Copy-Source': '/b', Connection: 'X-Copy-Source' })).toEqual([
      404,
      '',
    ])
    expect(await call('PUT', '/v1/free')).toEqual([404, ''])
  })
})
