import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { InvalidArgumentError } from 'commander'
import { SallyportError } from '../../model/errors.ts'

const MAX_SECRET_BYTES = 1_048_576

export function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('a port is a number from 0 to 65535')
  return port
}

/**
 * A secret by reference, because argument lists are open to every user of the machine: `file:PATH`, `env:NAME`, or
 * `-` for standard input. Throws `secret-missing`, or `usage` for a secret given as such.
 */
export function secretFrom(reference: string): string {
  if (reference === '-') return readBounded(0, 'standard input')
  if (reference.startsWith('file:')) return readBounded(reference.slice(5), reference)
  if (reference.startsWith('env:')) {
    const value = process.env[reference.slice(4)]
    if (value === undefined || value === '')
      throw new SallyportError('secret-missing', `${reference} is not set`)
    return value.trim()
  }
  throw new SallyportError(
    'usage',
    'secrets are not taken from the command line: use file:PATH, env:NAME or - (standard input)',
  )
}

function readBounded(source: string | 0, name: string): string {
  try {
    const bytes = readFileSync(source)
    if (bytes.byteLength > MAX_SECRET_BYTES) throw new Error('too large')
    return bytes.toString('utf8').trim()
  } catch (error) {
    throw new SallyportError('secret-missing', `${name} cannot be read`, {}, error)
  }
}

/** Who gives the order, for the record: the operating system's account. */
export function operator(): string {
  try {
    return userInfo().username.slice(0, 128)
  } catch {
    return 'unknown'
  }
}
