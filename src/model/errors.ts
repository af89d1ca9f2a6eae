/** A fault, never a refusal (a refusal is a Decision). Codes are stable; each has a page in docs/reference/errors.md. */
export class SallyportError extends Error {
  readonly code: FaultCode
  /** Structured, secret-free evidence: file, line, column, limits, key names. */
  readonly data: Readonly<Record<string, string | number | boolean | readonly string[]>>

  constructor(code: FaultCode, message: string, data: SallyportError['data'] = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SallyportError'
    this.code = code
    this.data = data
  }
}

/** Summary and way out for each fault; the reference page is generated from this table. */
export const FAULTS = {
  'config-missing': 'The configuration file does not exist or cannot be read.',
  'config-invalid':
    'The configuration has an error; the message names file, line, column and the nearest known key.',
  'contract-invalid':
    'A contract cannot be used: unreadable, an unsupported version, or an unresolvable reference.',
  'policy-invalid': 'A policy does not parse or does not fit the schema made from contracts and config.',
  'policy-test-failed': 'A policy test beside the policies did not get the verdict it expects.',
  'port-taken': 'Another program listens on the address.',
  'store-format': 'The data directory was written by a newer version, or is not a data directory.',
  'store-in-use': 'Another running gate uses the data directory.',
  'store-unwritable': 'The data directory cannot be written.',
  'audit-write-failed':
    'A record could not be written; the route’s onAuditFailure decides what happens to the call.',
  'bundle-corrupt':
    'A bundle cannot be put in force: its bytes do not match its hash, or a gate thread failed on it.',
  'bundle-signature':
    'A bundle is not signed by this store’s key, or its signature does not verify: it is not used, and what is in force stays.',
  'bundle-unknown': 'The store holds no such bundle, or there is none before the one in force.',
  'bundle-in-force': 'The bundle asked for is in force already: nothing was changed.',
  'candidate-refused':
    'A candidate cannot be staged, given a share or promoted as things stand; the message says why and what to do.',
  'body-broken-off': 'The sender ended the body before its announced end.',
  'body-too-slow': 'The sender did not deliver the body in time.',
  'body-too-large': 'The body is larger than the limit.',
  'upstream-unreachable': 'The upstream refused the connection or could not be resolved.',
  'upstream-timeout': 'The upstream did not answer in time.',
  'upstream-broken': 'The upstream broke off or sent what is not HTTP.',
  'keys-unreachable': 'An issuer’s key set or discovery document could not be fetched.',
  'keys-invalid': 'An issuer’s key set or discovery document is not usable.',
  'secret-missing': 'A secret reference (env: or file:) points to nothing.',
  'control-unreachable': 'No running gate answers on the store’s control socket.',
  usage: 'The command line is not understood.',
  'not-written': 'Files could not be made, or would have replaced existing ones; nothing was changed.',
  'limit-reached': 'A bound that protects the gate is reached; the message says which and what to do.',
  'not-carried': 'This entrance or upstream cannot carry what was asked of it.',
  internal:
    'The program itself is at fault, not what it was given: what it printed belongs in a report, with the version and the command.',
} as const

export type FaultCode = keyof typeof FAULTS

export function isFault(error: unknown, code?: FaultCode): error is SallyportError {
  return error instanceof SallyportError && (code === undefined || error.code === code)
}
