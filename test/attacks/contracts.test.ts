import { describe, expect, it } from 'vitest'
import { isFault } from '../../src/model/errors.ts'
import { outwardReferences } from '../../src/syntax/reference-texts.ts'
import { compileText, contractText, instantiate } from '../contract-instance.ts'

/** Contracts made to cost: each is compiled in bounded time, or refused with a place. */
const OK = { responses: { '204': { description: 'done' } } }
const bodyOf = (schema: unknown) => ({
  ...OK,
  requestBody: { content: { 'application/json': { schema } } },
})

function fault(text: string): string {
  try {
    compileText(text)
  } catch (error) {
    if (isFault(error, 'contract-invalid')) return error.message
    throw error
  }
  throw new Error('no fault was thrown')
}

describe('contracts made to cost', () => {
  it('of 10,000 paths compile and route', () => {
    const paths = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`/p${i}/{id}`, { get: OK }]))
    const contract = instantiate(compileText(contractText({ paths })))
    expect(contract.operations.size).toBe(10_000)
    expect(contract.match('GET', ['p9999', 'x']).kind).toBe('match')
  })

  it('of 10 MB compile', () => {
    const description = 'x'.repeat(10_000)
    const paths = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, i) => [`/p${i}`, { get: { ...OK, description } }]),
    )
    const text = contractText({ paths })
    expect(text.length).toBeGreaterThan(10_000_000)
    expect(compileText(text).operations).toHaveLength(1_000)
  })

  const ring = (length: number) => {
    const next = (i: number) => ({ $ref: `#/components/schemas/S${(i + 1) % length}` })
    const schema = (i: number) => ({ type: 'object', properties: { a: next(i), b: next(length) } })
    const schemas = Object.fromEntries(Array.from({ length }, (_, i) => [`S${i}`, schema(i)]))
    return contractText({ paths: { '/a': { post: bodyOf(next(length)) } }, components: { schemas } })
  }

  it('of 10,000 references and of schemas in a ring compile; a ring of 10,000 is refused', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`p${i}`, { $ref: `#/components/schemas/S${i % 100}` }]),
    )
    const schemas = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`S${i}`, { maxLength: i }]))
    const paths = { '/a': { post: bodyOf({ type: 'object', properties }) } }
    expect(compileText(contractText({ paths, components: { schemas } })).operations).toHaveLength(1)
    expect(compileText(ring(50)).operations).toHaveLength(1)
    expect(fault(ring(10_000))).toContain('schemas lead to one another too deeply')
  })

  it('whose references only lead on are refused with a place', () => {
    const parameters = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`P${i}`, { $ref: `#/components/parameters/P${i + 1}` }]),
    )
    const paths = { '/a': { get: { ...OK, parameters: [{ $ref: '#/components/parameters/P0' }] } } }
    expect(fault(contractText({ paths, components: { parameters } }))).toMatch(
      /shop\.yaml:1:\d+: \$ref leads to itself/,
    )
  })

  it.each([
    ['JSON', (depth: number) => `{"openapi":"3.1.0","x":${'['.repeat(depth)}${']'.repeat(depth)}}`],
    ['YAML', (depth: number) => `openapi: 3.1.0\nx: ${'['.repeat(depth)}${']'.repeat(depth)}\n`],
  ])('of 100,000 levels are refused: %s', (_, make) => {
    expect(fault(make(100_000))).toMatch(/^shop\.yaml/)
  })

  it('of aliases upon aliases are refused, in a search for references too', () => {
    const levels = ['a: &a0 [x,x,x,x,x,x,x,x,x,x]']
    for (let i = 1; i < 12; i++)
      levels.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join()}]`,
      )
    const text = `openapi: 3.1.0\nb: { $ref: x.yaml }\n${levels.join('\n')}\n`
    expect(fault(text)).toMatch(/^shop\.yaml: cannot be read: .*alias/i)
    expect(outwardReferences(text)).toEqual([])
  })

  it('with references in many places that lead out are searched once', () => {
    const text = JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ $ref: `f${i % 3}.yaml` })))
    expect([...outwardReferences(text)].sort()).toEqual(['f0.yaml', 'f1.yaml', 'f2.yaml'])
    expect(outwardReferences(`$ref${' '.repeat(1_000_000)}`)).toEqual([])
    expect(outwardReferences('$ref: '.repeat(20_000))).toEqual([])
  })

  it('in Swagger 2.0 share what aliases share', () => {
    const levels = ['  s0: &s0 { type: object, properties: { a: { type: string } } }']
    for (let i = 1; i < 6; i++) {
      const members = ['a', 'b'].map((name) => `${name}: *s${i - 1}`).join(', ')
      levels.push(`  s${i}: &s${i} { type: object, properties: { ${members} } }`)
    }
    const text = `swagger: "2.0"
definitions:
${levels.join('\n')}
paths:
  /a:
    post:
      parameters: [{ name: b, in: body, schema: { $ref: "#/definitions/s5" } }]
      responses: { 204: { description: done } }
`
    expect(compileText(text).operations).toHaveLength(1)
  })
})
