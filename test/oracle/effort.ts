/** How much is tried: little in a test run; `SALLYPORT_ORACLE=full` for what the documented figures were measured with. */
const full = process.env['SALLYPORT_ORACLE'] === 'full'

export const EFFORT = {
  messages: full ? { messages: 100_000, values: 10, faults: 6 } : { messages: 80, values: 3, faults: 4 },
  calls: full ? { operations: 100_000, calls: 6, faults: 6 } : { operations: 20, calls: 2, faults: 4 },
  schemathesis: full ? { operations: 60, examples: 6 } : { operations: 3, examples: 2 },
  timeoutMs: full ? 7_200_000 : 300_000,
} as const

export const SEED = Number(process.env['SALLYPORT_SEED'] ?? 20_261_122)
