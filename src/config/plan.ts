import type { ApiPlan, BundleHead, IssuerPlan } from '../model/bundle.ts'
import { parsePointer } from '../syntax/json-pointer.ts'
import type { ApiSettings } from './api-schema.ts'
import type { IssuerSettings } from './issuer-schema.ts'
import { isGoverned, type ReadConfig } from './read.ts'

/** Configuration as the bundle wants it: every default decided, nothing left to ask at run time. */

/** An object rule of `apis.*.objects`; the contract room finds its operations. */
export interface ObjectRule {
  readonly type: string
  /** Path template below the base path, as in the contract. */
  readonly path: string
  /** Reference tokens of the JSON pointers. */
  readonly owner?: readonly string[]
  readonly tenant?: readonly string[]
  /** Config name of the issuer whose subjects the owner field names; set wherever `owner` is and tokens are accepted. */
  readonly issuer?: string
  /** operationId of the look-up, as written: without the API's name. */
  readonly lookup?: string
  readonly hideAbsent: boolean
}

/** An `ApiPlan` that may still wait for its contract: null base paths are the contract's to fill. */
export interface ApiSettingsPlan extends Omit<ApiPlan, 'basePath' | 'upstream'> {
  readonly basePath: string | null
  /** A null base path: the API's own is kept. */
  readonly upstream: { readonly origin: string; readonly basePath: string | null }
  readonly objects: readonly ObjectRule[]
}

/**
 * @param version The program's own, for the bundle's head.
 * Issuers, APIs, hosts and objects are sorted, so that the order of keys in a file does not change the bundle's hash.
 */
export function toPlans(
  read: ReadConfig,
  version: string,
): { readonly head: BundleHead; readonly apis: readonly ApiSettingsPlan[] } {
  const { config } = read
  const head: BundleHead = {
    format: 1,
    version,
    issuers: byName(config.identity.issuers).map(([name, settings]) => issuerPlan(name, settings)),
    limits: config.limits,
    environment: config.environment,
    durability: config.durability,
    auditAttributes: sorted(config.audit.attributes),
  }
  const apis = read.apis
    .map(({ name, settings }) => apiPlan(name, settings, config.environment))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return { head, apis }
}

/** The plan once the contract's base path is known; it counts only where configuration left it out. */
export function settlePlan(plan: ApiSettingsPlan, contractBasePath: string): ApiPlan {
  const { objects: _, ...rest } = plan
  const basePath = plan.basePath ?? contractBasePath
  return { ...rest, basePath, upstream: { ...plan.upstream, basePath: plan.upstream.basePath ?? basePath } }
}

function issuerPlan(name: string, settings: IssuerSettings): IssuerPlan {
  const { issuer, jwks, algorithms, types, groupsClaim, tenantClaim, skewSeconds, keys } = settings
  return {
    name,
    iss: issuer,
    ...(jwks === undefined ? {} : { jwks }),
    algorithms: sorted(algorithms),
    types: sorted(types),
    groupsClaim,
    ...(tenantClaim === undefined ? {} : { tenantClaim }),
    keys,
    skewSeconds,
  }
}

function apiPlan(name: string, settings: ApiSettings, environment: string): ApiSettingsPlan {
  const {
    identity,
    contract,
    credential,
    onAuditFailure,
    stripHeaders,
    timeouts,
    maxRequestBytes,
    maxAnswerBytes,
    tenant,
  } = settings
  const governed = isGoverned(settings)
  return {
    name,
    owner: settings.owner ?? '',
    governed,
    mode: settings.mode ?? (governed ? 'enforce' : 'observe'),
    hosts: sorted(settings.hosts ?? []),
    basePath: settings.basePath ?? (contract === undefined ? '' : null),
    upstream: upstreamPlan(settings.upstream),
    accept: sorted(identity?.accept ?? []),
    audience: sorted(identity?.audience ?? []),
    ...(identity?.maxTokenAgeSeconds === undefined
      ? {}
      : { maxTokenAgeSeconds: identity.maxTokenAgeSeconds }),
    credential,
    onAuditFailure,
    timeouts,
    stripHeaders: sorted(stripHeaders),
    maxRequestBytes,
    maxAnswerBytes,
    tenant,
    environment: settings.environment ?? environment,
    objects: byName(settings.objects ?? {}).map(([type, rule]) =>
      objectRule(type, rule, identity?.accept ?? []),
    ),
  }
}

/** `http://h` keeps the base path; `http://h/` and `http://h/x` replace it, with nothing or with `/x`. */
function upstreamPlan(text: string): ApiSettingsPlan['upstream'] {
  const { origin, pathname } = new URL(text)
  const hasPath = /^[^/]*\/\/[^/]*\//.test(text)
  return { origin, basePath: hasPath ? pathname.replace(/\/$/, '') : null }
}

function objectRule(
  type: string,
  rule: NonNullable<ApiSettings['objects']>[string],
  accept: readonly string[],
): ObjectRule {
  const issuer = rule.issuer ?? (rule.owner !== undefined && accept.length === 1 ? accept[0] : undefined)
  return {
    type,
    path: rule.path,
    ...(rule.owner === undefined ? {} : { owner: parsePointer(rule.owner) }),
    ...(rule.tenant === undefined ? {} : { tenant: parsePointer(rule.tenant) }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(rule.lookup === undefined ? {} : { lookup: rule.lookup }),
    hideAbsent: rule.hideAbsent,
  }
}

function byName<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}

function sorted<T extends string>(list: readonly T[]): readonly T[] {
  return [...new Set(list)].sort()
}
