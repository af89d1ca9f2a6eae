import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SallyportError } from '../model/errors.ts'
import type { Random } from '../model/ports.ts'
import { type DataDirectory, writeOnce } from './data-directory.ts'

const KEY_BYTES = 32

/** The store's key (32 bytes, `keys/store.key`), made at first start. It wraps; it never seals data itself. */
export function openStoreKey(directory: Pick<DataDirectory, 'keys'>, random: Random): Uint8Array {
  const file = join(directory.keys, 'store.key')
  writeOnce(file, random.bytes(KEY_BYTES))
  return readStoreKey(directory)
}

/** The key as a reader beside a running gate gets it. */
export function readStoreKey(directory: Pick<DataDirectory, 'keys'>): Uint8Array {
  const file = join(directory.keys, 'store.key')
  const key = existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
  if (key.length !== KEY_BYTES) {
    throw new SallyportError(
      'store-format',
      `${file} is missing or is not a key of ${KEY_BYTES} bytes; without it sealed records stay sealed. Restore it from a backup.`,
      { file },
    )
  }
  chmodSync(file, 0o600)
  return new Uint8Array(key)
}

/** A key of its own for each purpose (HKDF-SHA-256, RFC 5869), so that no two uses can be played against each other. */
export function subKey(storeKey: Uint8Array, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', storeKey, '', `sallyport/1/${purpose}`, KEY_BYTES)))
}

/** Keyed digests to correlate without keeping values: base64url of HMAC-SHA-256, cut to 16 bytes (22 characters). */
export function keyedDigest(storeKey: Uint8Array, purpose: string): (value: string | Uint8Array) => string {
  const key = subKey(storeKey, purpose)
  return (value) => createHmac('sha256', key).update(value).digest().subarray(0, 16).toString('base64url')
}

export interface SigningKey {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** Checkpoints over the log, and bundles with what was put in force. */
export type SigningPurpose = 'checkpoint' | 'bundle'

/**
 * An Ed25519 key of its own for one purpose, made at first use: `keys/<name>.key` (PKCS #8 PEM, 0600) and
 * `keys/<name>.pub` (SPKI PEM), which a verifier elsewhere needs.
 */
export function openSigningKey(directory: Pick<DataDirectory, 'keys'>, name: SigningPurpose): SigningKey {
  const file = join(directory.keys, `${name}.key`)
  if (!existsSync(file)) {
    const pair = generateKeyPairSync('ed25519')
    writeOnce(file, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  }
  chmodSync(file, 0o600)
  const privateKey = createPrivateKey(readFileSync(file))
  const publicKey = createPublicKey(privateKey)
  writeOnce(join(directory.keys, `${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }).toString())
  return { privateKey, publicKey }
}

/** The public half alone, for a verifier; null where nothing was signed yet. */
export function readVerifyingKey(
  directory: Pick<DataDirectory, 'keys'>,
  name: SigningPurpose,
): KeyObject | null {
  const file = join(directory.keys, `${name}.pub`)
  return existsSync(file) ? createPublicKey(readFileSync(file)) : null
}
