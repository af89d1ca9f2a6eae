import { beforeEach, describe, expect, it } from 'vitest'
import { issuerPlan } from '../../test/token-issuer.ts'
import type { Revocation } from '../model/directive.ts'
import { SallyportError } from '../model/errors.ts'
import { Revoker, type RevokerPorts } from './revoker.ts'

const ISSUERS = [
  issuerPlan({ name: 'idp', iss: 'http://idp' }),
  issuerPlan({ name: 'partner', iss: 'https://partner.example/realms/a', skewSeconds: 5 }),
]
let applied: Revocation[]
let recorded: unknown[]
let full: boolean
let revoker: Revoker

beforeEach(() => {
  applied = []
  recorded = []
  full = false
  const ports: RevokerPorts = {
    append: () => {
      if (full) throw new SallyportError('store-unwritable', 'full')
    },
    apply: async (revocations) => void applied.push(...revocations),
    record: (by, result, detail) => recorded.push({ by, result, ...detail }),
    digest: (target) => `digest of ${target.length}`,
    wallMs: () => 1_000_999,
  }
  revoker = new Revoker(ports)
})

const subject = async (iss: string) =>
  revoker.subject({ order: 'revoke-subject', iss, sub: 'ana', by: 'ops' }, ISSUERS)

describe('a subject', () => {
  it.each([
    ['http://idp', 'idp', 'http://idp'],
    ['idp', 'idp', 'http://idp'],
    ['partner', 'partner', 'https://partner.example/realms/a'],
  ])('of issuer %s is revoked by iss, and the result says whose tokens', async (given, issuer, iss) => {
    expect(await subject(given)).toMatchObject({ revoked: 1, issuer, iss, sub: 'ana' })
    expect(applied).toMatchObject([{ kind: 'subject', iss, sub: 'ana', notBefore: 1_000, by: 'ops' }])
  })

  it.each([
    ['http://idp/', 'did you mean http://idp?'],
    ['ipd', 'did you mean idp?'],
    ['https://partner.example/realms/a/', 'did you mean https://partner.example/realms/a?'],
    [
      'https://elsewhere.example',
      '(configured: idp (http://idp), partner (https://partner.example/realms/a))',
    ],
  ])('of %s, which is no configured issuer, is not confirmed', async (given, says) => {
    await expect(subject(given)).rejects.toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(says) }),
    )
    expect(applied).toEqual([])
  })
})

it('what was revoked is on record by its digest, also where it failed', async () => {
  await subject('idp')
  await revoker.token({ order: 'revoke-token', keys: ['jti:stolen'], by: 'ops' })
  full = true
  await expect(subject('idp')).rejects.toThrow('full')
  const who = { by: 'ops', kind: 'subject', issuer: 'idp', target: 'digest of 20' }
  expect(recorded).toEqual([
    { ...who, result: 'ok' },
    { by: 'ops', result: 'ok', kind: 'token', target: 'digest of 10' },
    { ...who, result: 'failed', code: 'store-unwritable' },
  ])
  expect(applied).toHaveLength(2)
})
