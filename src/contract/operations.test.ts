import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileText, contractText, instantiate, said } from '../../test/contract-instance.ts'
import { isFault } from '../model/errors.ts'

const OK = { responses: { '204': { description: 'done' } } }
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const read = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../test/contracts', name), 'utf8')

function fault(members: Record<string, unknown>, version = '3.2.0'): string {
  try {
    compileText(contractText(members, version))
  } catch (error) {
    if (isFault(error, 'contract-invalid')) return error.message
    throw error
  }
  throw new Error('no fault was thrown')
}

const warned = (members: Record<string, unknown>, version = '3.2.0'): string[] =>
  compileText(contractText(members, version)).warnings.map(
    ({ code, pointer, message }) => `${code} ${pointer} ${message}`,
  )

describe('operations of OpenAPI 3.2', () => {
  const more = (method: string) => ({ paths: { '/a': { additionalOperations: { [method]: OK } } } })

  it('have the methods query and any other by its name', () => {
    const compiled = compileText(
      contractText(
        { paths: { '/a': { get: OK, query: OK, additionalOperations: { COPY: OK, PROPFIND: OK } } } },
        '3.2.0',
      ),
    )
    expect(compiled.warnings).toEqual([])
    expect(compiled.operations.map(({ plan }) => `${plan.key} ${plan.kind}`)).toEqual([
      'shop.GET /a read',
      'shop.QUERY /a read',
      'shop.COPY /a write',
      'shop.PROPFIND /a write',
    ])
    const contract = instantiate(compiled)
    for (const method of ['GET', 'QUERY', 'COPY', 'PROPFIND'])
      expect(contract.match(method, ['a'])).toMatchObject({ operation: { plan: { method } } })
    expect(contract.match('copy', ['a'])).toEqual({
      kind: 'method',
      allow: ['GET', 'QUERY', 'COPY', 'PROPFIND'],
    })
  })

  it.each([
    ['POST', /POST has a field of its own: move it out of additionalOperations to post/],
    ['post', /post has a field of its own/],
    ['QUERY', /QUERY has a field of its own/],
    ['CO PY', /CO PY is no method: a token/],
    ['GET / HTTP/1.1\r\nX:', /is no method/],
    ['', /is no method/],
    ['X'.repeat(33), /at most 32 characters/],
  ])('refuse the method %j', (method, why) => {
    expect(fault(more(method))).toMatch(why)
  })

  it('say where no call can have the method', () => {
    expect(warned(more('BREW'))).toEqual([
      'path-unroutable /paths/~1a/additionalOperations/BREW HTTP/1.1 calls with the method BREW cannot be read: no call reaches this operation',
    ])
    expect(warned(more('CONNECT'))[0]).toContain('the gate refuses CONNECT')
  })

  it('are none in an older contract, with a warning', () => {
    expect(warned({ paths: { '/a': { get: OK, query: OK } } }, '3.1.0')).toEqual([
      'path-item /paths/~1a/query this is an operation from OpenAPI 3.2 on and is not read: no call reaches it',
    ])
  })
})

describe('a path item', () => {
  it('may refer to another and say more beside it, which holds', () => {
    const members = {
      paths: { '/a': { $ref: '#/components/pathItems/A', get: { ...OK, operationId: 'beside' } } },
      components: {
        pathItems: { A: { get: { ...OK, operationId: 'named' }, put: { ...OK, operationId: 'put' } } },
      },
    }
    const compiled = compileText(contractText(members))
    expect(compiled.operations.map(({ plan }) => plan.key)).toEqual(['shop.beside', 'shop.put'])
    expect(compiled.warnings).toMatchObject([{ code: 'path-item', pointer: '/components/pathItems/A/get' }])
  })
})

