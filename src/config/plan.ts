import type { ApiPlan, BundleHead, IssuerPlan, SignalPlan } from '../model/bundle.ts'
import type { IssuerSettings } from './issuer-schema.ts'
import { claimsOf, type ObjectRule, toObjectRule } from './object-rules.ts'
import { isGoverned, type ReadApi, type ReadConfig } from './read.ts'

export type { ObjectRule } from './object-rules.ts'

import type { Signals } from './signal-schema.ts'
import { flowPlans, zonePlans } from './zone-schema.ts'

/** Configuration as the bundle wants it: every default decided, nothing left to ask at run time. */

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
  const apis = read.apis
    .map((api) => apiPlan(api, config.environment, config.signals))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const claims = claimsOf(apis.flatMap(({ objects }) => objects))
  const head: BundleHead = {
    format: 1,
    version,
    issuers: byName(config.identity.issuers).map(([name, settings]) =>
      issuerPlan(name, settings, claims.get(name)),
    ),
    limits: config.limits,
    environment: config.environment,
    durability: config.durability,
    ...(Object.keys(config.networks).length === 0 ? {} : { networks: networksPlan(config.networks) }),
    ...(Object.keys(config.zones).length === 0
      ? {}
      : { zones: zonePlans(config.zones), flows: flowPlans(config.flows) }),
    ...(config.timeZone === 'UTC' ? {} : { timeZone: config.timeZone }),
    auditAttributes: sorted(config.audit.attributes),
  }
  return { head, apis }
}

/** The plan once the contract's base path is known; it counts only where configuration left it out. */
export function settlePlan(
  plan: ApiSettingsPlan,
  contractBasePath: string,
  contractUrlNames: readonly string[] = [],
): ApiPlan {
  const { objects: _, ...rest } = plan
  const basePath = plan.basePath ?? contractBasePath
  const upstream = { ...plan.upstream, basePath: plan.upstream.basePath ?? basePath }
  const urlNames = sorted([...(plan.urlNames ?? []), ...contractUrlNames])
  return { ...rest, basePath, upstream, ...(urlNames.length === 0 ? {} : { urlNames }) }
}

function issuerPlan(name: string, settings: IssuerSettings, claims?: ReadonlySet<string>): IssuerPlan {
  const { issuer, jwks, algorithms, types, groupsClaim, tenantClaim, rolesClaim, deviceClaim } = settings
  const { subjects, skewSeconds, keys } = settings
  return {
    name,
    iss: issuer,
    ...(jwks === undefined ? {} : { jwks }),
    algorithms: sorted(algorithms),
    types: sorted(types),
    groupsClaim,
    ...(tenantClaim === undefined ? {} : { tenantClaim }),
    ...(rolesClaim === undefined ? {} : { rolesClaim }),
    ...(deviceClaim === undefined ? {} : { deviceClaim }),
    ...(claims === undefined ? {} : { claims: sorted([...claims]) }),
    ...(subjects === undefined ? {} : { subjects }),
    keys,
    skewSeconds,
  }
}

function apiPlan({ name, settings, rules }: ReadApi, environment: string, signals: Signals): ApiSettingsPlan {
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
    ...(settings.requestCodings === undefined ? {} : { requestCodings: sorted(settings.requestCodings) }),
    ...(settings.answers === undefined ? {} : { answers: settings.answers }),
    ...(settings.unknownFields === undefined ? {} : { unknownFields: settings.unknownFields }),
    ...(settings.largeAnswers === 'refuse' ? {} : { largeAnswers: settings.largeAnswers }),
    ...(settings.sensitivity.sample === 0
      ? {}
      : {
          sampling: { share: settings.sensitivity.sample, maxValues: settings.sensitivity.maxValues },
        }),
    ...urlPlan(settings.urls),
    tenant,
    environment: settings.environment ?? environment,
    ...(settings.zone === undefined ? {} : { zone: settings.zone }),
    ...(settings.observe.length === 0 ? {} : { observeStages: sorted(settings.observe) }),
    ...(settings.signals.length === 0 ? {} : { signals: signalPlans(settings.signals, signals) }),
    objects: [...rules]
      .sort((a, b) => (a.type < b.type ? -1 : 1))
      .map(({ type, rule }) => toObjectRule(type, rule, identity?.accept ?? [])),
  }
}

/** Names that are resolved: a wildcard's cannot be known, and an address is one. */
function urlPlan(urls: ReadApi['settings']['urls']): Pick<ApiPlan, 'urls' | 'urlNames'> {
  if (urls === undefined) return {}
  const { hosts, schemes, ports, private: privates } = urls
  const names = privates === 'allow' ? [] : (hosts ?? []).filter((host) => /^[^*:]*[a-z][^:]*$/.test(host))
  return {
    urls: {
      ...(hosts === undefined ? {} : { hosts: sorted(hosts) }),
      ...(schemes === undefined ? {} : { schemes: sorted(schemes) }),
      ...(ports === undefined ? {} : { ports: [...ports].sort((a, b) => a - b) }),
      private: privates,
    },
    ...(names.length === 0 ? {} : { urlNames: sorted(names) }),
  }
}

/** `http://h` keeps the base path; `http://h/` and `http://h/x` replace it, with nothing or with `/x`. */
function upstreamPlan(text: string): ApiSettingsPlan['upstream'] {
  const { origin, pathname } = new URL(text)
  const hasPath = /^[^/]*\/\/[^/]*\//.test(text)
  return { origin, basePath: hasPath ? pathname.replace(/\/$/, '') : null }
}

function networksPlan(
  networks: ReadConfig['config']['networks'],
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(byName(networks).map(([name, blocks]) => [name, sorted(blocks)]))
}

function byName<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}

function sorted<T extends string>(list: readonly T[]): readonly T[] {
  return [...new Set(list)].sort()
}

function signalPlans(names: readonly string[], signals: Signals): readonly SignalPlan[] {
  return sorted([...new Set(names)]).flatMap((name) => {
    const signal = signals[name]
    if (signal === undefined) return []
    const { origin, basePath } = upstreamPlan(signal.url)
    const { timeoutMs, credential } = signal
    const path = `${basePath ?? ''}/access/v1/evaluation`
    return [{ name, origin, path, timeoutMs, ...(credential === undefined ? {} : { credential }) }]
  })
}
