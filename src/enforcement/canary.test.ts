import { describe, expect, it } from 'vitest'
import type { Exchange } from '../model/exchange.ts'
import { ANONYMOUS, type Subject } from '../model/subject.ts'
import { parseIp } from '../syntax/ip.ts'
import { canaryFor } from './canary.ts'
import type { Snapshot } from './snapshot.ts'

const snapshot = { bundle: 'b' } as Partial<Snapshot> as Snapshot
const ANA: Subject = { ...ANONYMOUS, kind: 'user', issuer: 'corp', id: 'ana' }

function from(address: string): Exchange {
  const ip = parseIp(address)
  return { caller: { bytes: ip?.bytes, text: address, port: 1 } } as Partial<Exchange> as Exchange
}

/** What the digest is asked of a call. */
function keyOf(subject: Subject, address: string): string {
  const asked: string[] = []
  canaryFor({ snapshot, share: 50 }, subject, from(address), (text) => {
    asked.push(text)
    return 'AAAAAAAAAAAAAAAAAAAAAA'
  })
  return asked.join()
}

describe('a canary’s callers', () => {
  it('are known by their verified name wherever they call from, and anonymous ones by what they cannot vary', () => {
    expect(keyOf(ANA, '192.0.2.1')).toBe(keyOf(ANA, '198.51.100.7'))
    expect(keyOf(ANA, '192.0.2.1')).not.toBe(keyOf({ ...ANA, id: 'ben' }, '192.0.2.1'))
    expect(keyOf(ANA, '192.0.2.1')).toBe(keyOf({ ...ANA, tokenDigest: 'x', client: 'other' }, '192.0.2.1'))
    expect(keyOf(ANONYMOUS, '192.0.2.1')).not.toBe(keyOf(ANONYMOUS, '192.0.2.2'))
    expect(keyOf(ANONYMOUS, '2001:db8::1')).toBe(keyOf(ANONYMOUS, '2001:db8::ffff:1'))
    expect(keyOf(ANONYMOUS, '2001:db8::1')).not.toBe(keyOf(ANONYMOUS, '2001:db8:0:1::1'))
    expect(keyOf({ ...ANA, id: 'address c0000201' }, '::')).not.toBe(keyOf(ANONYMOUS, '192.0.2.1'))
  })

  it('are none without a candidate, a share or a key', () => {
    const all = () => 'AAAAAAAAAAAAAAAAAAAAAA'
    const call = from('192.0.2.1')
    expect(canaryFor(null, ANA, call, all)).toBeNull()
    expect(canaryFor({ snapshot, share: 0 }, ANA, call, all)).toBeNull()
    expect(canaryFor({ snapshot, share: 100 }, ANA, call, undefined)).toBeNull()
    expect(canaryFor({ snapshot, share: 0.001 }, ANA, call, all)).toBe(snapshot)
    expect(canaryFor({ snapshot, share: 99 }, ANA, call, () => '_____________________w')).toBeNull()
  })
})
