import { type KeyObject, sign } from 'node:crypto'
import {
  AUDIENCE,
  BASE_PATH,
  COLLECTIONS,
  collection,
  FIRST_SEEN,
  HOST,
  LIVE_TOKENS,
  REFUSED,
  SCOPES,
} from './full-v1.ts'

/** One request as it goes on the wire, and the status a gate that works gives it. */
export interface Call {
  readonly bytes: string
  readonly status: number
}

/** Signs access tokens (RFC 9068) as the bench's issuer. */
export class Tokens {
  readonly #issuer: string
  readonly #key: KeyObject
  readonly #header: string
  #made = 0

  constructor(issuer: string, key: KeyObject, kid: string) {
    this.#issuer = issuer
    this.#key = key
    this.#header = part({ alg: 'RS256', typ: 'at+jwt', kid })
  }

  /** Of the person with this number; each token is another one. `exp` in seconds from now. */
  issue(person: number, expiresIn = 3_600): string {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: this.#issuer,
      sub: personId(person),
      aud: AUDIENCE,
      client_id: 'bench-app',
      scope: SCOPES,
      groups: ['customers', `region-${person % 7}`],
      jti: `t${process.pid}-${this.#made++}`,
      iat: now - 7_200,
      exp: now + expiresIn,
    }
    const input = `${this.#header}.${part(claims)}`
    return `${input}.${sign('sha256', Buffer.from(input), this.#key).toString('base64url')}`
  }
}

export function personId(person: number): string {
  return `person-${person}`
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const BODY = JSON.stringify({
  currency: 'EUR',
  email: 'someone@bench.example',
  deliverOn: '2027-03-14',
  express: true,
  note: 'Leave it with the neighbours on the left, please.',
  lines: [
    { sku: 'A-1001', title: 'A fairly ordinary kettle', quantity: 1, price: 39.9 },
    { sku: 'B-2002', title: 'Tea, loose, 250 g', quantity: 4, price: 7.25 },
  ],
})
const UNFIT_BODY = BODY.replace('"quantity":4', '"quantity":"4"')

const REFUSALS = ['no-token', 'forged', 'expired', 'unfit', 'foreign', 'unknown-path'] as const

/**
 * The calls of `full-v1`, one after the other: operations rotate, persons do too, and a fixed pseudo-random sequence
 * says which call is refused and which carries a token never seen before. A new token takes its person's old one's
 * place, so that there are always as many live ones.
 */
export class Calls {
  readonly #tokens: Tokens
  readonly #live: string[]
  readonly #expired: string
  readonly #fresh: { readonly person: number; readonly token: string }[] = []
  #sequence = 0
  #person = 0
  #renewing = 0
  #refusals = 0
  #seed = 0x2545f491
  /** Tokens that had to be signed while the load ran. */
  signedLate = 0

  constructor(tokens: Tokens) {
    this.#tokens = tokens
    this.#live = Array.from({ length: LIVE_TOKENS }, (_, person) => tokens.issue(person))
    this.#expired = tokens.issue(0, -3_600)
  }

  /** Signs ahead for so many calls, so that no signing is done while they run. */
  prepare(calls: number): void {
    const wanted = Math.ceil(calls * FIRST_SEEN * 1.1)
    while (this.#fresh.length < wanted) this.#fresh.push(this.#renew())
  }

  /** Calls that renew every live token's proof: what a gate that has run for a while knows already. */
  *introduce(): Generator<Call> {
    for (let person = 0; person < LIVE_TOKENS; person++)
      yield this.#post(person, this.#live[person] ?? '', BODY, 201)
  }

  next(): Call {
    const sequence = this.#sequence++
    const chance = this.#chance()
    if (chance < REFUSED) return this.#refusal(sequence)
    this.#person = (this.#person + 7) % LIVE_TOKENS
    let person = this.#person
    if (chance < REFUSED + FIRST_SEEN) {
      const fresh = this.#fresh.pop() ?? this.#late()
      person = fresh.person
      this.#live[person] = fresh.token
    }
    const token = this.#live[person] ?? ''
    return sequence % 2 === 0
      ? this.#get(sequence, person, token, 200)
      : this.#post(sequence, token, BODY, 201)
  }

  #refusal(sequence: number): Call {
    const person = this.#person
    const token = this.#live[person] ?? ''
    switch (REFUSALS[this.#refusals++ % REFUSALS.length]) {
      case 'no-token':
        return this.#get(sequence, person, '', 401)
      case 'forged':
        // Another signature each time, so that the gate has to check it.
        return this.#get(sequence, person, `${token.slice(0, -12)}${forgery(sequence)}`, 401)
      case 'expired':
        return this.#get(sequence, person, this.#expired, 401)
      case 'unfit':
        return this.#post(sequence, token, UNFIT_BODY, 400)
      case 'foreign':
        return this.#get(sequence, (person + 1) % LIVE_TOKENS, token, 404)
      default:
        return { bytes: request('GET', `${BASE_PATH}/nowhere/${sequence}`, token, ''), status: 404 }
    }
  }

  /** The record belongs to the person of its id's first part: only the upstream makes use of that. */
  #get(sequence: number, owner: number, token: string, status: number): Call {
    const name = collection((sequence >> 1) % COLLECTIONS)
    return { bytes: request('GET', `${BASE_PATH}/${name}/${owner}-${sequence % 100}`, token, ''), status }
  }

  #post(sequence: number, token: string, body: string, status: number): Call {
    const name = collection((sequence >> 1) % COLLECTIONS)
    return { bytes: request('POST', `${BASE_PATH}/${name}`, token, body), status }
  }

  #late(): { readonly person: number; readonly token: string } {
    this.signedLate += 1
    return this.#renew()
  }

  #renew(): { readonly person: number; readonly token: string } {
    this.#renewing = (this.#renewing + 1) % LIVE_TOKENS
    const person = this.#renewing
    return { person, token: this.#tokens.issue(person) }
  }

  /** xorshift32, in [0, 1). */
  #chance(): number {
    let x = this.#seed
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#seed = x
    return (x >>> 0) / 0x1_0000_0000
  }
}

function forgery(sequence: number): string {
  return Buffer.from(String(sequence % 1_000_000).padStart(9, '0')).toString('base64url')
}

function request(method: string, target: string, token: string, body: string): string {
  const authorization = token === '' ? '' : `Authorization: Bearer ${token}\r\n`
  const content =
    body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
  return (
    `${method} ${target} HTTP/1.1\r\nHost: ${HOST}\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n` +
    `${authorization}${content}\r\n${body}`
  )
}
