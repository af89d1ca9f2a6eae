import { callInMemory, type MemoryAnswer } from '../src/enforcement/entrances/memory.ts'
import type { RawFields } from '../src/model/exchange.ts'
import type { IntentEntry, OutcomeEntry } from '../src/model/record.ts'
import { systemRandom } from '../src/roles/system.ts'
import { CONTRACT } from './attacks/open-gate.ts'
import { type ConfigFolder, configFolder } from './config-folder.ts'
import { memoryGate, memoryUpstream } from './memory-gate.ts'
import { accessToken, testKey } from './token-issuer.ts'

// A gate in memory over the contract of the attacks, whose callers come from any address, and what became of each call.

const KEY = testKey('ES256')
const ISS = 'https://idp.example'
const SPIRE = 'https://spire.example'
const folders: ConfigFolder[] = []
const gates: { close(): void }[] = []

/** For afterAll. */
export function closePlacedGates(): void {
  for (const gate of gates.splice(0)) gate.close()
  for (const folder of folders.splice(0)) folder.remove()
}

export interface Seen extends MemoryAnswer {
  readonly intent: IntentEntry | undefined
  readonly outcome: OutcomeEntry | undefined
  readonly upstream: number
  /** Reason codes of every decision, and of what was only observed. */
  readonly codes: readonly string[]
  readonly observed: readonly string[]
}

interface Asked {
  readonly address?: string
  readonly fields?: RawFields
  readonly body?: string
}

/** A gate over the things contract, with lines of the API (indented by four), of the top and of the policies. */
export function placedGate(options: {
  readonly api?: string
  readonly top?: string
  readonly policies?: string
  /** Links of templates among the policies, as JSON. */
  readonly links?: string
  /** The upstream's answer, and its media type. */
  readonly answer?: string
  readonly type?: string
}) {
  const folder = configFolder()
  folders.push(folder)
  const config = folder.write({
    'sallyport.yaml': `identity: { issuers: { corp: { issuer: "${ISS}" }, machines: { issuer: "${SPIRE}", subjects: workload } } }
apis:
  things:
    contract: ./things.yaml
    upstream: http://127.0.0.1:1
    identity: { accept: [corp, machines], audience: shop }
    objects: { thing: { path: "/things/{id}", owner: /owner, lookup: getThing, issuer: corp } }
${options.api ?? ''}
policies: ./policies
${options.top ?? ''}`,
    'things.yaml': CONTRACT,
    'policies/a.cedar': options.policies ?? '@id("all") permit (principal, action, resource);',
    'policies/a.links.json': options.links ?? '[]',
  })
  const upstream = memoryUpstream(({ method }) => ({
    status: method === 'POST' ? 201 : 200,
    fields: ['Content-Type', options.type ?? 'application/json'],
    body: options.answer ?? '{"id":"a","owner":"ana"}',
  }))
  const made = memoryGate({
    config,
    upstream,
    keys: { corp: { iss: ISS, keys: [KEY] }, machines: { iss: SPIRE, keys: [KEY] } },
  })
  gates.push(made)
  const call = async (method: string, target: string, asked: Asked = {}): Promise<Seen> => {
    const before = upstream.requests.length
    const answer = await callInMemory(made.gate, systemRandom(), {
      method,
      target,
      fields: ['Host', 'gate.example', ...(asked.fields ?? [])],
      ...(asked.address === undefined ? {} : { address: asked.address }),
      ...(asked.body === undefined ? {} : { body: Buffer.from(asked.body) }),
    })
    const intent = made.audit.intents.get(answer.id)
    const outcome = made.audit.outcomes.get(answer.id)
    const decisions = [...(intent?.decisions ?? []), ...(outcome?.decisions ?? [])]
    return {
      ...answer,
      intent,
      outcome,
      upstream: upstream.requests.length - before,
      codes: decisions.flatMap(({ reasons }) => reasons.map(({ code }) => code)),
      observed: decisions.flatMap(({ observed = [] }) => observed.map(({ code }) => code)),
    }
  }
  return { ...made, call, upstream }
}

export function bearer(over: Readonly<Record<string, unknown>> = {}): RawFields {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: ISS,
    sub: 'ana',
    aud: 'shop',
    client_id: 'web',
    scope: 'things',
    jti: crypto.randomUUID(),
  }
  return ['Authorization', `Bearer ${accessToken(KEY, { ...claims, iat: now, exp: now + 300, ...over })}`]
}
