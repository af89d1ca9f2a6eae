import { expect, test } from 'vitest'
import { unstatedAttributes } from './unstated.ts'

const ISSUER = {
  name: 'corp',
  iss: 'https://idp.example',
  algorithms: [],
  types: [],
  groupsClaim: 'groups',
  keys: { refreshSeconds: 300, cooldownSeconds: 10, maxStaleSeconds: 86_400, waitMs: 0 },
  skewSeconds: 30,
}

test('what no claim, network or signal states is named', () => {
  expect([...unstatedAttributes({ issuers: [ISSUER] }).keys()].sort()).toEqual([
    'context.device',
    'context.geo',
    'context.message',
    'context.networks',
    'context.rates',
    'context.risk',
    'principal.roles',
  ])
  const stated = unstatedAttributes({
    issuers: [ISSUER, { ...ISSUER, rolesClaim: 'roles', deviceClaim: 'device' }],
    networks: { office: ['10.0.0.0/8'] },
  })
  expect([...stated.keys()].sort()).toEqual([
    'context.geo',
    'context.message',
    'context.rates',
    'context.risk',
  ])
})
