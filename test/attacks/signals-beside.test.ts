import { afterAll, describe, expect, it } from 'vitest'
import { signalFindings } from '../../src/decision/replay/recorded-signals.ts'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import type { SignalPlan } from '../../src/model/bundle.ts'
import { finding } from '../../src/model/fact.ts'
import { reason } from '../../src/model/reason.ts'
import { dryRun } from '../../src/roles/dry-run.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { configFolder } from '../config-folder.ts'
import { memoryGate, memoryUpstream } from '../memory-gate.ts'

/** Where a call is judged a second time (a candidate, a dry run, a replay), decision sources are not asked again. */
const folder = configFolder()
afterAll(() => folder.remove())

const CONTRACT = `openapi: 3.1.0
info: { title: t, version: 1.0.0 }
paths: { /free: { get: { operationId: getFree, security: [], responses: { '200': { description: ok, content: { application/json: { schema: { type: object } } } } } } } }
`
function config(name: string, signals: string): string {
  return folder.write({
    [`${name}/sallyport.yaml`]: `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis: { things: { contract: ./things.yaml, upstream: "http://things.internal", allowPlainHttp: true, owner: team, identity: { accept: [corp], audience: a }${signals === '' ? '' : `, signals: [${signals}]`} } }
signals:
  one: { kind: authzen, url: "https://one.example/base" }
  two: { kind: authzen, url: "https://two.example" }
policies: ./policies
`,
    [`${name}/things.yaml`]: CONTRACT,
    [`${name}/policies/all.cedar`]: 'permit (principal, action, resource);',
  })
}

const JSON_TYPE = ['Content-Type', 'application/json']

async function played(signals: string, candidate: string, decision: boolean) {
  const upstream = memoryUpstream(({ target, path }) =>
    target.origin === 'http://things.internal'
      ? { status: 200, fields: JSON_TYPE, body: '{}' }
      : {
          status: path.endsWith('/access/v1/evaluation') ? 200 : 404,
          fields: JSON_TYPE,
          body: JSON.stringify({ decision }),
        },
  )
  const gate = memoryGate({
    config: config('live', signals),
    upstream,
    keys: {},
    candidate: { config: config('next', candidate) },
  })
  const { status } = await callInMemory(gate.gate, systemRandom(), {
    method: 'GET',
    target: '/free',
    fields: ['Host', 'things.internal'],
  })
  const [outcome] = [...gate.audit.outcomes.values()]
  const asked = upstream.requests.map(({ target, path }) => `${target.origin}${path}`)
  gate.close()
  return { status, candidate: outcome?.candidate, asked }
}

describe('a candidate beside the bundle in force', () => {
  it('takes what its own sources said', async () => {
    const denied = await played('one', 'one', false)
    expect(denied).toMatchObject({ status: 403, candidate: { effect: 'deny', changed: false } })
    expect(denied.asked).toEqual(['https://one.example/base/access/v1/evaluation'])
    const permitted = await played('one', 'one', true)
    expect(permitted).toMatchObject({ status: 200, candidate: { effect: 'allow', changed: false } })
    expect(permitted.candidate).not.toHaveProperty('undecided')
  })

  it('says that it does not know where it has others, and does without where it has none', async () => {
    const other = await played('one', 'two', true)
    expect(other).toMatchObject({ status: 200, candidate: { undecided: true } })
    expect(other.asked.filter((url) => url.startsWith('https://two.example'))).toEqual([])
    expect(await played('one', '', false)).toMatchObject({
      status: 403,
      candidate: { effect: 'allow', changed: true },
    })
    expect(await played('', 'one', true)).toMatchObject({ status: 200, candidate: { undecided: true } })
  })
})

it('a dry run asks nobody, and says so', async () => {
  const run = await dryRun({
    config: config('dry', 'one'),
    method: 'GET',
    url: 'http://things.internal/free',
    fields: [],
    body: null,
    token: null,
  })
  expect(run.verdict).toBe('allow')
  expect(run.notes.join()).toContain('https://one.example is not asked')
})

describe('a replay', () => {
  const one: readonly SignalPlan[] = [
    { name: 'one', origin: 'https://one.example', path: '/', timeoutMs: 200 },
  ]
  const said = [finding(reason('decision-source-denied', 'signal', { source: 'one' }))]
  const ask = (
    from: readonly SignalPlan[] | undefined,
    to: readonly SignalPlan[] | undefined,
    asked: boolean,
  ) => {
    const lookups = asked ? [{ operation: 'signal one', status: 200 }] : []
    const api = (signals: readonly SignalPlan[] | undefined) => ({
      plan: signals === undefined ? {} : { signals },
    })
    type Args = Parameters<typeof signalFindings>
    return signalFindings({ outcome: { lookups } } as unknown as Args[0], said, {
      api: api(to),
      from: api(from),
    } as unknown as Args[2])
  }

  it('keeps what the same sources said, drops it where none is asked, and does not know of others', () => {
    expect(ask(one, one, true)).toEqual(said)
    expect(ask(one, undefined, true)).toEqual([])
    expect(ask(one, one, false)).toBeNull()
    expect(ask(undefined, one, false)).toBeNull()
    expect(
      ask(one, [{ name: 'two', origin: 'https://two.example', path: '/', timeoutMs: 200 }], true),
    ).toBeNull()
  })
})
