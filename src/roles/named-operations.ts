import { Findings } from '../config/findings.ts'
import { ConfigError } from '../config/place.ts'
import type { ReadConfig } from '../config/read.ts'
import { actionGroups } from '../decision/cedar/schema.ts'
import type { ApiPlan, CompiledOperation } from '../model/bundle.ts'
import type { OperationPlan } from '../model/operation.ts'
import { nearest } from '../syntax/nearest.ts'

/** What configuration says of operations by name, which only their contracts can tell right from wrong. */

interface ContractedApi {
  readonly plan: ApiPlan
  readonly contract: { readonly operations: readonly CompiledOperation[] } | null
}

/**
 * Operations with their settings of `apis.*.operations`, which also holds that flows name operations there are.
 * @throws {ConfigError} `config-invalid`, each name that is none at its place.
 */
export function settleOperations<T extends ContractedApi>(
  read: ReadConfig,
  apis: readonly T[],
): readonly T[] {
  const findings = new Findings()
  const settled = apis.map((api) => withSettings(read, api, findings))
  checkFlows(read, apis, findings)
  if (findings.problems.length > 0)
    throw new ConfigError('config-invalid', findings.problems, read.files, read.folders)
  return settled
}

function withSettings<T extends ContractedApi>(read: ReadConfig, api: T, findings: Findings): T {
  const found = read.apis.find(({ name }) => name === api.plan.name)
  const wanted = Object.entries(found?.settings.operations ?? {})
  if (found === undefined || wanted.length === 0) return api
  const operations = api.contract?.operations ?? []
  const byName = new Map(
    operations.filter(isRouted).flatMap(({ plan }) => namesOf(plan).map((name) => [name, plan.key])),
  )
  const settings = new Map<string, OwnSettings>()
  for (const [name, own] of wanted) {
    const key = byName.get(name)
    if (key === undefined) {
      const message = `the contract has no operation "${name}"`
      const hint = api.contract === null ? 'The API has no contract.' : near(name, [...byName.keys()])
      findings.problem(found.source, ['operations', name], message, hint, 'key')
    } else if (settings.has(key)) {
      findings.problem(
        found.source,
        ['operations', name],
        'the operation is named twice',
        'Leave one.',
        'key',
      )
    } else if (own.mode === 'enforce' && !api.plan.governed) {
      findings.problem(
        found.source,
        ['operations', name, 'mode'],
        'mode enforce needs an identity: there is nothing to hold calls against',
        'Add identity: with accept and audience to the API.',
      )
    } else settings.set(key, settled(own))
  }
  if (api.contract === null) return api
  const contract = {
    ...api.contract,
    operations: operations.map((one) => withOwn(one, settings.get(one.plan.key))),
  }
  return { ...api, contract }
}

type OwnSettings = Pick<OperationPlan, 'mode' | 'answers' | 'unknownFields'>

/** Without what is not stated: that is the API's. */
function settled({
  mode,
  answers,
  unknownFields,
}: { readonly [Name in keyof OwnSettings]?: OwnSettings[Name] | undefined }): OwnSettings {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(answers === undefined ? {} : { answers }),
    ...(unknownFields === undefined ? {} : { unknownFields }),
  }
}

function withOwn(operation: CompiledOperation, own: OwnSettings | undefined): CompiledOperation {
  return own === undefined ? operation : { ...operation, plan: { ...operation.plan, ...own } }
}

/** Fields of a GraphQL API have no settings of their own: the call they are asked in has. */
function isRouted({ plan }: CompiledOperation): boolean {
  return plan.graphql !== 'field'
}

/** `getOrder` and `GET /orders/{orderId}`. */
function namesOf({ operationId, method, template }: OperationPlan): readonly string[] {
  const written = `${method} ${template}`
  return operationId === undefined ? [written] : [operationId, written]
}

function checkFlows(read: ReadConfig, apis: readonly ContractedApi[], findings: Findings): void {
  const { flows } = read.config
  if (!flows.some(({ operations }) => operations !== undefined)) return
  const main = { file: read.file, text: read.text, base: [] }
  for (const [index, { to, operations = [] }] of flows.entries()) {
    const there = new Set(
      apis.filter(({ plan }) => plan.zone === to).flatMap(({ contract }) => callable(contract)),
    )
    for (const [at, name] of operations.entries()) {
      if (there.has(name)) continue
      findings.problem(
        main,
        ['flows', index, 'operations', at],
        `no API in the zone "${to}" has an operation or group "${name}"`,
        near(name, [...there]),
      )
    }
  }
}

function callable(contract: ContractedApi['contract']): readonly string[] {
  return (contract?.operations ?? []).flatMap(({ plan }) => [plan.key, ...actionGroups(plan)])
}

function near(name: string, known: readonly string[]): string {
  const close = nearest(name, known)
  if (close !== null) return `Did you mean "${close}"?`
  return known.length === 0
    ? ''
    : `There are: ${known.slice(0, 20).join(', ')}${known.length > 20 ? ' and more' : ''}.`
}
