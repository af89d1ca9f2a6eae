import { dirname, resolve } from 'node:path'
import type { PolicyLink } from '../model/policy-link.ts'
import { beside, type FoundApi, readApiFiles } from './api-files.ts'
import type { ApiSettings } from './api-schema.ts'
import { checkApi, checkConfig } from './checks.ts'
import { checkClaims } from './claims.ts'
import { type ContractPart, readContractParts } from './contract-parts.ts'
import { readDocument, shown } from './document.ts'
import { liesBelow, readTextFile } from './files.ts'
import { Findings, type Source } from './findings.ts'
import { schemaFindings } from './issues.ts'
import {
  checkRules,
  configuredRules,
  type PlacedFields,
  type PlacedRule,
  readBeside,
} from './object-rules.ts'
import { ConfigError, type Problem } from './place.ts'
import { type PolicyFile, type PolicyTestFile, readPolicyFolder } from './policy-files.ts'
import { type ReadDomain, readDomains } from './read-domains.ts'
import { type ReadGraphql, readGraphql } from './read-graphql.ts'
import { type Config, configSchema } from './schema.ts'
import { checkZones } from './zone-checks.ts'

const MAX_CONFIG_BYTES = 1_048_576
const MAX_APIS = 1000
const MAX_CONTRACT_BYTES = 32 * 1_048_576

export interface ReadContract {
  readonly file: string
  readonly text: string
  /** The other files it is written in, by their path from its folder. */
  readonly parts: ReadonlyMap<string, ContractPart>
}

export interface ReadApi {
  readonly name: string
  readonly settings: ApiSettings
  /** The part of a file that configures the API: what `Findings` and `checkClaims` place problems in. */
  readonly source: Source
  readonly contract: ReadContract | null
  /** Of a GraphQL API, which has no contract besides. */
  readonly graphql: ReadGraphql | null
  /** Object rules of the configuration and of the file beside the contract. */
  readonly rules: readonly PlacedRule[]
  /** What the file beside the contract states of its fields; null where there is none. */
  readonly fields: PlacedFields | null
}

/** Everything the gate is configured by, read once; nothing else reads these files. */
export interface ReadConfig {
  readonly file: string
  /** As read: what places in it are worked out from. */
  readonly text: string
  /** Defaults applied; the APIs stand in `apis`, wherever they were written. */
  readonly config: Config
  /** The store's folder, absolute. */
  readonly store: string
  /** Sorted by name. */
  readonly apis: readonly ReadApi[]
  readonly policies: readonly PolicyFile[]
  /** Links of the policies' templates. */
  readonly policyLinks: readonly PolicyLink[]
  readonly policyTests: readonly PolicyTestFile[]
  /** Other applications' policies, sorted by name. */
  readonly domains: readonly ReadDomain[]
  /** Absolute paths of all files read, and of the folders listed: what to watch. */
  readonly files: readonly string[]
  readonly folders: readonly string[]
  readonly warnings: readonly Problem[]
}

/**
 * Reads and validates a configuration with all it names.
 * @throws {ConfigError} `config-missing` where the file cannot be read, `config-invalid` with every problem found.
 * Problems come in two rounds, the second standing on the first: syntax and form of the main file and the APIs' files;
 * then what keys say together, and the files they name.
 */
