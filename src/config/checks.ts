import type { FoundApi } from './api-files.ts'
import type { Findings, Source } from './findings.ts'
import { isLoopbackUrl } from './forms.ts'
import type { Segments } from './place.ts'
import type { Config } from './schema.ts'

/** What the schema cannot say because two keys speak of it. Each problem stands where it is to be corrected. */

const PLAIN_HTTP_HINT =
  'Use https:, or set allowPlainHttp: true beside it to accept that others can read and change it.'

export function checkConfig(config: Config, main: Source, findings: Findings): void {
  const { listen, management, limits } = config
  const anywhere = ['0.0.0.0', '::']
  if (
    listen.port !== 0 &&
    listen.port === management.port &&
    (listen.host === management.host ||
      [listen.host, management.host].some((host) => anywhere.includes(host)))
  ) {
    findings.problem(
      main,
      ['management', 'port'],
      'port is taken by listen',
      'Give management a port of its own.',
    )
  }
  checkDecisionPorts(config, main, findings)
  if (limits.tokenBytes > limits.fieldBytes) {
    findings.warning(
      main,
      ['limits', 'tokenBytes'],
      'tokenBytes is larger than fieldBytes: such tokens are refused with their header fields',
      'Raise fieldBytes too.',
    )
  }
  checkIssuers(config, main, findings)
  for (const [name, { url, allowPlainHttp }] of Object.entries(config.signals))
    checkPlainHttp(URL.parse(url), allowPlainHttp, main, ['signals', name, 'url'], findings)
}

/** SO_REUSEPORT would share a port silently, so none stands twice, whatever the address. */
function checkDecisionPorts(
  { listen, management, decisionPoints }: Config,
  main: Source,
  findings: Findings,
): void {
  const taken = new Map([
    [management.port, 'management'],
    [listen.port, 'listen'],
  ])
  for (const [key, point] of Object.entries(decisionPoints)) {
    if (point === undefined) continue
    const other = taken.get(point.port)
    if (other !== undefined)
      findings.problem(
        main,
        ['decisionPoints', key, 'port'],
        `port is taken by ${other}`,
        'Give each a port of its own.',
      )
    taken.set(point.port, other ?? `decisionPoints.${key}`)
    if (point.peers.some((peer) => peer.endsWith('/0')))
      findings.warning(
        main,
        ['decisionPoints', key, 'peers'],
        'peers holds every address: whoever reaches the port is believed what it states of a call',
        'List the addresses of your proxies.',
      )
  }
}

function checkIssuers(config: Config, main: Source, findings: Findings): void {
  const named = new Map<string, string>()
  for (const [name, settings] of Object.entries(config.identity.issuers)) {
    const at = (key: string): Segments => ['identity', 'issuers', name, key]
    const other = named.get(settings.issuer)
    if (other !== undefined) {
      findings.problem(
        main,
        at('issuer'),
        `issuer is the same as that of "${other}"`,
        'Merge the two, or correct one.',
      )
    }
    named.set(settings.issuer, other ?? name)
    const url = URL.parse(settings.issuer)
    if (settings.jwks === undefined && !isDiscoverable(url, settings.issuer)) {
      findings.problem(
        main,
        at('issuer'),
        'issuer must be an https URL without query or fragment, since its keys are found below it',
        'State jwks for an issuer of another form.',
      )
    }
    checkPlainHttp(url, settings.allowPlainHttp, main, at('issuer'), findings)
    if (settings.jwks !== undefined) {
      checkPlainHttp(URL.parse(settings.jwks), settings.allowPlainHttp, main, at('jwks'), findings)
    }
  }
}

/** OpenID Connect Discovery 1.0 §3 and RFC 8414 §2: nothing but scheme, host, port and path. */
function isDiscoverable(url: URL | null, text: string): boolean {
  return (
    url !== null &&
    /^https?:\/\/[\x21-\x5b\x5d-\x7e]+$/i.test(text) &&
    !/[?#@]/.test(text) &&
    text.length <= 1024
  )
}

export function checkApi(api: FoundApi, config: Config, findings: Findings): void {
  const { settings, source, name } = api
  const { identity, contract, mode, objects } = settings
  checkPlainHttp(URL.parse(settings.upstream), settings.allowPlainHttp, source, ['upstream'], findings)

  const issuers = config.identity.issuers
  for (const [index, issuer] of (identity?.accept ?? []).entries()) {
    if (Object.hasOwn(issuers, issuer)) continue
    const known = Object.keys(issuers)
    findings.problem(
      source,
      ['identity', 'accept', index],
      `the API "${name}" accepts the issuer "${issuer}", which is not configured`,
      known.length === 0
        ? 'Add it under identity.issuers.'
        : `Under identity.issuers stand: ${known.join(', ')}.`,
    )
  }

  if (contract !== undefined && settings.graphql !== undefined) {
    const message = 'an API has a contract or is a GraphQL API, not both'
    findings.problem(source, ['graphql'], message, 'Make two APIs of it, with paths of their own.', 'key')
  }
  const governed = contract !== undefined || settings.graphql !== undefined
  if (mode === 'enforce' && (!governed || identity === undefined)) {
    const lacking = governed ? 'an identity' : 'a contract'
    findings.problem(
      source,
      ['mode'],
      `mode enforce needs ${lacking}: there is nothing to hold calls against`,
      `Add ${governed ? 'identity: with accept and audience' : 'contract:'}, or set mode: observe.`,
    )
  }
  for (const [index, signal] of settings.signals.entries()) {
    if (Object.hasOwn(config.signals, signal)) continue
    const known = Object.keys(config.signals).join(', ')
    findings.problem(
      source,
      ['signals', index],
      `there is no signal "${signal}"`,
      known === '' ? 'Add it under signals.' : `Under signals stand: ${known}.`,
    )
  }
  if (settings.signals.length > 0 && !governed) {
    findings.problem(
      source,
      ['signals'],
      'signals need a contract: without one there is no operation to ask about',
      'Add contract:.',
      'key',
    )
  }
  if (settings.overlay !== undefined && contract === undefined) {
    findings.problem(
      source,
      ['overlay'],
      'an overlay needs a contract: without one it rules nothing',
      'Add contract:.',
      'key',
    )
  }
  if (objects !== undefined && contract === undefined) {
    findings.problem(
      source,
      ['objects'],
      'objects need a contract: without one they rule nothing',
      'Add contract:.',
      'key',
    )
  }
}

function checkPlainHttp(
  url: URL | null,
  allowed: boolean,
  source: Source,
  at: Segments,
  findings: Findings,
): void {
  if (url?.protocol !== 'http:' || allowed || isLoopbackUrl(url)) return
  findings.problem(source, at, `${String(at.at(-1))} uses plain http: beyond this machine`, PLAIN_HTTP_HINT)
}
