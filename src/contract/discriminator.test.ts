import { describe, expect, it } from 'vitest'
import { judge } from '../../test/contract-instance.ts'

const COMPONENTS = {
  Cat: {
    type: 'object',
    required: ['kind', 'lives'],
    properties: { kind: { type: 'string' }, lives: { type: 'integer' } },
  },
  Dog: {
    type: 'object',
    required: ['kind', 'barks'],
    properties: { kind: { type: 'string' }, barks: { type: 'boolean' } },
  },
}
const oneOf = [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }]

describe('a discriminator', () => {
  const mapping = { cat: '#/components/schemas/Cat', dog: 'Dog' }
  for (const version of ['3.0.3', '3.1.0']) {
    const says = judge({ oneOf, discriminator: { propertyName: 'kind', mapping } }, version, COMPONENTS)

    it(`tells the errors of the branch that the value names (${version})`, () => {
      expect(says({ kind: 'cat', lives: 'nine' })).toEqual([
        'body-invalid /lives: type',
        'body-invalid /: oneOf',
      ])
      expect(says({ kind: 'dog' })).toEqual(['body-invalid /: required barks', 'body-invalid /: oneOf'])
      expect(says({ kind: 'Dog', barks: 1 })).toContain('body-invalid /barks: type')
    })

    it(`validates nothing by itself (${version})`, () => {
      // The value names the other branch, which does not matter: exactly one fits.
      expect(says({ kind: 'dog', lives: 9 })).toEqual([])
      expect(says({ kind: 'cow', lives: 9 })).toEqual([])
      expect(says({ kind: 'cow' })).toEqual(['body-invalid /: oneOf'])
      expect(judge({ discriminator: { propertyName: 'kind' } }, version)({})).toEqual([])
    })
  }

  it('whose value no branch takes is refused where the branches say so', () => {
    const tagged = (kind: string): unknown => ({
      type: 'object',
      required: ['kind'],
      properties: { kind: { const: kind } },
    })
    const says = judge({ oneOf, discriminator: { propertyName: 'kind' } }, '3.1.0', {
      Cat: tagged('Cat'),
      Dog: tagged('Dog'),
    })
    expect(says({ kind: 'Cat' })).toEqual([])
    expect(says({ kind: 'Cow' })).toEqual(['body-invalid /: oneOf'])
    expect(says({ kind: 'constructor' })).toEqual(['body-invalid /: oneOf'])
  })
})
