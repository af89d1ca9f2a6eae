import { describe, expect, test } from 'vitest'
import { isFault } from '../../model/errors.ts'
import { type InitFlags, readFlags } from './request.ts'

const GOOD: InitFlags = {
  contract: './shop.yaml',
  upstream: 'http://127.0.0.1:3000',
  issuer: 'https://idp.example',
  out: '.',
}

function refusal(flags: Partial<InitFlags>): string {
  try {
    readFlags({ ...GOOD, ...flags })
  } catch (error) {
    if (isFault(error, 'usage')) return error.message
    throw error
  }
  throw new Error('was not refused')
}

describe('the flags of init', () => {
  test('complete ones pass', () => {
    expect(readFlags(GOOD)).toEqual(GOOD)
    const full = { ...GOOD, name: 'shop', audience: 'https://shop.example/', jwks: 'http://[::1]:4000/jwks' }
    expect(readFlags(full)).toEqual(full)
  })

  test('missing ones are all named, with a command to copy', () => {
    const message = refusal({ contract: '', upstream: '' })
    expect(message).toContain('--contract and --upstream are missing')
    expect(message).toContain(
      'sallyport init --contract ./shop.openapi.yaml --upstream http://127.0.0.1:3000 --issuer https://idp.example',
    )
  })

  test.each([
    [{ upstream: 'localhost:3000' }, /--upstream must be an absolute http or https URL\. For example/],
    [{ upstream: 'http://u:p@127.0.0.1' }, /--upstream must not hold credentials/],
    [{ upstream: 'http://127.0.0.1/?a=1' }, /--upstream must not have a query/],
    [
      { upstream: 'http://shop:3000' },
      /--upstream uses plain http: beyond this machine.*allowPlainHttp: true/,
    ],
    [{ issuer: 'idp.example' }, /--issuer must be an absolute http or https URL/],
    [{ issuer: 'http://idp.example' }, /--issuer uses plain http: .*forge any token.*allowPlainHttp: true/],
    [{ issuer: 'https://idp.example?x' }, /--issuer has a query.*--jwks/],
    [{ issuer: 'https://idp.example#x' }, /--issuer must not have a fragment/],
    [{ issuer: 'https://idp.example/a b' }, /--issuer has spaces/],
    [{ jwks: 'ftp://idp.example/jwks' }, /--jwks must be an absolute http or https URL/],
    [{ jwks: 'http://idp.example/jwks' }, /--jwks uses plain http:/],
    [{ name: 'Shop' }, /--name a name has 1 to 63 lower-case letters/],
    [{ name: '../x' }, /--name/],
    [{ audience: '' }, /--audience has 1 to 1024 characters/],
    [{ audience: 'a\nb' }, /--audience/],
    [{ contract: 'https://shop.example/openapi.json' }, /--contract is a URL.*save a copy/],
  ])('%j is refused', (flags, message) => {
    expect(refusal(flags)).toMatch(message)
  })

  test('every problem is told at once, and no value of a URL with credentials is repeated', () => {
    const message = refusal({ upstream: 'http://u:secret@h', issuer: 'x', name: 'É' })
    expect(message.split('\n')).toHaveLength(3)
    expect(message).not.toContain('secret')
  })

  test('an issuer that is no URL needs a key set', () => {
    expect(readFlags({ ...GOOD, issuer: 'corp-idp', jwks: 'https://idp.example/jwks' }).issuer).toBe(
      'corp-idp',
    )
  })
})
