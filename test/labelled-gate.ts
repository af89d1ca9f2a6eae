import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type SampleGate, startGate } from '../demo/sample-gate.ts'
import { configFolder } from './config-folder.ts'
import { accessToken, testKey } from './token-issuer.ts'

// A gate as `sallyport start` runs it, before an upstream that answers as it is told: fields of people's data in every
// kind of body, and a GraphQL API beside.

const KEY = testKey('ES256')
const person =
  '{ type: object, properties: { id: { type: string }, ssn: { type: string, x-sallyport: { class: pii } }, note: { type: string } } }'
const content = (type: string): string => `{ content: { ${type}: { schema: ${person} } } }`
const answers = (more = ''): string =>
  `{ '200': { description: ok, content: { application/json: { schema: ${person} } } }${more} }`
const stream = (type: string): string =>
  `{ '200': { description: ok, content: { ${type}: { itemSchema: ${type.includes('event') ? `{ type: object, properties: { data: { type: string, contentMediaType: application/json, contentSchema: ${person} }, id: { type: string } } }` : person} } } } }`

const CONTRACT = `openapi: 3.2.0
info: { title: people, version: 1.0.0 }
security: [{ oauth: [] }]
paths:
  /people/{ssn}:
    parameters: [{ name: ssn, in: path, required: true, x-sallyport: { class: pii }, schema: { type: string } }]
    get: { operationId: getPerson, responses: ${answers()} }
  /people:
    get:
      operationId: findPerson
      parameters:
        - { name: ssn, in: query, x-sallyport: { class: pii }, schema: { type: string, maxLength: 40 } }
        - { name: X-Ssn, in: header, x-sallyport: { class: pii }, schema: { type: string, maxLength: 40 } }
      responses: ${answers()}
    post: { operationId: addPerson, requestBody: ${content('application/json')}, responses: ${answers()} }
  /form: { post: { operationId: sendForm, requestBody: ${content('application/x-www-form-urlencoded')}, responses: ${answers()} } }
  /parts: { post: { operationId: sendParts, requestBody: ${content('multipart/form-data')}, responses: ${answers()} } }
  /xml: { post: { operationId: sendXml, requestBody: ${content('application/xml')}, responses: ${answers()} } }
  /lines: { get: { operationId: listLines, responses: ${stream('application/x-ndjson')} } }
  /events: { get: { operationId: listEvents, responses: ${stream('text/event-stream')} } }
components: { securitySchemes: { oauth: { type: http, scheme: bearer } } }
`

const POLICIES = `
@id("staff") @mask("class:pii") permit (principal in Group::"corp/staff", action, resource);
@id("clerks") permit (principal in Group::"corp/clerk", action, resource);
@id("guests") permit (principal in Group::"corp/guest", action, resource);
@id("no-pii") forbid (principal in Group::"corp/guest", action, resource) when { context.answerClasses.contains("pii") };
`

export interface LabelledGate {
  readonly gate: SampleGate
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void
  token(group: string): string
  /** All that stands in the store, and what the gate has said. */
  written(): string
  stop(): Promise<void>
}

export async function labelledGate(): Promise<LabelledGate> {
  const folder = configFolder()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.url !== '/jwks') return made.answer(request, response, Buffer.concat(chunks).toString())
      const keys = [{ ...KEY.publicJwk, kid: KEY.kid, alg: KEY.alg, use: 'sig' }]
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ keys }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = folder.write({
    'sallyport.yaml': `identity: { issuers: { corp: { issuer: "${origin}", jwks: "${origin}/jwks" } } }
apis:
  people:
    contract: ./people.yaml
    upstream: ${origin}
    basePath: /v1
    identity: { accept: [corp], audience: people }
    sensitivity: { sample: 1 }
  graph:
    graphql: { schema: ./people.graphql }
    upstream: ${origin}
    identity: { accept: [corp], audience: people }
policies: ./policies
store: ./data
`,
    'people.yaml': CONTRACT,
    'people.graphql':
      'type Query { person(ssn: String!): Person } type Person { id: ID ssn: String @sallyport(class: "pii") }\n',
    'policies/people.cedar': POLICIES,
  })
  const gate = await startGate(config, { gate: 0, management: 0 })
  const made: LabelledGate = {
    gate,
    answer: (_, response) => response.end(),
    token: (group) => {
      const now = Math.floor(Date.now() / 1000)
      const jti = crypto.randomUUID()
      const claims = {
        iss: origin,
        sub: `sub-${group}`,
        aud: 'people',
        client_id: 'web',
        jti,
        groups: [group],
      }
      return accessToken(KEY, { ...claims, iat: now, exp: now + 300 })
    },
    written: () =>
      [...filesBelow(gate.store).map((file) => readFileSync(file, 'latin1')), gate.said()].join('\n'),
    stop: async () => {
      await gate.stop()
      server.closeAllConnections()
      server.close()
      folder.remove()
    },
  }
  return made
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => {
      const stat = statSync(path)
      return stat.isDirectory() ? filesBelow(path) : stat.isFile() ? [path] : []
    })
}
