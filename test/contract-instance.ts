import { type CompiledContract, type ContractInput, compileContract } from '../src/contract/compile.ts'
import { type Contract, ContractBuilder } from '../src/contract/instantiate.ts'
import type { ApiPlan } from '../src/model/bundle.ts'

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
