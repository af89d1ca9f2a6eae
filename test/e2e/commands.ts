import { execFile } from 'node:child_process'
import { sallyportBin } from '../../demo/sample-gate.ts'
import type { DemoGate } from './harness.ts'

// What tests of the commands share.

/** What a person sees: the command without --json. */
export function shown(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const running = execFile(
      process.execPath,
      [sallyportBin(), ...args],
      { env: { ...process.env, ...env } },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
    running.stdin?.end()
  })
}

export async function call(
  gate: { url: string },
  method: string,
  path: string,
  token?: string,
  body?: object,
) {
  const response = await fetch(gate.url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  await response.arrayBuffer()
  return { status: response.status, id: response.headers.get('sallyport-exchange') ?? '' }
}

/** Some order of a customer, as the shop holds it. */
export async function orderOf(gate: DemoGate, customer: string): Promise<string> {
  const response = await fetch(`${gate.services.shop}/orders`)
  const { orders } = (await response.json()) as { orders: { id: string; customerId: string }[] }
  return orders.find(({ customerId }) => customerId === customer)?.id ?? ''
}
