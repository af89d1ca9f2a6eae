import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { fieldValue } from '../../src/syntax/http.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import { memoryGate, memoryUpstream } from '../memory-gate.ts'

// Standards 2.5, 7.10: compressed bodies are undone within bounds, judged, and go upstream as the bytes that were judged.

const CONTRACT = `openapi: 3.0.3
info: { title: notes, version: 1.0.0 }
paths:
  /notes:
    post:
      operationId: addNote
      security: []
      requestBody:
        required: true
        content:
          application/json:
            schema: { type: object, required: [text], properties: { text: { type: string } } }
          application/yaml: { schema: { type: object, properties: { text: { type: string } } } }
      responses: { '200': { description: ok } }
`

const folders: ConfigFolder[] = []
const gates: { close(): void }[] = []
afterAll(() => {
  for (const gate of gates) gate.close()
  for (const folder of folders) folder.remove()
})

function gateOf(api: string) {
  const folder = configFolder()
  folders.push(folder)
  const config = folder.write({
    'sallyport.yaml': `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  notes:
    contract: ./notes.yaml
    upstream: http://127.0.0.1:1
    identity: { accept: [corp], audience: notes }
${api}
policies: ./policies
`,
    'notes.yaml': CONTRACT,
    'policies/a.cedar': '@id("all") permit (principal, action, resource);',
  })
  const upstream = memoryUpstream(() => ({ status: 200, fields: [], body: '' }))
  const made = memoryGate({ config, upstream, keys: {} })
  gates.push(made)
  return async (body: Uint8Array, coding: string, type = 'application/json') => {
    const before = upstream.requests.length
    const answer = await callInMemory(made.gate, systemRandom(), {
      method: 'POST',
      target: '/notes',
      fields: [
        'Host',
        'gate.example',
        'Content-Type',
        type,
        'Content-Encoding',
        coding,
        'Content-Digest',
        'sha-256=:AA==:',
      ],
      body,
    })
    const [sent] = upstream.requests.slice(before)
    return {
      status: answer.status,
      takes: fieldValue(answer.fields, 'accept-encoding'),
      sent: sent?.body instanceof Uint8Array ? Buffer.from(sent.body) : null,
      fields: sent?.fields ?? [],
      notPlayed: made.audit.outcomes.get(answer.id)?.notPlayed ?? [],
    }
  }
}

const TEXT = Buffer.from('{"text":"hello"}')
const CODERS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync }

describe('a compressed body', () => {
  const call = gateOf('    maxRequestBytes: 65536')

  it.each(Object.entries(CODERS))('in %s goes on as it was judged', async (name, code) => {
    const { status, sent, fields } = await call(code(TEXT), name)
    expect([status, sent?.toString()]).toEqual([200, TEXT.toString()])
    expect(fieldValue(fields, 'content-length')).toBe(String(TEXT.length))
    expect(fieldValue(fields, 'content-encoding')).toBeUndefined()
    expect(fieldValue(fields, 'content-digest')).toBeUndefined()
  })

  it.each(Object.entries(CODERS))('in %s hides nothing', async (name, code) => {
    const hidden = await call(code(Buffer.from('{"text":"a","isAdmin":true}')), name)
    expect([hidden.status, hidden.sent]).toEqual([400, null])
    const bomb = await call(code(Buffer.alloc(4 * 1_048_576, 0x20)), name)
    expect([bomb.status, bomb.sent]).toEqual([413, null])
    const wrong = await call(TEXT, name)
    expect([wrong.status, wrong.sent]).toEqual([400, null])
    const more = await call(Buffer.concat([code(TEXT), code(Buffer.from('{"isAdmin":true}'))]), name)
    expect([more.status, more.sent]).toEqual([400, null])
  })

  it.each(['compress', 'gzip, gzip, gzip', 'x', 'gzip;q=1'])(
    'in %s is not taken, and what is is said',
    async (coding) => {
      const { status, takes, sent } = await call(gzipSync(TEXT), coding)
      expect([status, takes, sent]).toEqual([415, 'gzip, deflate, br, zstd', null])
    },
  )
})

it('only the configured codings are taken', async () => {
  const call = gateOf('    requestCodings: [gzip]')
  expect((await call(gzipSync(TEXT), 'gzip')).status).toBe(200)
  const { status, takes } = await call(brotliCompressSync(TEXT), 'br')
  expect([status, takes]).toEqual([415, 'gzip'])
  const none = gateOf('    requestCodings: []')
  expect(await none(gzipSync(TEXT), 'gzip')).toMatchObject({ status: 415, takes: 'identity' })
})

it('observed, it goes on as it came', async () => {
  const call = gateOf('    mode: observe')
  const coded = gzipSync(Buffer.from('{"text":"a","isAdmin":true}'))
  const { status, sent, fields } = await call(coded, 'gzip')
  expect([status, sent?.equals(coded), fieldValue(fields, 'content-encoding')]).toEqual([200, true, 'gzip'])
})

it('a body whose contract says nothing that can be held is counted in the record', async () => {
  const call = gateOf('')
  expect((await call(Buffer.from('text: a'), 'identity', 'application/yaml')).notPlayed).toContain(
    'body-contract',
  )
  expect((await call(TEXT, 'identity')).notPlayed).not.toContain('body-contract')
})
