import { afterAll, describe, expect, it } from 'vitest'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import { memoryGate, memoryUpstream } from '../memory-gate.ts'

// Standards 2.4, 2.5, 7.4: what one reader of a message takes for harmless and another for a declared field, a second
// part or another host does not reach the upstream.

const CONTRACT = `openapi: 3.1.0
info: { title: differs, version: 1.0.0 }
paths:
  /files:
    post:
      operationId: addFile
      security: []
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema: { type: object, properties: { file: { type: string, format: binary } } }
      responses: { '200': { description: ok } }
  /people:
    post:
      operationId: addPerson
      security: []
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: '#/components/schemas/Person' } }
          application/x-www-form-urlencoded: { schema: { $ref: '#/components/schemas/Person' } }
          application/xml: { schema: { $ref: '#/components/schemas/Person' } }
      responses: { '200': { description: ok } }
    get:
      operationId: findPeople
      security: []
      parameters:
        - { name: limit, in: query, schema: { type: integer, maximum: 10 } }
        - { name: rest, in: query, schema: { type: object, properties: { z: { type: integer } }, additionalProperties: true } }
        - { name: X-Limit, in: header, schema: { type: integer, maximum: 10 } }
        - { name: user_id, in: cookie, schema: { type: string, enum: [me] } }
      responses: { '200': { description: ok } }
  /hooks:
    post:
      operationId: addHook
      security: []
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties:
                url: { type: string, format: uri }
                secure: { type: string, format: uri, x-sallyport: { url: { schemes: [https] } } }
                target: { anyOf: [{ type: string, format: uri }, { type: string }] }
      responses: { '200': { description: ok } }
components:
  schemas:
    Person:
      type: object
      xml: { name: person }
      properties:
        id: { type: integer, readOnly: true }
        role: { type: string, enum: [user] }
        area: { type: string, enum: [north], xml: { name: Region } }
      additionalProperties: true
`

const folders: ConfigFolder[] = []
const gates: { close(): void }[] = []
afterAll(() => {
  for (const gate of gates) gate.close()
  for (const folder of folders) folder.remove()
})

interface Call {
  readonly method?: string
  readonly type?: string
  readonly body?: string
  readonly fields?: readonly string[]
}

function gateOf(api = '') {
  const folder = configFolder()
  folders.push(folder)
  const config = folder.write({
    'sallyport.yaml': `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  differs:
    contract: ./differs.yaml
    upstream: http://127.0.0.1:1
    identity: { accept: [corp], audience: shop }
${api}
policies: ./policies
`,
    'differs.yaml': CONTRACT,
    'policies/a.cedar': '@id("all") permit (principal, action, resource);',
  })
  const upstream = memoryUpstream(() => ({ status: 200, fields: [], body: '' }))
  const made = memoryGate({ config, upstream, keys: {} })
  gates.push(made)
  return async (target: string, { method = 'POST', type, body, fields = [] }: Call) => {
    const before = upstream.requests.length
    const answer = await callInMemory(made.gate, systemRandom(), {
      method,
      target,
      fields: ['Host', 'gate.example', ...(type === undefined ? [] : ['Content-Type', type]), ...fields],
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    })
    const [sent] = upstream.requests.slice(before)
    return {
      status: answer.status,
      sent: sent?.body instanceof Uint8Array ? Buffer.from(sent.body).toString() : (sent?.path ?? null),
      fields: sent?.fields ?? [],
    }
  }
}

const call = gateOf()