describe('telemetry-3.2.yaml', () => {
  const compiled = compileText(read('telemetry-3.2.yaml'), { file: 'telemetry-3.2.yaml' })
  const { operations } = instantiate(compiled)
  const judge = (key: string, value: unknown) =>
    said(operations.get(`shop.${key}`)?.checkBody('application/json', bytes(value)).findings ?? [])
  const answer = (key: string, value: unknown) =>
    said(operations.get(`shop.${key}`)?.checkAnswer(200, 'application/json', bytes(value)).findings ?? [])

  it('has all its operations and the path of its server', () => {
    expect(compiled.basePath).toBe('/telemetry')
    expect(compiled.operations.map(({ plan }) => `${plan.method} ${plan.operationId}`)).toEqual([
      'GET listDevices',
      'QUERY searchDevices',
      'GET getDevice',
      'COPY copyDevice',
      'GET streamReadings',
      'POST addReadings',
      'PUT putFirmware',
    ])
    expect(compiled.operations.every(({ plan }) => plan.security.need === 'required')).toBe(true)
  })

  it('checks the content of QUERY, recursive conditions and readings', () => {
    expect(judge('searchDevices', { where: { not: { kind: 'valve' } } })).toEqual([])
    expect(judge('searchDevices', { where: {} })).toEqual(['body-invalid /where: minProperties'])
    expect(judge('searchDevices', { where: { all: [{ not: { kind: 'x' } }] } })[0]).toContain(
      'body-invalid /where/all/0/not/kind',
    )
    const reading = { at: '2026-01-01T00:00:00Z', metric: 'humidity', value: 101 }
    expect(judge('addReadings', [{ ...reading, value: 99 }])).toEqual([])
    expect(judge('addReadings', [reading])[0]).toContain('/0/value')
  })

  it('holds a whole query against its querystring parameter', () => {
    const judge = (rawQuery: string, ...query: (readonly [string, string])[]) =>
      said(
        operations
          .get('shop.listDevices')
          ?.checkParameters({ params: {}, segments: ['devices'], rawQuery, query, fields: [] }) ?? [],
      )
    expect(judge('site=xy&battery=7', ['site', 'xy'], ['battery', '7'])).toEqual([])
    expect(judge('battery=7', ['battery', '7'])).not.toEqual([])
    expect(judge('site=xy&battery=101', ['site', 'xy'], ['battery', '101'])).not.toEqual([])
    expect(judge('site=xy&colour=red', ['site', 'xy'], ['colour', 'red'])).not.toEqual([])
  })

  it('reads a media type by reference and a reference by the contract’s own name', () => {
    const device = { id: 'ab123456', site: 'xy', kind: 'meter', battery: null, position: [1, 2] }
    expect(answer('searchDevices', { items: [device] })).toEqual([])
    expect(answer('searchDevices', { items: [{ ...device, position: [1, 2, 3] }] })).not.toEqual([])
    expect(answer('getDevice', { ...device, id: 'AB1' })).toEqual(['response-invalid /id: pattern'])
  })
})

describe('hospital-3.1.yaml', () => {
  const compiled = compileText(read('hospital-3.1.yaml'), { file: 'hospital-3.1.yaml' })
  const { operations } = instantiate(compiled)
  const judge = (key: string, value: unknown) =>
    said(operations.get(`shop.${key}`)?.checkBody('application/json', bytes(value)).findings ?? [])

  it('says which base path holds and that webhooks are not calls', () => {
    expect(compiled.basePath).toBe('/v2')
    expect(compiled.warnings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['servers', 'webhooks-callbacks']),
    )
    expect(compiled.operations.map(({ plan }) => plan.operationId)).toEqual([
      'getPatient',
      'putPatient',
      'listObservations',
      'addObservation',
      'addDocument',
    ])
  })

  it('checks type lists, tuples, conditions, constants and dependencies', () => {
    const patient = { name: { family: 'Ito' }, born: '1980-02-29' }
    expect(judge('putPatient', { ...patient, insurance: { kind: 'public', number: 'A123456789' } })).toEqual(
      [],
    )
    expect(judge('putPatient', { ...patient, died: null, sex: 'other' })).toEqual([])
    expect(judge('putPatient', { ...patient, died: '2020-01-01' })).not.toEqual([])
    expect(judge('putPatient', { ...patient, insurance: { kind: 'public', insurer: 'xx' } })).not.toEqual([])
    const seen = { code: '8867-4', at: '2026-01-01T00:00:00Z', value: 72, unit: '/min', range: [60, 100] }
    expect(judge('addObservation', seen)).toEqual([])
    expect(judge('addObservation', { ...seen, unit: undefined })).not.toEqual([])
    expect(judge('addObservation', { ...seen, range: [60, 100, 1] })).not.toEqual([])
    expect(judge('addObservation', { ...seen, value: 'high' })).not.toEqual([])
  })
})
