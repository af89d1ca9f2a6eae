import { expect, it } from 'vitest'
import { decodePunycode, encodePunycode } from './punycode.ts'

it.each([
  ['bücher', 'bcher-kva'],
  ['他们为什么不说中文', 'ihqwcrb4cv8a8dqg056pqjye'],
  ['почемужеонинеговорятпорусски', 'b1abfaaepdrnnbgefbadotcwatmq2g4l'],
  ['3年b組金八先生', '3b-ww4c5e180e575a65lsy2b'],
])('%s is %s (RFC 3492 §7.1)', (label, text) => {
  expect(encodePunycode(label)).toBe(text)
  expect(decodePunycode(text)).toBe(label)
})

it('decodes nothing that is none', () => {
  for (const text of ['x', '9', 'a-!', 'zzzzzzzz', 'é', '99999999', 'a'.repeat(64)]) {
    expect(decodePunycode(text), text).toBeNull()
  }
})
