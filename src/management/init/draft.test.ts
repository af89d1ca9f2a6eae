import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readConfig } from '../../config/read.ts'
import { compilePolicies } from '../../decision/cedar/compile.ts'
import { CedarEngine } from '../../decision/cedar/evaluate.ts'
import { runPolicyTests } from '../../decision/policy-test.ts'
import { type Draft, draft, outline } from './draft.ts'
import { writeNew } from './new-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-draft-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0

/** Drafts a contract with these operations, writes it all, and reads it back as the gate would. */
function drafted(paths: object, rest: object = {}, flags: object = {}): Draft & { readonly out: string } {
  const out = join(folder, String(made++))
  const contract = `${out}.json`
  const schemes = { oauth: { type: 'oauth2', flows: {} }, key: { type: 'apiKey', in: 'header', name: 'k' } }
  const info = { title: 'Pet Store', version: '1' }
  writeFileSync(
    contract,
    JSON.stringify({ openapi: '3.1.0', info, paths, components: { securitySchemes: schemes }, ...rest }),
  )
  const request = {
    contract,
    upstream: 'http://127.0.0.1:3000',
    issuer: 'https://idp.example',
    out,
    ...flags,
  }
  const result = draft(outline(request))
  writeNew(out, result.files)
  return { ...result, out }
}

function verdicts(
  { api, issuer, operations, out }: Draft & { readonly out: string },
  change = (text: string) => text,
) {
  const read = readConfig(join(out, 'sallyport.yaml'))
  const files = read.policies.map(({ file, text }) => ({ file, text: change(text) }))
  const apis = [{ api, operations, issuer }]
  const { plan, warnings } = compilePolicies({ files, apis })
  const engine = new CedarEngine(plan)
  const tests = runPolicyTests({ files: read.policyTests, apis, engine })
  engine.close()
  const { policies } = plan.detail as {
    readonly policies: readonly { readonly id: string; readonly policy: object }[]
  }
  return { ids: policies.map(({ id }) => id), policies, warnings, tests, settings: read.apis[0]?.settings }
}

