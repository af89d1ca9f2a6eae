import { expect, it } from 'vitest'
import { judge } from '../../test/contract-instance.ts'

const list = (items: unknown) => judge({ type: 'object', properties: { of: { type: 'array', items } } })
const times = (count: number, of: (index: number) => string): unknown => ({
  of: Array.from({ length: count }, (_, index) => of(index)),
})

it('many texts against a pattern with many states are more than is tried', () => {
  const told = list({ type: 'string', pattern: '(a|b)*a(a|b){100}$' })
  const text = (index: number): string =>
    `${index.toString(2).replaceAll('0', 'a').replaceAll('1', 'b')}a${'b'.repeat(100)}`
  expect(told(times(20, text))).toEqual([])
  expect(told(times(5_000, text))).toEqual(['body-invalid /: complexity'])
})

it('names of an ordinary pattern that needs the slower engine may be thousands', () => {
  const told = list({ type: 'string', pattern: '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$' })
  expect(told(times(10_000, (index) => `name-of-a-thing-${index}`))).toEqual([])
})

it('many expressions whose reading takes long are more than are read', () => {
  const told = list({ type: 'string', format: 'regex' })
  expect(told(times(5_000, (index) => `^[a-z]+-${index}$`))).toEqual([])
  expect(told(times(20, () => `[${'\\p{L}'.repeat(500)}]`))).toEqual(['body-invalid /: complexity'])
})