describe('a second boundary', () => {
  const inner = (boundary: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; name="role"\r\n\r\nadmin\r\n--${boundary}--\r\n`
  const body = (own: string, other: string): string =>
    `--${own}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\r\n${inner(other)}\r\n--${own}--\r\n`

  it.each([
    // Go, PHP and Python keep the backslash, RFC 9110 drops it.
    ['boundary="good\\x"', 'goodx', 'good\\x'],
    // PHP and regular expressions take the first place where the word stands.
    ['xboundary=other; boundary=good', 'good', 'other'],
    ['a="boundary=other"; boundary=good', 'good', 'other'],
    ['a="; BOUNDARY=other"; boundary=good', 'good', 'other'],
    ['boundary*0=other; boundary=good', 'good', 'other'],
  ])('multipart/form-data; %s', async (parameters, own, other) => {
    const sent = { type: `multipart/form-data; ${parameters}`, body: body(own, other) }
    expect(await call('/files', sent)).toMatchObject({ status: expect.toSatisfy(isRefused), sent: null })
  })

  it.each(['boundary=good', 'boundary="good"', 'charset=UTF-8; boundary=good', 'BOUNDARY=good'])(
    'multipart/form-data; %s has one, and what looks like another is the file',
    async (parameters) => {
      const whole = body('good', 'other')
      const sent = { type: `multipart/form-data; ${parameters}`, body: whole }
      expect(await call('/files', sent)).toMatchObject({ status: 200, sent: whole })
    },
  )
})

describe('a name that other readers take for a declared one', () => {
  const json = 'application/json'
  const form = 'application/x-www-form-urlencoded'
  const xml = 'application/xml'

  it.each([
    [json, '{"Role":"admin"}'],
    [json, '{"role":"user","ROLE":"admin"}'],
    [json, '{"ID":5}'],
    [json, '{"role":"user","Area":1}'],
    [json, '{"\\u0049d":5}'],
    [form, 'Role=admin'],
    [form, 'role[]=admin'],
    [form, 'role.x=admin'],
    [form, '!role=admin'],
    [form, '_method=DELETE'],
    [xml, '<person><ROLE>admin</ROLE></person>'],
    [xml, '<person role="admin"/>'],
    [xml, '<person Region="south"/>'],
    [xml, '<person><x:Region xmlns:x="urn:x">south</x:Region></person>'],
  ])('%s: %s', async (type, body) => {
    expect(await call('/people', { type, body })).toMatchObject({ status: 400, sent: null })
  })

  it.each([
    [json, '{"role":"user","roles":["x"],"a":{"Role":"x"}}'],
    [form, 'role=user&roles=x'],
    [xml, '<person><role>user</role><roles>x</roles></person>'],
  ])('and what nobody takes for one goes on: %s: %s', async (type, body) => {
    expect((await call('/people', { type, body })).sent).toBe(body)
  })

  it.each([
    'limit[]=500',
    'limit[x]=500',
    'Limit=500',
    'limit.x=500',
    'limit=5&limit%5B%5D=500',
    '_method=PUT',
  ])('in the query, beside an object that takes any name: %s', async (query) => {
    expect(await call(`/people?${query}`, { method: 'GET' })).toMatchObject({ status: 400, sent: null })
  })

  it.each(['user.id=root; user_id=me', 'USER_ID=root', 'user.id=root'])('cookie %s', async (line) => {
    const sent = { method: 'GET', fields: ['Cookie', line] }
    expect(await call('/people', sent)).toMatchObject({ status: 400, sent: null })
  })

  it('other names go on', async () => {
    const fields = ['Cookie', 'user_id=me; user_id.sig=x; theme=dark']
    const sent = await call('/people?limit=5&limits=7&z=1', { method: 'GET', fields })
    expect(sent).toMatchObject({ status: 200, sent: '/people?limit=5&limits=7&z=1' })
  })

  it('a declared header under another spelling ends at the gate, and so does framing', async () => {
    const fields = ['X-Limit', '5', 'X_Limit', '500', 'x.limit', '500', 'Transfer_Encoding', 'chunked']
    const sent = await call('/people', { method: 'GET', fields })
    expect(sent.fields.filter((text) => /limit|encoding|500/i.test(text))).toEqual([
      'X-Limit',
      'Accept-Encoding',
    ])
  })

  it('is taken out where undeclared fields are', async () => {
    const strips = gateOf('    unknownFields: strip')
    const sent = await strips('/people', { type: json, body: '{"role":"user","ROLE":"admin","x":1}' })
    expect(sent).toMatchObject({ status: 200, sent: '{"role":"user","x":1}' })
  })
})

it.each(['utf-7', 'ibm037', 'utf-16', 'shift_jis'])('a form whose escapes are %s', async (charset) => {
  const type = `application/x-www-form-urlencoded; charset=${charset}`
  expect(await call('/people', { type, body: 'role=user' })).toMatchObject({ status: 400, sent: null })
})

describe('a URL inside another, and one that does not look like one', () => {
  it.each([
    ['url', 'url:http://127.0.0.1/'],
    ['url', 'URL:http://169.254.169.254/'],
    ['url', 'feed:a:http://10.0.0.1/'],
    ['url', 'foo:file:///etc/passwd'],
    ['url', 'url:netdoc:/etc/passwd'],
    ['secure', 'feed:https://a.example/'],
    ['url', 'http://kubernetes.default.svc/'],
    ['target', 'http:127.0.0.1'],
    ['target', 'http:\t//127.0.0.1'],
    ['target', 'ht\ntp:127.0.0.1'],
    ['target', '\u00a0http://127.0.0.1'],
    ['target', 'url:http://127.0.0.1/'],
    ['target', 'local_file:///etc/passwd'],
  ])('%s: %j', async (name, text) => {
    const body = JSON.stringify({ [name]: text })
    expect(await call('/hooks', { type: 'application/json', body })).toMatchObject({
      status: 400,
      sent: null,
    })
  })

  it.each([
    ['url', 'https://a.example/?u=http://10.0.0.1'],
    ['url', 'urn:ietf:params:oauth:grant-type:token-exchange'],
    ['url', 'feed:https://a.example/x'],
    ['target', 'a plain text: with a colon'],
    ['target', '12:30'],
  ])('%s: %j', async (name, text) => {
    const body = JSON.stringify({ [name]: text })
    expect((await call('/hooks', { type: 'application/json', body })).sent).toBe(body)
  })
})

const isRefused = (status: number): boolean => status === 400 || status === 415