/** As a person does it: the // off every policy that is offered. */
function uncommented(text: string): string {
  return text.replace(/^\/\/ @id\([\s\S]*?^\/\/ .*;$/gm, (block) => block.replace(/^\/\/ /gm, ''))
}

const ok = { responses: { 200: { description: '' } } }
const scoped = (scope: string) => ({ ...ok, security: [{ oauth: [scope] }] })

describe('a drafted set-up', () => {
  test('permits by scope exactly what names one, and nothing else but what is public', () => {
    const set = drafted({
      '/pets': {
        get: { ...scoped('read'), operationId: 'list' },
        post: { ...scoped('write'), operationId: 'add' },
      },
      '/any': { get: { ...ok, security: [{ oauth: [] }] } },
      '/key': { get: { ...ok, security: [{ key: [] }] } },
      '/open': { get: { ...ok, security: [] } },
      '/maybe': { get: { ...ok, security: [{}, { oauth: [] }] } },
    })
    const { ids, policies, tests, warnings, settings } = verdicts(set)
    expect(set.api).toBe('pet-store')
    expect(ids).toEqual(['pet-store-scopes', 'PUBLIC-pet-store', 'PUBLIC-pet-store-optional'])
    expect(policies[0]?.policy).toMatchObject({
      effect: 'permit',
      action: { entities: [{ id: 'pet-store.list' }, { id: 'pet-store.add' }] },
    })
    expect(policies[1]?.policy).toMatchObject({ action: { entity: { id: 'pet-store.GET /open' } } })
    expect(policies[2]?.policy).toMatchObject({ action: { entity: { id: 'pet-store.GET /maybe' } } })
    expect(warnings).toEqual([])
    expect(tests.filter(({ ok }) => !ok)).toEqual([])
    expect(tests.map(({ expected }) => expected.verdict)).toEqual([
      ...['allow', 'deny', 'allow', 'deny', 'deny'],
      ...['allow', 'allow', 'deny', 'deny'],
    ])
    expect(settings).toMatchObject({
      mode: 'observe',
      identity: { accept: ['idp-example'], audience: ['pet-store'] },
    })
  })

  test('what is offered is valid once the // is off, and changes no verdict of those without the role', () => {
    const answer = { properties: { ownerId: { type: 'string' } } }
    const get = {
      responses: { 200: { description: '', content: { 'application/json': { schema: answer } } } },
    }
    const set = drafted({
      '/pets/{petId}': {
        parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'string' } }],
        get: { ...get, ...{ security: [{ oauth: ['read'] }] }, operationId: 'getPet' },
        delete: { ...scoped('write'), operationId: 'removePet' },
      },
      '/a': { get: { ...ok, tags: ['A b'] }, put: { ...ok, tags: ['A b', 'a-B'] } },
      '/b': { post: ok },
    })
    const { ids, warnings } = verdicts(set, uncommented)
    expect(warnings).toEqual([])
    expect(ids).toEqual([
      'pet-store-scopes',
      'pet-store-a-b-readers',
      'pet-store-a-b-writers',
      'pet-store-a-b-2-writers',
      'pet-store-untagged-writers',
      'pet-store-pet-owner-only',
    ])
    const roles = verdicts(set, (text) => uncommented(text.slice(0, text.indexOf('// OBJECTS'))))
    expect(roles.ids).toHaveLength(5)
    expect(roles.tests.filter(({ ok }) => !ok)).toEqual([])

    const config = join(set.out, 'sallyport.yaml')
    const text = readFileSync(config, 'utf8')
    expect(text).not.toContain('credential')
    writeFileSync(config, text.replace(/^( {4})# (objects:| {2}pet: )/gm, '$1$2'))
    expect(readConfig(config).apis[0]?.settings.objects).toEqual({
      pet: {
        path: '/pets/{petId}',
        owner: '/ownerId',
        equals: 'subject',
        lookup: 'getPet',
        hideAbsent: true,
      },
    })
  })

  test('credential: pass is offered where a scheme cannot be checked, with a policy of its own', () => {
    const set = drafted({ '/a': { get: { ...ok, security: [{ key: [] }] } } })
    expect(verdicts(set).ids).toEqual([])
    expect(verdicts(set, uncommented).ids).toEqual(['LEFT-TO-API-pet-store'])
    const config = join(set.out, 'sallyport.yaml')
    writeFileSync(config, readFileSync(config, 'utf8').replace('# credential: pass', 'credential: pass'))
    expect(verdicts(set).settings?.credential).toBe('pass')
  })

  test('a contract cannot write policies or configuration of its own', () => {
    const evil = 'x\n};\npermit(principal, action, resource);\n//\u2028apis: {}\r"]\u0000'
    const answer = { properties: { owner: { type: 'string' } } }
    const get = {
      responses: { 200: { description: '', content: { 'application/json': { schema: answer } } } },
    }
    const set = drafted(
      {
        '/a': {
          get: { ...ok, operationId: evil, tags: [evil] },
          put: { ...scoped(evil), operationId: `${evil}2` },
        },
        '/b\npermit(principal, action, resource);': { get: { ...ok, security: [] } },
        '/c': { get: { ...ok, operationId: `${evil}3`, security: [{ [evil]: [] }] } },
        '/d\n/{id}': { get: { ...get, operationId: `${evil}4` } },
      },
      { info: { title: evil, version: evil } },
    )
    const plain = verdicts(set)
    expect(plain.ids).toEqual([`${set.api}-scopes`, `PUBLIC-${set.api}`])
    expect(plain.tests.filter(({ ok }) => !ok)).toEqual([])
    const all = verdicts(set, uncommented)
    expect(
      all.policies.every(({ policy }) => (policy as { action: { op: string } }).action.op !== 'All'),
    ).toBe(true)
    expect(Object.keys(parse(readFileSync(join(set.out, 'sallyport.yaml'), 'utf8')) as object)).toEqual([
      ...['listen', 'management', 'identity', 'apis', 'policies', 'store'],
    ])
  })

  test('stays off ports that upstream and issuer have on this machine', () => {
    const flags = { upstream: 'http://127.0.0.1:8080', issuer: 'http://localhost:9090' }
    expect(drafted({ '/a': { get: ok } }, {}, flags).ports).toEqual({ gate: 8081, management: 9091 })
    const remote = { upstream: 'https://shop.example:8080' }
    expect(drafted({ '/a': { get: ok } }, {}, remote).ports).toEqual({ gate: 8080, management: 9090 })
  })

  test('has at most 20 tests, whatever the contract holds', () => {
    const securities = [[{ oauth: ['s'] }], [{ oauth: [] }], [{ key: [] }], [], [{}]]
    const paths = securities.flatMap((security, kind) =>
      Array.from({ length: 20 }, (_, index) => [
        `/${kind}/${index}`,
        { get: { ...ok, security, tags: [String(index)] } },
      ]),
    )
    const { tests } = verdicts(drafted(Object.fromEntries(paths)))
    expect(tests).toHaveLength(20)
    expect(tests.every(({ ok }) => ok)).toBe(true)
  })

  test('a contract without operations, or with a name no policy can say, is refused with its place', () => {
    expect(() => drafted({})).toThrow(/\.json:1:\d+: the contract has no operations.* \(at \/paths\)/)
    expect(() => drafted({ '/a': { get: { ...ok, operationId: 'a\ud800' } } })).toThrow(
      /not well-formed Unicode/,
    )
  })
})
