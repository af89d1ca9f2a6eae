import { beside } from './api-files.ts'
import { OWN_DOMAIN } from './authzen-schema.ts'
import { shown } from './document.ts'
import { readTextFile } from './files.ts'
import type { Findings, Source } from './findings.ts'
import { isLoopbackUrl } from './forms.ts'
import { type PolicyFile, readPolicyFolder } from './policy-files.ts'
import type { Config } from './schema.ts'

const MAX_SCHEMA_BYTES = 1_048_576
const MAX_ENTITIES_BYTES = 16 * 1_048_576

/** Another application's policies as its files have them. */
export interface ReadDomain {
  readonly name: string
  readonly policies: readonly PolicyFile[]
  readonly schema: PolicyFile
  readonly entities: PolicyFile | null
  readonly types: Readonly<Record<string, string>> | null
}

/** The domains of `decisionPoints.authzen`, and what its keys say together. */
export function readDomains(config: Config, main: Source, findings: Findings): readonly ReadDomain[] {
  const { authzen } = config.decisionPoints
  if (authzen === undefined) return []
  const at = ['decisionPoints', 'authzen']
  const { host, origin, credentials, domains } = authzen
  if (credentials.length === 0 && !isLoopback(host))
    findings.problem(
      main,
      [...at, 'host'],
      'questions from other machines need credentials: whoever reaches the port could ask about everybody',
      'Add credentials: [env:NAME].',
    )
  const outside = origin === undefined ? null : URL.parse(origin)
  if (outside?.protocol === 'http:' && !isLoopbackUrl(outside))
    findings.problem(
      main,
      [...at, 'origin'],
      'origin must be https beyond this machine: questions and tokens would go in plain text',
      'Put a proxy that speaks TLS before it, and name that.',
    )
  if (authzen.default !== OWN_DOMAIN && !Object.hasOwn(domains, authzen.default))
    findings.problem(
      main,
      [...at, 'default'],
      `there is no domain "${authzen.default}"`,
      `There are: ${[OWN_DOMAIN, ...Object.keys(domains)].join(', ')}.`,
    )
  return Object.entries(domains)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, settings]) => readDomain(name, settings, main, findings) ?? [])
}

type Settings = NonNullable<Config['decisionPoints']['authzen']>['domains'][string]

function readDomain(name: string, settings: Settings, main: Source, findings: Findings): ReadDomain | null {
  const at = ['decisionPoints', 'authzen', 'domains', name]
  if (name === OWN_DOMAIN) {
    findings.problem(
      main,
      at,
      `the domain "${OWN_DOMAIN}" is the gate’s own APIs`,
      'Choose another name.',
      'key',
    )
    return null
  }
  const read = (key: 'schema' | 'entities', path: string, limit: number): PolicyFile | null => {
    const file = beside(main.file, path)
    findings.touchedFile(file)
    const found = readTextFile(file, limit)
    if (found.ok) return { file, text: found.text }
    findings.problem(main, [...at, key], `the file ${found.why}`, 'Paths are relative to the configuration.')
    return null
  }
  const folder = beside(main.file, settings.policies)
  const { policies, policyLinks, policyTests } = readPolicyFolder(folder, main, findings, [...at, 'policies'])
  const linked = [...new Set(policyLinks.map(({ file }) => file))]
  if (linked.length > 0)
    findings.problem(
      main,
      [...at, 'policies'],
      `a domain’s policies take no links of templates: ${linked.map((file) => shown(file, 512)).join(', ')}`,
      'Write the policies out, each with its principal and resource.',
    )
  if (policyTests.length > 0)
    findings.warning(
      main,
      [...at, 'policies'],
      'tests in a domain’s folder are not run: they can be written for the gate’s own APIs only',
      'Ask the domain itself, with what it should answer.',
    )
  if (policies.length === 0)
    findings.warning(
      main,
      [...at, 'policies'],
      'the domain has no policy: it answers every question with no',
      '',
    )
  const schema = read('schema', settings.schema, MAX_SCHEMA_BYTES)
  const entities =
    settings.entities === undefined ? null : read('entities', settings.entities, MAX_ENTITIES_BYTES)
  return schema === null ? null : { name, policies, schema, entities, types: settings.types ?? null }
}

function isLoopback(host: string): boolean {
  return isLoopbackUrl(new URL(`http://${host.includes(':') ? `[${host}]` : host}`))
}
