import type { UrlPlan } from '../../model/bundle.ts'
import type { UrlNameState } from '../../model/channel.ts'
import { isPublicAddress } from '../../syntax/special-addresses.ts'
import { nestedUrl, readUrlTarget, type UrlForm, type UrlHost } from '../../syntax/url-target.ts'

/** A place of a schema that holds URLs: what its format makes of it, and what stands there about it (`x-sallyport`). */
export interface UrlPlace {
  readonly form: UrlForm
  /** The API's own rule is needed: a format that names hosts for many purposes (`hostname`). */
  readonly ruled?: true
  /** Other texts may stand there too: only what looks like a URL is held to the rule. */
  readonly mixed?: true
  readonly rule?: UrlPlan
}

/**
 * Schemes by which programs that fetch URLs read files, speak to other services byte by byte, or unpack further URLs.
 * Refused where no list says which are taken.
 */
const DANGEROUS = new Set(
  'file gopher gophers dict jar netdoc ldap ldaps ldapi tftp phar expect php glob zip ogg smb view-source blob url'.split(
    ' ',
  ),
)
/** Names that only mean something inside a network (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`), and in use as such. */
const LOCAL = [
  'localhost',
  'local',
  'localdomain',
  'internal',
  'svc',
  'docker',
  'consul',
  'intranet',
  'home.arpa',
  'lan',
  'home',
  'corp',
  'private',
]
/** Public services whose names are private addresses: known ones, of which there will always be others. */
const WILDCARDS = [
  'nip.io',
  'sslip.io',
  'xip.io',
  'localtest.me',
  'lvh.me',
  'vcap.me',
  'lacolhost.com',
  'rbndr.us',
  '1u.ms',
]

/** What a text breaks, by a name that tells nothing of its value; null where it may be called. */
export function urlFault(
  text: string,
  place: UrlPlace,
  api: UrlPlan | undefined,
  nameState: (name: string) => UrlNameState,
): string | null {
  if (place.ruled === true && place.rule === undefined && api === undefined) return null
  const { hosts, schemes, ports, private: privates = 'deny' }: UrlPlan = { ...api, ...place.rule }
  if (privates === 'allow' && hosts === undefined && schemes === undefined && ports === undefined) return null
  if (place.mixed === true && !isLikeUrl(text)) return null
  let target = readUrlTarget(text, place.form)
  // Formats that nobody asserts also hold `www.example.com/x`, which many programs call all the same.
  if (!target.ok && target.why === 'scheme-missing' && hosts === undefined && schemes === undefined)
    target = readUrlTarget(text.split(/[/?#]/, 1)[0] ?? '', 'host')
  if (!target.ok) return target.why
  const { scheme, host, port } = target
  const hasScheme = scheme !== '' || host === null
  if (scheme !== '' && (schemes === undefined ? DANGEROUS.has(scheme) : !schemes.includes(scheme)))
    return 'scheme'
  // `localhost:8080/x` has a scheme called localhost to those who read URLs by the book.
  if (host === null && privates === 'deny' && PORT_NEXT.test(text) && isReserved(scheme))
    return 'private-name'
  const nested = host === null ? nestedUrl(text) : null
  if (nested !== null)
    return urlFault(
      nested,
      { form: 'url', ...(place.rule === undefined ? {} : { rule: place.rule }) },
      api,
      nameState,
    )
  if (host === null)
    return hosts === undefined || !hasScheme || place.form === 'reference' ? null : 'host-missing'
  const called = port ?? usualPort(scheme)
  if (ports !== undefined && called !== null && !ports.includes(called)) return 'port-forbidden'
  if (hosts !== undefined && !isListed(host, hosts)) return 'host-unlisted'
  if (privates === 'allow') return null
  if (host.kind === 'address') return isPublicAddress(host.bytes) ? null : 'private-address'
  if (isLocalName(host.name)) return 'private-name'
  if (hosts === undefined || !hosts.includes(host.name)) return null
  const state = nameState(host.name)
  return state === 'public' ? null : state === 'private' ? 'resolves-private' : 'unresolved'
}

/** As lenient readers see it: one slash or more of either kind, or a scheme that they find a host behind without any. */
const LIKE_URL = /^(?:(?:https?|wss?|ftp|file|url):|(?:[a-z][a-z0-9+._-]*:|[/\\])[/\\])/i
/** They drop spaces before it, and tabs and line ends anywhere (WHATWG URL §4.4, `trim` and `strip` of languages). */
const isLikeUrl = (text: string): boolean =>
  LIKE_URL.test(text.replace(/[\t\r\n]/g, '').replace(/^[\x00-\x20\s\ufeff]+/, ''))

const PORT_NEXT = /^[^:]*:[0-9]{1,5}(?:[/?#]|$)/

const PORTS: Readonly<Record<string, number>> = { http: 80, ws: 80, https: 443, wss: 443, ftp: 21 }

/** Of a scheme whose port is not known, one that no list has; without a scheme, none is said. */
const usualPort = (scheme: string): number | null => (scheme === '' ? null : (PORTS[scheme] ?? 0))

function isListed(host: UrlHost, hosts: readonly string[]): boolean {
  if (host.kind === 'address') return hosts.includes(host.text)
  const { name } = host
  return hosts.some((each) => (each.startsWith('*.') ? name.endsWith(each.slice(1)) : each === name))
}

/** A name of one label is found through the search list of whoever resolves it. */
function isLocalName(name: string): boolean {
  return !name.includes('.') || isReserved(name)
}

function isReserved(name: string): boolean {
  for (const suffix of [...LOCAL, ...WILDCARDS])
    if (name === suffix || name.endsWith(`.${suffix}`)) return true
  return false
}

/** Names that control resolves: a wildcard's cannot be known. */
export function namesToResolve(rule: UrlPlan | undefined): readonly string[] {
  if (rule?.private === 'allow') return []
  return (rule?.hosts ?? []).filter(
    (host) => !host.startsWith('*.') && /[a-z]/.test(host) && !host.includes(':'),
  )
}
