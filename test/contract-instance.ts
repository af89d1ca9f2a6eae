import { type CompiledContract, type ContractInput, compileContract } from '../src/contract/compile.ts'
import { type Contract, ContractBuilder, type Operation } from '../src/contract/instantiate.ts'
import type { ParameterSource } from '../src/contract/parameters/check.ts'
import type { ApiPlan } from '../src/model/bundle.ts'
import type { Finding } from '../src/model/fact.ts'
import { parseQuery } from '../src/syntax/uri.ts'

export const API: ApiPlan = {
  name: 'shop',
  owner: 'team',
  governed: true,
  mode: 'enforce',
  hosts: [],
  basePath: '',
  upstream: { origin: 'http://127.0.0.1:3000', basePath: '' },
  accept: [],
  audience: ['shop'],
  credential: 'replace',
  onAuditFailure: 'deny',
  stripHeaders: [],
  timeouts: { connectMs: 1, headMs: 1, bodyMs: 1, requestMs: 1 },
  maxRequestBytes: 1_048_576,
  maxAnswerBytes: 8_388_608,
  tenant: 'default',
  environment: 'default',
}

export function compileText(text: string, more: Partial<ContractInput> = {}): CompiledContract {
  return compileContract({
    api: 'shop',
    text,
    file: 'shop.yaml',
    objects: {},
    credential: 'replace',
    ...more,
  })
}

/** As a gate thread does it, from what the bundle carries: JSON there and back. */
export function instantiate(compiled: CompiledContract, api: ApiPlan = API): Contract {
  const { modules, operations } = JSON.parse(JSON.stringify(compiled)) as CompiledContract
  const builder = new ContractBuilder(api)
  for (const { name, source } of modules) builder.addModule(name, source)
  for (const operation of operations) builder.addOperation(operation)
  return builder.finish()
}

/** A contract of the given members beside its header. */
export function contractText(members: Readonly<Record<string, unknown>>, version = '3.1.0'): string {
  return JSON.stringify({ openapi: version, info: { title: 'shop', version: '1' }, ...members })
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** Findings as `code place: rule`. */
export const said = (findings: readonly Finding[]): string[] =>
  findings.map(({ reason }) => `${reason.code} ${reason.forCaller ?? ''}`.trim())

/** The operation `shop.op`, a POST of these members on `/a/{id}`. */
export function operationOf(
  operation: Record<string, unknown>,
  more: Record<string, unknown> = {},
  version = '3.1.0',
): Operation {
  const text = contractText(
    { paths: { '/a/{id}': { post: { operationId: 'op', responses: {}, ...operation } } }, ...more },
    version,
  )
  const operationFound = instantiate(compileText(text)).operations.get('shop.op')
  if (operationFound === undefined) throw new Error('the operation is missing')
  return operationFound
}

/** What an operation with this JSON body schema says to a body. */
export function judge(
  schema: unknown,
  version = '3.1.0',
  components: Record<string, unknown> = {},
): (body: unknown) => string[] {
  const operation = operationOf(
    { requestBody: { required: true, content: { 'application/json': { schema } } } },
    { components: { schemas: components } },
    version,
  )
  return (body) => said(operation.checkBody('application/json', bytes(JSON.stringify(body))).findings)
}

/** A call as the gate reads it: `segments` as they stand in the path, decoded once for `params`. */
export function sent(
  rawQuery: string,
  params: Readonly<Record<string, string>> = {},
  fields: readonly string[] = [],
  segments: readonly string[] = ['a', ...Object.values(params).map((value) => encodeURIComponent(value))],
): ParameterSource {
  const read = parseQuery(rawQuery)
  if (!read.ok) throw new Error(read.why)
  return { params, segments, query: read.pairs, rawQuery, fields }
}
