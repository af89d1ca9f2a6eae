import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { showDecisions } from './live.ts'
import { type SampleGate, type Services, startGate, startServices, writeSampleConfig } from './sample-gate.ts'
import { runTour, type TourAnswer, type TourDrive, type TourRecord } from './tour.ts'

// `sallyport demo`: the shop, its provider and the gate in front, each a process of its own, on loopback.

export interface DemoRequest {
  readonly once: boolean
  readonly json: boolean
  readonly port: number | null
  readonly managementPort: number | null
  readonly shopPort: number | null
  readonly providerPort: number | null
}

/** Resolves with the exit code: 0 every verdict as it must be, 1 one was not, 2 it could not run. */
export async function runDemo(request: DemoRequest): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-demo-'))
  const stops: (() => Promise<void>)[] = []
  // From the first process on: Ctrl-C at any moment ends what was started and leaves nothing behind.
  const ending = new AbortController()
  const onSignal = (): void => ending.abort()
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    const free = request.once
    const services = await startServices({
      shop: request.shopPort ?? (free ? 0 : 3000),
      provider: request.providerPort ?? (free ? 0 : 4000),
    })
    stops.push(services.stop)
    if (ending.signal.aborted) return 0
    const ports = {
      gate: request.port ?? (free ? 0 : 8080),
      management: request.managementPort ?? (free ? 0 : 9090),
    }
    const config = writeSampleConfig(folder, {
      ...services,
      port: ports.gate,
      managementPort: ports.management,
    })
    const gate = await startGate(config, ports)
    stops.push(() => gate.stop())
    if (ending.signal.aborted) return 0
    return request.once ? await tour(request, services, gate) : await live(services, gate, folder, ending)
  } catch (error) {
    if (ending.signal.aborted) return 0
    const message = error instanceof Error ? error.message : 'the demo could not start'
    process.stderr.write(`${message}\n`)
    if (/taken|in use|cannot listen/i.test(message)) {
      process.stderr.write(
        'Choose other ports: npm start -- --port N --management-port N --shop-port N --provider-port N (0: any free one).\n',
      )
    }
    return 2
  } finally {
    for (const stop of stops.reverse()) await stop().catch(() => undefined)
    rmSync(folder, { recursive: true, force: true })
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

async function tour(request: DemoRequest, services: Services, gate: SampleGate): Promise<number> {
  const result = await runTour(socketDrive(services, gate), (name) => {
    if (!request.json) process.stderr.write(`${name}\n`)
  })
  if (request.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  else {
    for (const { name, seen, decision, ok } of result.steps) {
      process.stdout.write(
        `${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(30)} ${seen.effect} ${seen.status}  ${decision.reasons.join(', ')}\n`,
      )
    }
    process.stdout.write(
      result.ok ? 'every verdict as it must be\n' : 'some verdicts were not as they must be\n',
    )
  }
  return result.ok ? 0 : 1
}

/** Drives the tour over sockets, and reads the verdicts with the program's own `audit query`. */
export function socketDrive(services: Services, gate: SampleGate): TourDrive {
  return {
    token: services.token,
    reached: () => services.calls,
    call: async (method, path, token, body): Promise<TourAnswer> => {
      const response = await fetch(gate.url + path, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return {
        id: response.headers.get('sallyport-exchange') ?? '',
        status: response.status,
        body: await response.text(),
      }
    },
    records: async () => {
      const { code, json, stderr } = await gate.command(['audit', 'query', '--limit', '1000'])
      if (code !== 0 || !Array.isArray(json)) throw new Error(`the records could not be read: ${stderr}`)
      return new Map(json.map((record): [string, TourRecord] => [String(record.intent?.id), summary(record)]))
    },
  }
}

interface DecisionJson {
  readonly reasons?: readonly { readonly code?: string }[]
}

function summary(record: {
  intent?: { decisions?: DecisionJson[] }
  outcome?: { effect?: string; decisions?: DecisionJson[] }
}): TourRecord {
  const decisions = [...(record.intent?.decisions ?? []), ...(record.outcome?.decisions ?? [])]
  const reasons = decisions.flatMap((decision) => decision.reasons ?? []).map(({ code }) => code ?? '')
  return { effect: record.outcome?.effect ?? 'unknown', reasons: [...new Set(reasons)] }
}

/** Tokens last 15 minutes; new ones are put into the files well before. */
const RENEW_MS = 600_000

async function live(
  services: Services,
  gate: SampleGate,
  folder: string,
  ending: AbortController,
): Promise<number> {
  const print = (line: string): void => void process.stdout.write(`${line}\n`)
  const people = ['ana', 'ben', 'olga']
  const renew = async (): Promise<string[]> => {
    const tokens = await Promise.all(people.map((person) => services.token(person)))
    for (const [index, token] of tokens.entries()) {
      writeFileSync(join(folder, `${people[index]}.token`), `${token}\n`, { mode: 0o600 })
    }
    return tokens
  }
  const [ana, ben, olga] = await renew()
  const renewal = setInterval(() => void renew().catch(() => undefined), RENEW_MS)
  print(`gate        ${gate.url}/v1            (this is what callers use)`)
  print(`management  ${gate.management}/metrics`)
  print(`shop        ${services.shop}            (the API behind, open to anyone who can reach it)`)
  print(`provider    ${services.issuer}/.well-known/openid-configuration`)
  print(`records     ${gate.store} (removed at the end)`)
  print(`explain     node bin/sallyport.js explain ID --config ${gate.config}`)
  print(`tokens      ${folder}/{ana,ben,olga}.token (kept fresh; those below are good for 15 minutes)`)
  print('')
  print('Try these in another terminal:')
  print('')
  const curl = (title: string, token: string | undefined, rest: string): void => {
    print(`# ${title}`)
    print(`curl -s ${token === undefined ? '' : `-H 'Authorization: Bearer ${token}' `}${rest}`)
    print('')
  }
  curl(
    'ana reads her own order: allowed, and the fields the contract does not declare are gone',
    ana,
    `${gate.url}/v1/orders/o-1001`,
  )
  curl("ben reads ana's order: to him it does not exist", ben, `${gate.url}/v1/orders/o-1001`)
  curl('olga, of the staff, lists the customers: allowed', olga, `${gate.url}/v1/admin/customers`)
  curl(
    'ana sends a field the contract does not know: refused',
    ana,
    `-X PATCH -H 'Content-Type: application/json' -d '{"note":"x","isAdmin":true}' ${gate.url}/v1/orders/o-1001`,
  )
  curl('nobody in particular reads an order: asked for a token', undefined, `${gate.url}/v1/orders/o-1001`)
  print(
    'Decisions as they are made (who, operation, verdict, status, time in the gate, reason; of a deny its id and the smallest change that would allow it). Ctrl-C ends.',
  )
  print(`One of them in full: node bin/sallyport.js explain ID --config ${gate.config}`)
  print('')
  gate.exited.then(() => ending.abort())
  try {
    await showDecisions(gate.store, ending.signal, print)
  } finally {
    clearInterval(renewal)
  }
  return 0
}
