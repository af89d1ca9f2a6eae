import { expect, it } from 'vitest'
import { redactExcerpt } from './redact-excerpt.ts'

it.each([
  ['Authorization: Bearer abc.def-123', 'Bearer abc'],
  ['connect postgres://shop:hunter2@db/shop failed', 'hunter2'],
  ['{"password":"hunter2","user":"x"}', 'hunter2'],
  ["password = 'hunter 2'", 'hunter'],
  ['api_key=hunter2&x=1', 'hunter2'],
  ['"api-key" => "hunter2"', 'hunter2'],
  ['sessionid: hunter2', 'hunter2'],
  [`token eyJhbGciOiJub25lIn0.${'a'.repeat(80)}.${'b'.repeat(30)}`, 'aaaa'],
  ['no user ana.b+c@shop.example found', 'ana'],
  ['card 4111 1111 1111 1111 declined', '1111'],
  ['key AKIAIOSFODNN7EXAMPLE is used', 'IOSFOD'],
  [`digest ${'0a'.repeat(20)}`, '0a0a'],
  ['-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----', 'MIIabc'],
  ['postgres://app:p@ss:hunter2@db/x', 'hunter2'],
  ['{\\"password\\":\\"hunter2\\"}', 'hunter2'],
  ['&quot;password&quot;:&quot;hunter2&quot;', 'hunter2'],
  ['q=password%3Dhunter2', 'hunter2'],
  ['<userPassword>hunter2</userPassword>', 'hunter2'],
  ['Cookie: a=b; sid=hunter2', 'hunter2'],
  ['{"pass":["a","hunter2"]}', 'hunter2'],
  ['"password": "two\nhunter2"', 'hunter2'],
  ['otp: 123456', '123456'],
  ['ssn 123-45-6789', '6789'],
  ['iban DE89 3704 0044 0532 0130 00', '0532'],
])('%s is kept without what is secret in it', (text, secret) => {
  expect(redactExcerpt(text)).not.toContain(secret)
})

it('keeps what tells the fault, in bounded length', () => {
  const trace = 'TypeError: x is not a function\n    at get (/srv/shop/orders.js:10:15)'
  expect(redactExcerpt(trace)).toBe(trace)
  expect(redactExcerpt('a b '.repeat(5_000))).toHaveLength(2_049)
})
