import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isAlgorithm, signatureHolds } from '../../src/identity/algorithms.ts'
import { parseJwks } from '../../src/identity/jwks.ts'
import { KeyRing } from '../../src/identity/key-ring.ts'
import { parseJws } from '../../src/syntax/jws.ts'
import { fixturesDir } from '../fixtures.ts'
import { trustedIssuer } from '../token-issuer.ts'

/**
 * Wycheproof's JWS vectors and the JOSE cookbook (RFC 7520 §4, RFC 8037 A.4), judged by what the gate judges tokens
 * with: strict parser, key set reader, key ring, signature check.
 */
interface Vector {
  readonly tcId: number
  readonly comment: string
  readonly jws: unknown
  readonly result: 'valid' | 'invalid'
}

interface Group {
  readonly comment: string
  readonly public?: Readonly<Record<string, unknown>>
  readonly private?: Readonly<Record<string, unknown>>
  readonly tests: readonly Vector[]
}

const corp = trustedIssuer()
const now = { wallMs: 1_800_000_000_000, monoMs: 0 }

function accepts(text: string, jwk: unknown): boolean {
  const parsed = parseJws(text)
  if (!parsed.ok) return false
  const set = parseJwks(Buffer.from(JSON.stringify({ keys: [jwk] })))
  if (!set.ok) return false
  const ring = new KeyRing()
  ring.apply(
    {
      issuer: 'corp',
      iss: 'https://idp.example',
      ok: true,
      keys: set.keys,
      fetchedAt: now.wallMs,
      cooldownFrom: 0,
      cooldownUntil: 0,
    },
    now,
  )
  const { header, signingInput, signature } = parsed.jws
  const keys = ring.find(corp, header.kid, header.alg, now)
  if (typeof keys === 'string') return false
  return keys.some((key) => {
    const check = isAlgorithm(header.alg) ? key.checks.get(header.alg) : undefined
    return check !== undefined && signatureHolds(check, signingInput, signature)
  })
}

function usable(jwk: unknown): boolean {
  const set = parseJwks(Buffer.from(JSON.stringify({ keys: [jwk] })))
  return set.ok && set.keys.length === 1
}

const fixtures = fixturesDir()

describe.skipIf(fixtures === null)('Wycheproof JWS', () => {
  const file = join(fixtures ?? '', 'wycheproof-jose/testvectors_v1/json_web_signature_test.json')
  const groups: readonly Group[] = fixtures === null ? [] : JSON.parse(readFileSync(file, 'utf8')).testGroups
  const vectors = groups.flatMap((group) => group.tests.map((vector) => ({ group, vector })))
  const keyOf = (group: Group) => group.public ?? group.private ?? {}

  it('accepts no invalid vector', () => {
    const invalid = vectors.filter(({ vector }) => vector.result === 'invalid')
    const through = invalid.filter(({ group, vector }) => accepts(String(vector.jws), keyOf(group)))
    expect(through.map(({ vector }) => `${vector.tcId} ${vector.comment}`)).toEqual([])
    const keyless = invalid.filter(({ group }) => !usable(keyOf(group)))
    console.log(
      `wycheproof jws: ${invalid.length} invalid vectors, none accepted; ${keyless.length} by their key alone`,
    )
    // Most must be refused for what is wrong with them, not because the key was not even read.
    expect(
      keyless.every(({ group }) => keyOf(group)['kty'] === 'oct' || /encryption/.test(group.comment)),
    ).toBe(true)
    expect(invalid.length).toBeGreaterThan(300)
  })

  it('refuses by the parser what is no base64url, whatever the algorithm', () => {
    const named = vectors.filter(
      ({ group, vector }) =>
        group.comment === 'base64' && /spaces|[Ii]nvalidChar|UnusedBits/.test(vector.comment),
    )
    const read = named.filter(({ vector }) => parseJws(String(vector.jws)).ok)
    expect(read.map(({ vector }) => vector.tcId)).toEqual([])
    expect(named.length).toBeGreaterThanOrEqual(9)
  })

  it('accepts every valid vector whose algorithm is asymmetric and its key’s own', () => {
    const valid = vectors.filter(({ vector }) => vector.result === 'valid')
    const left: string[] = []
    const wrong: string[] = []
    let accepted = 0
    for (const { group, vector } of valid) {
      const key = keyOf(group)
      const parsed = parseJws(String(vector.jws))
      const alg = parsed.ok ? parsed.jws.header.alg : 'unread'
      const good = accepts(String(vector.jws), key)
      const reason =
        key['kty'] === 'oct'
          ? 'symmetric: the gate has no HMAC'
          : key['alg'] !== undefined && key['alg'] !== alg
            ? `the key is for ${String(key['alg'])}, the token says ${alg}`
            : null
      if (reason !== null) left.push(`${vector.tcId} ${group.comment}/${vector.comment}: ${reason}`)
      else if (good) accepted++
      if (good !== (reason === null)) wrong.push(`${vector.tcId} ${vector.comment}`)
    }
    console.log(
      `wycheproof jws: ${valid.length} valid vectors, ${accepted} accepted, ${left.length} left out:`,
    )
    for (const line of left) console.log(`  ${line}`)
    expect(wrong).toEqual([])
    expect(accepted + left.length).toBe(valid.length)
    expect(accepted).toBeGreaterThan(20)
  })
})

describe.skipIf(fixtures === null)('JOSE cookbook', () => {
  const root = join(fixtures ?? '', 'jose-cookbook')
  const folder = join(root, 'jws')
  const files =
    fixtures === null
      ? []
      : [...readdirSync(folder).map((name) => join(folder, name)), join(root, 'curve25519/jws.json')]
  /** What the file's name says cannot be a compact token for this gate. */
  const LEFT: Readonly<Record<string, string>> = {
    '4_4': 'symmetric',
    '4_5': 'detached content: no compact form with a payload',
    '4_6': 'unprotected header: JSON serialisation only',
    '4_7': 'unprotected header: JSON serialisation only',
    '4_8': 'several signatures: JSON serialisation only',
  }

  it.each(files)('%s', (file) => {
    const example = JSON.parse(readFileSync(file, 'utf8'))
    const left = Object.entries(LEFT).find(([name]) => file.includes(`/${name}.`))?.[1]
    const compact: unknown = example.output.compact
    if (left !== undefined) {
      console.log(`${example.title}: left out, ${left}`)
      if (typeof compact === 'string') expect(accepts(compact, example.input.key)).toBe(false)
      return
    }
    // The examples give private keys: only what an issuer would publish is taken.
    const { kty, kid, use, n, e, crv, x, y } = example.input.key
    const key =
      kty === 'RSA'
        ? { kty, kid, use, n, e }
        : kty === 'EC'
          ? { kty, kid, use, crv, x, y }
          : { kty, use, crv, x }
    expect(accepts(String(compact), key)).toBe(true)
    expect(accepts(String(compact), example.input.key)).toBe(false)
  })
})
