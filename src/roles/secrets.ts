import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { SallyportError } from '../model/errors.ts'

/** Shorter ones could be guessed over the network in time. */
const MIN_BEARER = 16
const MAX_SECRET_BYTES = 8_192

/**
 * What a reference of the configuration (`env:NAME`, `file:PATH` relative to the configuration) points to; one line
 * break at its end does not count.
 *
 * @throws {SallyportError} `secret-missing`, never with the secret.
 */
export function readSecret(reference: string, config: string): string {
  const secret = find(reference, config).replace(/\r?\n$/, '')
  if (secret === '' || secret.length > MAX_SECRET_BYTES || !/^[\x21-\x7e]+$/.test(secret))
    throw new SallyportError(
      'secret-missing',
      `${reference} holds no secret: 1 to ${MAX_SECRET_BYTES} printable ASCII characters without spaces`,
    )
  return secret
}

/** SHA-256 in hex of a bearer token: what gate threads know those who may ask by. */
export function bearerDigest(reference: string, config: string): string {
  const secret = readSecret(reference, config)
  if (secret.length < MIN_BEARER)
    throw new SallyportError('secret-missing', `${reference} is shorter than ${MIN_BEARER} characters`)
  return createHash('sha256').update(secret).digest('hex')
}

function find(reference: string, config: string): string {
  if (reference.startsWith('env:')) {
    const value = process.env[reference.slice(4)]
    if (value === undefined) throw new SallyportError('secret-missing', `${reference} is not set`)
    return value
  }
  try {
    return readFileSync(resolve(dirname(config), reference.slice(5)), 'utf8')
  } catch (error) {
    throw new SallyportError('secret-missing', `${reference} cannot be read`, {}, error)
  }
}