export function readConfig(file: string): ReadConfig {
  const findings = new Findings()
  findings.touchedFile(file)
  const read = readTextFile(file, MAX_CONFIG_BYTES)
  if (!read.ok) {
    const problem = {
      file,
      line: 1,
      column: 1,
      pointer: '',
      message: `the configuration ${read.why}`,
      hint: read.missing ? 'Make one with sallyport init, or name it with --config FILE.' : '',
    }
    throw new ConfigError(
      read.missing ? 'config-missing' : 'config-invalid',
      [problem],
      findings.files,
      findings.folders,
    )
  }
  const main: Source = { file, text: read.text, base: [] }
  const { config, apis: found } = readMain(main, findings)

  checkConfig(config, main, findings)
  for (const api of found) checkApi(api, config, findings)
  checkZones(config, found, main, findings)
  findings.add(checkClaims(found.map(claimOf), found))

  const apis = found.map((api) => {
    const contract = readContract(api, main, findings)
    const beside = contract === null ? null : readBeside(api, contract.file, main, findings)
    const rules = [...configuredRules(api), ...(beside?.rules ?? [])]
    checkRules(rules, api.settings.identity?.accept ?? [], findings)
    const graphql = readGraphql(api, main, findings)
    return { ...api, contract, graphql, rules, fields: beside?.fields ?? null }
  })
  const folder = config.policies === undefined ? null : beside(file, config.policies)
  const policies =
    folder === null
      ? { policies: [], policyLinks: [], policyTests: [] }
      : readPolicyFolder(folder, main, findings)
  const domains = readDomains(config, main, findings)
  findings.settle()

  if (policies.policies.length === 0 && apis.some((api) => isEnforced(api.settings))) {
    const at = config.policies === undefined ? [] : ['policies']
    findings.warning(
      main,
      at,
      'there is no policy: every call to an enforced API is denied',
      'Permit calls in a *.cedar file.',
    )
  }
  return {
    file,
    text: read.text,
    config,
    store: resolve(beside(file, config.store)),
    apis,
    ...policies,
    domains,
    files: findings.files,
    folders: findings.folders,
    warnings: findings.warnings,
  }
}

function readMain(main: Source, findings: Findings): { config: Config; apis: FoundApi[] } {
  const document = readDocument(main.file, main.text)
  if (!document.ok) {
    findings.add(document.problems)
    findings.fail()
  }
  const value = document.value ?? {}
  const parsed = configSchema.safeParse(value)
  if (!parsed.success) {
    for (const { segments, at, message, hint } of schemaFindings(parsed.error, configSchema, value)) {
      findings.problem(main, segments, message, hint, at)
    }
  }
  // Files of APIs are looked at even so: one reading should name all that is wrong.
  const patterns = parsed.success ? parsed.data.apis : (value as Readonly<Record<string, unknown>>)['apis']
  const apis = isPatterns(patterns) ? readApiFiles(patterns, main, findings) : []
  if (!parsed.success) findings.fail()
  findings.settle()

  const { apis: written, ...config } = parsed.data
  if (typeof written === 'object' && !Array.isArray(written)) {
    for (const [name, settings] of Object.entries(written)) {
      apis.push({ name, settings, source: { ...main, base: ['apis', name] } })
    }
    if (apis.length > MAX_APIS) findings.problem(main, ['apis'], `apis has more than ${MAX_APIS} entries`, '')
    if (apis.length === 0) {
      findings.problem(
        main,
        ['apis'],
        'apis is empty: there is nothing to protect',
        'Add an API by its name.',
      )
    }
  }
  findings.settle()
  return { config, apis: apis.sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

function isPatterns(value: unknown): value is string | string[] {
  return (
    typeof value === 'string' || (Array.isArray(value) && value.every((each) => typeof each === 'string'))
  )
}

function readContract(api: FoundApi, main: Source, findings: Findings): ReadApi['contract'] {
  const { settings, source } = api
  if (settings.contract === undefined) return null
  const file = beside(source.file, settings.contract)
  findings.touchedFile(file)
  const read = readTextFile(file, MAX_CONTRACT_BYTES)
  if (!read.ok) {
    const hint = read.missing ? `Paths are relative to ${source.file}.` : ''
    findings.problem(source, ['contract'], `the contract ${shown(file, 512)} ${read.why}`, hint)
    return null
  }
  if (
    source.file !== main.file &&
    ![main.file, source.file].some((beneath) => liesBelow(read.realpath, dirname(beneath)))
  ) {
    // Whoever owns an API's file may have it read its neighbours, not all that the gate's user can read.
    findings.problem(
      source,
      ['contract'],
      'the contract lies outside the folders of the configuration and of the API’s file',
      'Put it beside the API’s file.',
    )
    return null
  }
  const parts = readContractParts(file, read.text, (path) => findings.touchedFile(path))
  return { file, text: read.text, parts }
}

function claimOf({ name, settings }: FoundApi) {
  const basePath = settings.basePath ?? (settings.contract === undefined ? '' : null)
  return { name, hosts: settings.hosts ?? [], basePath }
}

export function isGoverned(settings: ApiSettings): boolean {
  const { contract, graphql, identity } = settings
  return (contract !== undefined || graphql !== undefined) && identity !== undefined
}

function isEnforced(settings: ApiSettings): boolean {
  return isGoverned(settings) && settings.mode !== 'observe'
}
