/**
 * The signature algorithms the gate verifies (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2): asymmetric ones only.
 * There is no HMAC here at all, so no public key can ever serve as a secret.
 */
import { Buffer } from 'node:buffer'
import { constants, type KeyObject, verify } from 'node:crypto'

interface Algorithm {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly crv?: string
  /** Null where the algorithm brings its own (EdDSA). */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null
  readonly pss?: true
  /** Exact bytes of a signature; RSA's is its modulus'. */
  readonly signatureBytes?: number
}

export const ALGORITHMS = {
  RS256: { kty: 'RSA', hash: 'sha256' },
  RS384: { kty: 'RSA', hash: 'sha384' },
  RS512: { kty: 'RSA', hash: 'sha512' },
  PS256: { kty: 'RSA', hash: 'sha256', pss: true },
  PS384: { kty: 'RSA', hash: 'sha384', pss: true },
  PS512: { kty: 'RSA', hash: 'sha512', pss: true },
  ES256: { kty: 'EC', crv: 'P-256', hash: 'sha256', signatureBytes: 64 },
  ES384: { kty: 'EC', crv: 'P-384', hash: 'sha384', signatureBytes: 96 },
  ES512: { kty: 'EC', crv: 'P-521', hash: 'sha512', signatureBytes: 132 },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', hash: null, signatureBytes: 64 },
  Ed25519: { kty: 'OKP', crv: 'Ed25519', hash: null, signatureBytes: 64 },
} as const satisfies Record<string, Algorithm>

export type AlgorithmName = keyof typeof ALGORITHMS

export function isAlgorithm(name: string): name is AlgorithmName {
  return Object.hasOwn(ALGORITHMS, name)
}

/** The algorithms a key may verify: its stated one (and that one's other name), else all of its type and curve. */
export function algorithmsOf(
  kty: string,
  crv: string | undefined,
  alg: string | undefined,
): readonly AlgorithmName[] {
  const stated =
    alg === 'Ed25519' || alg === 'EdDSA' ? ['EdDSA', 'Ed25519'] : alg === undefined ? null : [alg]
  return (Object.keys(ALGORITHMS) as AlgorithmName[]).filter((name) => {
    const algorithm: Algorithm = ALGORITHMS[name]
    return algorithm.kty === kty && algorithm.crv === crv && (stated === null || stated.includes(name))
  })
}

/** What one key needs to verify one algorithm, made once per key. */
export interface SignatureCheck {
  readonly hash: string | null
  readonly signatureBytes: number
  readonly options: Parameters<typeof verify>[2]
}

export function signatureCheck(name: AlgorithmName, key: KeyObject): SignatureCheck {
  const algorithm: Algorithm = ALGORITHMS[name]
  const signatureBytes =
    algorithm.signatureBytes ?? Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
  if (algorithm.kty === 'EC') {
    return { hash: algorithm.hash, signatureBytes, options: { key, dsaEncoding: 'ieee-p1363' } }
  }
  if (algorithm.kty === 'OKP') return { hash: algorithm.hash, signatureBytes, options: key }
  return {
    hash: algorithm.hash,
    signatureBytes,
    options: algorithm.pss
      ? // RFC 7518 §3.5: the salt is as long as the digest, not whatever the signature says.
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { key, padding: constants.RSA_PKCS1_PADDING },
  }
}

/** True only of a good signature: a wrong length or anything the crypto library chokes on is a bad one. */
export function signatureHolds(check: SignatureCheck, signingInput: string, signature: Uint8Array): boolean {
  if (signature.length !== check.signatureBytes) return false
  try {
    return verify(check.hash, Buffer.from(signingInput, 'latin1'), check.options, signature)
  } catch {
    return false
  }
}
