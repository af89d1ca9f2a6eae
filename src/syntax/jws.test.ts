import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { decodeBase64url, MAX_JWS_CHARS, parseJws } from './jws.ts'

const encode = (text: string): string => Buffer.from(text).toString('base64url')
const jws = (header: string, payload = '{}', signature = 'c2ln'): string =>
  `${encode(header)}.${encode(payload)}.${signature}`

function faultOf(text: string): string {
  const parsed = parseJws(text)
  return parsed.ok ? 'none' : parsed.why
}

describe('parseJws', () => {
  it('gives header, payload, signature and the text that is signed', () => {
    const text = jws('{"alg":"RS256","kid":"k1","typ":"at+jwt"}', '{"a":1}')
    const parsed = parseJws(text)
    if (!parsed.ok) throw new Error(parsed.why)
    expect(parsed.jws.header).toEqual({ alg: 'RS256', kid: 'k1', typ: 'at+jwt' })
    expect(Buffer.from(parsed.jws.payloadBytes).toString()).toBe('{"a":1}')
    expect(Buffer.from(parsed.jws.signature).toString()).toBe('sig')
    expect(`${parsed.jws.signingInput}.c2ln`).toBe(text)
  })

  it('accepts an empty payload, which RFC 7515 allows', () => {
    expect(faultOf(jws('{"alg":"RS256"}', ''))).toBe('none')
  })

  it('hands on nothing that carries or names a key', () => {
    const parsed = parseJws(
      jws(
        '{"alg":"ES256","jwk":{"kty":"EC"},"jku":"https://evil.example","x5u":"https://evil.example","x5c":["AA"]}',
      ),
    )
    if (!parsed.ok) throw new Error(parsed.why)
    expect(Object.keys(parsed.jws.header)).toEqual(['alg'])
  })

  it.each([
    ['', 'parts'],
    ['a', 'parts'],
    ['a.b', 'parts'],
    ['..', 'parts'],
    ['.e30.c2ln', 'parts'],
    [`${jws('{"alg":"RS256"}')}.`, 'parts'],
    [`${jws('{"alg":"RS256"}')}.e30`, 'parts'],
    ['e30.e30.c2ln', 'header-member'],
    [jws('{"alg":"RS256"}', '{}', ''), 'signature-empty'],
    [jws('{"alg":"RS256"}', '{}', 'c2ln='), 'encoding'],
    [jws('{"alg":"RS256"}', '{}', 'c2l n'), 'encoding'],
    [` ${jws('{"alg":"RS256"}')}`, 'encoding'],
    [`${jws('{"alg":"RS256"}')}\n`, 'encoding'],
    [jws('{"alg":"RS256"}', '{}', 'c2+/'), 'encoding'],
    [jws('{"alg":"RS256"}', '{}', 'c2lnA'), 'encoding'],
    [jws('{"alg":"RS256"}', '{}', 'c2lnAB'), 'encoding'],
    [jws('{"alg":"RS256"}', '{}', 'c2ln\u0141'), 'encoding'],
    [jws('[]'), 'header-json'],
    [jws('"alg"'), 'header-json'],
    [jws('{"alg":"RS256"'), 'header-json'],
    [jws('{"alg":"RS256"} {}'), 'header-json'],
    [jws('{"alg":"RS256","alg":"none"}'), 'header-json'],
    [jws('{"alg":"RS256","\\u0061lg":"none"}'), 'header-json'],
    [jws('\ufeff{"alg":"RS256"}'), 'header-json'],
    [jws('{"alg":1}'), 'header-member'],
    [jws('{"alg":""}'), 'header-member'],
    [jws('{"alg":"RS256","kid":1}'), 'header-member'],
    [jws('{"alg":"RS256","kid":null}'), 'header-member'],
    [jws(`{"alg":"RS256","kid":"${'k'.repeat(513)}"}`), 'header-member'],
    [jws('{"alg":"RS256","typ":["JWT"]}'), 'header-member'],
    [jws('{"alg":"none"}'), 'alg-none'],
    [jws('{"alg":"nOnE"}'), 'alg-none'],
    [jws('{"alg":"RS256","crit":["exp"],"exp":1}'), 'crit'],
    [jws('{"alg":"RS256","crit":[]}'), 'crit'],
    [jws('{"alg":"RS256","crit":["b64"],"b64":true}'), 'crit'],
    [jws('{"alg":"RS256","b64":false}'), 'b64'],
    [jws('{"alg":"RS256","zip":"DEF"}'), 'zip'],
    [jws(`{"alg":"RS256","x":"${'x'.repeat(13_000)}"}`), 'header-json'],
    [jws('{"alg":"RS256"}', 'x'.repeat(MAX_JWS_CHARS)), 'too-large'],
  ])('refuses %j as %s', (text, why) => {
    expect(faultOf(text)).toBe(why)
  })
})

describe('decodeBase64url', () => {
  it('has one spelling for every byte string', () => {
    const spellings = [
      'AA',
      'AB',
      'AP',
      'AA=',
      'AA==',
      ' AA',
      'AA\n',
      'A',
      'AAA',
      'AAB',
      'AA+A',
      'AA/A',
      'AA-_',
    ]
    expect(spellings.filter((text) => decodeBase64url(text) !== null)).toEqual(['AA', 'AAA', 'AA-_'])
  })
})
