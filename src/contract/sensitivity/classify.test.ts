import { describe, expect, it } from 'vitest'
import { compileContract } from '../compile.ts'
import type { FieldStatements } from './classify.ts'
import { classOfName } from './field-words.ts'

const compile = (schema: string, fields?: FieldStatements, version = '3.1.0') =>
  compileContract({
    api: 'shop',
    text: `openapi: ${version}
info: { title: shop, version: '1' }
paths:
  /x:
    get:
      operationId: getX
      responses: { '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/X' } } } } }
components: { schemas: { X: ${schema}, Email: { type: string, x-pii: true } } }
`,
    file: 'shop.yaml',
    objects: {},
    credential: 'replace',
    ...(fields === undefined ? {} : { fields }),
  })
const classes = (schema: string, fields?: FieldStatements, version?: string): readonly string[] =>
  compile(schema, fields, version).operations[0]?.plan.classes?.answer ?? []
const NAMES_OFF: FieldStatements = { places: {}, operations: {}, names: false }

describe('classes', () => {
  it.each([
    ['of a property', '{ properties: { a: { x-sallyport: { class: phi } } } }', ['phi']],
    ['several', '{ properties: { a: { x-sallyport: { class: [PHI, own-word] } } } }', ['own-word', 'phi']],
    ['by another tool’s word', '{ properties: { a: { x-data-classification: PCI } } }', ['pci']],
    ['through a reference', "{ properties: { a: { $ref: '#/components/schemas/Email' } } }", ['pii']],
    [
      'of any branch',
      '{ oneOf: [{ properties: { a: { x-pci: true } } }, { properties: { b: {} } }] }',
      ['pci'],
    ],
    [
      'of all parts',
      '{ allOf: [{ properties: { a: { x-pci: true } } }, { properties: { a: { x-phi: true } } }] }',
      ['pci', 'phi'],
    ],
    ['of further names', '{ additionalProperties: { x-pii: true } }', ['pii']],
    ['of names by pattern', '{ patternProperties: { "^e": { x-pii: true } } }', ['pii']],
    ['of items', '{ type: array, items: { x-pii: true } }', ['pii']],
    ['of a circle', "{ properties: { a: { $ref: '#/components/schemas/X' }, b: { x-pii: true } } }", ['pii']],
    ['by name', '{ properties: { cardNumber: { type: string } } }', ['pci']],
    [
      'of a list by its name',
      '{ properties: { emails: { type: array, items: { type: string } } } }',
      ['pii'],
    ],
    ['by format', '{ properties: { a: { type: string, format: password } } }', ['credential']],
    ['none stated', '{ properties: { email: { type: string, x-sallyport: { class: none } } } }', []],
    ['of no yes and no', '{ properties: { password: { type: boolean } } }', []],
  ])('%s', (_, schema, expected) => {
    expect(classes(schema)).toEqual(expected)
  })

  it('beside a reference count in OpenAPI 3.0 too', () => {
    const schema =
      "{ type: object, properties: { a: { $ref: '#/components/schemas/Plain', x-sallyport: { class: phi } } } }"
    expect(classes(schema.replace('Plain', 'Email'), undefined, '3.0.3')).toEqual(['phi', 'pii'])
  })

  it('are not guessed where names are off', () => {
    expect(classes('{ properties: { email: { type: string }, a: { x-pci: true } } }', NAMES_OFF)).toEqual([
      'pci',
    ])
  })

  it.each([
    ['{ properties: { a: { x-sallyport: { class: "p i" } } } }', /a class is a word/],
    ['{ properties: { a: { x-sallyport: { klass: pii } } } }', /unknown key "klass"/],
    [
      '{ properties: { a: { x-sallyport: { field: { visibleTo: { roles: [cashier] } } } } } }',
      /corp\/cashier/,
    ],
    ['{ properties: { a: { x-sallyport: { field: { otherwise: hide } } } } }', /drop, redact, mask/],
  ])('that cannot be meant are an error with its place: %s', (schema, message) => {
    expect(() => compile(schema)).toThrow(message)
    expect(() => compile(schema)).toThrow(/shop\.yaml:\d+:\d+/)
  })
})

it.each([
  ['customerEmail', 'pii'],
  ['CARD_NUMBER', 'pci'],
  ['card-number', 'pci'],
  ['cardnumber', 'pci'],
  ['dateOfBirth', 'pii'],
  ['patient.nhsNumber', 'phi'],
  ['passwordHash', 'credential'],
  ['APIKey', 'secret'],
  ['clientSecrets', 'secret'],
  ['emailCount', undefined],
  ['nextToken', undefined],
  ['company', undefined],
  ['span', undefined],
  ['', undefined],
])('the name %s', (name, expected) => {
  expect(classOfName(name)?.class).toBe(expected)
})
