import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { applyOverlay } from '../../test/overlay.ts'
import { readDocument } from '../contract/document.ts'
import type { DriftKind } from '../inventory/differences.ts'
import type { DriftRow } from '../inventory/drift.ts'
import { type ContractPatch, contractPatch } from './contract-patch.ts'

const row = (kind: DriftKind, place: string, sight: string): DriftRow => ({
  api: 'shop',
  operation: 'shop.get',
  kind,
  place,
  status: 200,
  type: sight,
  sight,
  mediaType: 'application/json',
  calls: 1,
  refused: 0,
  firstSeen: '2026-01-01T00:00:00.000Z',
  lastSeen: '2026-01-01T00:00:00.000Z',
  example: null,
  exchange: 'x',
})

const OPERATIONS = new Map([['shop.get', { method: 'GET', template: '/a' }]])

const contractOf = (version: string, schema: string): string => `openapi: ${version}
info: { title: shop, version: 1.0.0 }
paths:
  /a:
    get:
      responses:
        '200':
          description: x
          content: { application/json: { schema: { type: object, properties: { n: ${schema} } } } }
components: { schemas: { Name: { type: string }, Count: { type: integer }, Kind: { type: string, enum: [a] } } }
`

const patchOf = (contract: string, ...rows: readonly DriftRow[]): ContractPatch =>
  contractPatch(readDocument(contract, 'shop.yaml'), rows, OPERATIONS)

/** What `n` and the shared schemas are with the patch. */
function patched(version: string, schema: string, ...sights: readonly string[]): unknown {
  const contract = contractOf(version, schema)
  const patch = patchOf(contract, ...sights.map((sight) => row('answer-type', '/n', sight)))
  if (patch.left.length > 0) return patch.left.map(({ why }) => why)
  const after = applyOverlay(parse(contract), parse(stringify(patch.overlays[0]?.overlay))) as {
    paths: { '/a': { get: { responses: { '200': { content: Record<string, { schema: unknown }> } } } } }
    components: { schemas: { Count: unknown } }
  }
  const body = after.paths['/a'].get.responses['200'].content['application/json']?.schema as {
    properties: { n: unknown }
  }
  return [body.properties.n, after.components.schemas.Count]
}

const NAME = `$ref: '#/components/schemas/Name'`
const COUNT = `$ref: '#/components/schemas/Count'`
const REFS = [{ $ref: '#/components/schemas/Name' }, { $ref: '#/components/schemas/Count' }]
const INTEGER = { type: 'integer' }

describe('a type that branches state', () => {
  it.each(['3.0.3', '3.1.0'])('gets one more branch in OpenAPI %s', (version) => {
    for (const key of ['anyOf', 'oneOf'])
      expect(patched(version, `{ ${key}: [{ ${NAME} }, { ${COUNT} }] }`, 'boolean')).toEqual([
        { [key]: [...REFS, { type: 'boolean' }] },
        INTEGER,
      ])
  })

  it.each(['3.0.3', '3.1.0'])('of whole numbers is widened to all numbers in OpenAPI %s', (version) => {
    expect(patched(version, '{ anyOf: [{ type: string }, { type: integer }] }', 'number')).toEqual([
      { anyOf: [{ type: 'string' }, { type: 'number' }] },
      INTEGER,
    ])
    expect(
      patched(version, '{ oneOf: [{ type: string }, { type: integer, format: int32 }] }', 'number'),
    ).toEqual(['a branch of the schema takes whole numbers of its own kind'])
  })

  it('is null as the version says it', () => {
    const schema = '{ oneOf: [{ type: string }, { type: integer }] }'
    expect(patched('3.0.3', schema, 'null')).toEqual([
      { oneOf: [{ type: 'string', nullable: true }, { type: 'integer' }] },
      INTEGER,
    ])
    expect(patched('3.1.0', schema, 'null')).toEqual([
      { oneOf: [{ type: 'string' }, { type: 'integer' }, { type: 'null' }] },
      INTEGER,
    ])
  })

  it('is left to people where a new branch of a oneOf would take what another takes', () => {
    expect(patched('3.1.0', `{ oneOf: [{ ${NAME} }, { ${COUNT} }, { minLength: 2 }] }`, 'boolean')).toEqual([
      'its type is not stated in one place',
    ])
    expect(patched('3.1.0', `{ allOf: [{ ${NAME} }, { ${COUNT} }] }`, 'boolean')).toEqual([
      'its type is not stated in one place',
    ])
  })
})

it.each([
  ['3.0.3', { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] }],
  ['3.1.0', { type: ['string', 'number', 'boolean'] }],
])('what several calls showed at one place is one change: OpenAPI %s', (version, expected) => {
  const [n] = patched(version, '{ type: integer }', 'string', 'boolean', 'number') as [object]
  expect(JSON.stringify(Object.keys(n))).toBe(JSON.stringify(Object.keys(expected)))
  const [all, wanted] = [n, expected].map((each) => Object.values(each)[0] as unknown[])
  expect(all).toHaveLength(3)
  expect(all).toEqual(expect.arrayContaining(wanted ?? []))
})

it('a contract of several files gets one overlay for each that changes, its own first', () => {
  const contract = contractOf('3.1.0', `{ $ref: 'parts/name.yaml#/Name' }, m: { type: object }`)
  const part = 'Name: { type: object, properties: { first: { type: string } } }\n'
  const document = readDocument(
    contract,
    'api/shop.yaml',
    new Map([['parts/name.yaml', { ok: true, text: part }]]),
  )
  const rows = [
    row('answer-field', '/n/last', 'string'),
    row('answer-type', '/n/first', 'null'),
    row('answer-field', '/o', 'integer'),
  ]
  const { overlays, left } = contractPatch(document, rows, OPERATIONS)
  expect(left).toEqual([])
  expect(overlays.map(({ file }) => file)).toEqual(['api/shop.yaml', 'api/parts/name.yaml'])
  const [own, other] = overlays.map(({ overlay }) => parse(stringify(overlay)))
  expect(applyOverlay(parse(part), other)).toEqual({
    Name: {
      type: 'object',
      properties: { first: { type: ['string', 'null'] }, last: { type: 'string' } },
    },
  })
  const after = JSON.stringify(applyOverlay(parse(contract), own))
  expect(after).toContain('"o":{"type":"integer"}')
  expect(after).not.toContain('last')
})
