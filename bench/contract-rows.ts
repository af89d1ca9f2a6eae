import type { ContractMeasured } from './contracts.ts'
import { GATE_CORE, pin } from './cpu.ts'
import { kinOpenapi, type Peer } from './kin-openapi.ts'
import { ended, forked, message, pidOf } from './rows.ts'
import { rounded } from './statistics.ts'

/** What holding one message against its contract takes from its bytes on, beside others; CPU in µs. */
export interface ContractRow {
  readonly message: string
  readonly bytes: number
  /** The strict scan, the schema, sealing; of answers also the writing of what is left. */
  readonly gate_us: number
  /** JSON.parse and Ajv with formats over the same schema, unsealed; null of messages that only the gate holds. */
  readonly ajv_us: number | null
  /** JSON.parse and express-openapi-validator’s handlers. */
  readonly express_us: number | null
  /** kin-openapi (Go), the validator in Wallarm’s API firewall. */
  readonly kin_us: number | null
}

export interface ContractFigures {
  readonly request_300b_over_ajv: number | null
  readonly request_5kb_over_ajv: number | null
  readonly answer_5kb_over_ajv: number | null
}

export interface Contracts {
  readonly rows: readonly ContractRow[]
  readonly figures: ContractFigures
}

/** In processes of their own on the gate's core, `ms` for each figure. */
export async function measureContracts(
  ms: number,
  folder: string,
  skipped: { name: string; why: string }[],
): Promise<Contracts> {
  const child = forked('contracts.ts', {})
  let measured: readonly ContractMeasured[]
  try {
    await message(child)
    pin([pidOf(child)], GATE_CORE)
    const answer = message(child)
    child.send(ms)
    measured = (await answer) as readonly ContractMeasured[]
  } finally {
    await ended(child)
  }
  const kin = ms < 100 ? 'too short a run to be worth building it' : kinOpenapi(ms, folder)
  if (typeof kin === 'string') skipped.push({ name: 'kin-openapi', why: kin })
  return contracts(measured, typeof kin === 'string' ? {} : kin)
}

function contracts(measured: readonly ContractMeasured[], kin: Peer): Contracts {
  const over = (begins: string): number | null => {
    const found = measured.find(({ message: name }) => name.startsWith(begins))
    return found?.ajvUs == null ? null : rounded(found.gateUs / found.ajvUs, 2)
  }
  return {
    rows: measured.map(({ message: name, bytes, gateUs, ajvUs, expressUs }) => ({
      message: name,
      bytes,
      gate_us: rounded(gateUs, 2),
      ajv_us: ajvUs === null ? null : rounded(ajvUs, 2),
      express_us: expressUs === null ? null : rounded(expressUs, 2),
      kin_us: kin[name] === undefined ? null : rounded(kin[name], 2),
    })),
    figures: {
      request_300b_over_ajv: over('request of 300 B'),
      request_5kb_over_ajv: over('request of 5 kB'),
      answer_5kb_over_ajv: over('answer of 5 kB'),
    },
  }
}

export function contractLines({ rows, figures }: Contracts): readonly string[] {
  const us = (value: number | null): string => (value === null ? '-' : value.toFixed(1))
  const head = [
    'messages',
    'bytes',
    'gate µs',
    'JSON.parse + Ajv µs',
    'express-openapi-validator µs',
    'kin-openapi µs',
  ]
  const lines = rows.map((row) => [
    row.message,
    String(row.bytes),
    us(row.gate_us),
    us(row.ajv_us),
    us(row.express_us),
    us(row.kin_us),
  ])
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i]?.length ?? 0)))
  const shown = [head, ...lines].map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
  return [...shown, ...Object.entries(figures).map(([name, value]) => `${name}: ${value ?? 'not measured'}`)]
}
