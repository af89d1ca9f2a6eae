import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { memoryGate, memoryUpstream } from '../memory-gate.ts'
import { testKey } from '../token-issuer.ts'

/** One call of schemathesis (cases.py) and what the gate made of it. */
export interface Judged {
  readonly mode: 'positive' | 'negative'
  readonly why: string
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer | null
  /** The call reached the upstream. */
  readonly forwarded: boolean
  readonly status: number
  /** `code forCaller` of each reason against it. */
  readonly reasons: readonly string[]
}

interface Case extends Omit<Judged, 'body' | 'forwarded' | 'status' | 'reasons'> {
  readonly body: string | null
}

/** Has schemathesis make calls of the contract and plays each through the whole page in memory. */
export async function throughGate(
  name: string,
  contract: Record<string, unknown>,
  python: string,
  effort: { readonly seed: number; readonly operations: number; readonly examples: number },
): Promise<{ readonly judged: readonly Judged[]; readonly unmade: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-oracle-'))
  try {
    const { config, document } = writeGate(folder, name, contract)
    const upstream = memoryUpstream(() => ({ status: 204 }))
    const key = testKey('ES256')
    const memory = memoryGate({
      config,
      upstream,
      keys: { corp: { iss: 'https://idp.example', keys: [key] } },
    })
    const judged: Judged[] = []
    let unmade = 0
    try {
      for await (const line of linesOf(python, [document, effort.seed, effort.operations, effort.examples])) {
        const made = JSON.parse(line) as Case | { readonly unmade: string }
        if ('unmade' in made) unmade++
        else judged.push(await played(made, memory, upstream.requests))
      }
    } finally {
      memory.close()
    }
    return { judged, unmade }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A gate's configuration for the contract in which everybody may call everything. */
export function writeGate(
  folder: string,
  name: string,
  contract: Record<string, unknown>,
): { readonly config: string; readonly document: string; readonly open: Record<string, unknown> } {
  const open = { ...withoutSecurity(contract), servers: [{ url: 'http://127.0.0.1/' }] }
  const document = join(folder, 'contract.json')
  writeFileSync(document, JSON.stringify(open))
  writeFileSync(join(folder, 'all.cedar'), '@id("all") permit (principal, action, resource);\n')
  const config = join(folder, 'sallyport.yaml')
  writeFileSync(
    config,
    `listen: { host: 127.0.0.1, port: 8080 }
identity: { issuers: { corp: { issuer: 'https://idp.example', jwks: 'https://idp.example/jwks.json' } } }
apis:
  ${name}:
    contract: ./contract.json
    upstream: http://127.0.0.1:3000/
    identity: { accept: [corp], audience: api }
    owner: team
policies: ./
store: ./data
`,
  )
  return { config, document, open }
}

/** Who may call is not what is asked here. */
function withoutSecurity(contract: Record<string, unknown>): Record<string, unknown> {
  const out = structuredClone(contract) as Record<string, Record<string, Record<string, unknown>>>
  ;(out as Record<string, unknown>)['security'] = []
  delete out['components']?.['securitySchemes']
  for (const item of Object.values(out['paths'] ?? {}))
    for (const operation of Object.values(item))
      if (typeof operation === 'object' && operation !== null)
        delete (operation as Record<string, unknown>)['security']
  return out
}

async function* linesOf(python: string, values: readonly (string | number)[]): AsyncGenerator<string> {
  const child = spawn(python, [join(import.meta.dirname, 'cases.py'), ...values.map(String)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  yield* createInterface({ input: child.stdout })
}

async function played(
  made: Case,
  memory: ReturnType<typeof memoryGate>,
  requests: readonly unknown[],
): Promise<Judged> {
  const body = made.body === null ? null : Buffer.from(made.body, 'base64')
  const before = requests.length
  const fields = ['Host', '127.0.0.1', ...made.headers.flat()]
  const answer = await callInMemory(memory.gate, systemRandom(), {
    method: made.method,
    target: made.target,
    fields,
    ...(body === null ? {} : { body }),
  })
  const intents = [...memory.audit.intents.values()]
  const reasons = intents
    .flatMap(({ decisions }) => decisions.flatMap((decision) => decision.reasons))
    .map(({ code, forCaller }) => `${code} ${forCaller ?? ''}`.trim())
  memory.audit.intents.clear()
  memory.audit.outcomes.clear()
  return { ...made, body, forwarded: requests.length > before, status: answer.status, reasons }
}
