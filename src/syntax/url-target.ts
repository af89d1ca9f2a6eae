import { isIPv4 } from 'node:net'
import { parseIp } from './ip.ts'

/**
 * Whom a URL that a caller sends would have a server call: RFC 3986 read so that the WHATWG URL Standard's reader sees
 * the same host. Whatever the two are known to differ on is refused by name, because one of them may be the gate's and
 * the other the server's: backslashes, user information, encoded or non-ASCII hosts, numbers in other than dotted
 * decimal form, a missing `//`, characters that one of them drops.
 */
export type UrlTarget =
  | {
      readonly ok: true
      readonly scheme: string
      readonly host: UrlHost | null
      readonly port: number | null
    }
  | { readonly ok: false; readonly why: UrlFault }

export type UrlHost =
  | { readonly kind: 'name'; readonly name: string }
  /** 16 bytes, IPv4 mapped. */
  | { readonly kind: 'address'; readonly text: string; readonly bytes: Uint8Array }

export type UrlFault =
  | 'too-long'
  | 'character'
  | 'backslash'
  | 'scheme-missing'
  | 'authority-form'
  | 'userinfo'
  | 'host-encoded'
  | 'host-character'
  | 'address-form'
  | 'trailing-dot'
  | 'port'
  | 'ambiguous'

/** How a text names a host: a URL, a URL reference (which may have no host), or the host with or without a port. */
export type UrlForm = 'url' | 'reference' | 'host'

/** Longer ones no server takes (`MAX_TARGET`), and the checks are linear. */
const MAX_URL = 8_192
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/
/** Schemes whose authority WHATWG's reader finds without `//` too (URL Standard §4.2, special). */
const SPECIAL = new Set(['http', 'https', 'ws', 'wss', 'ftp', 'file'])
/** After a first scheme. */
const NESTED =
  /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z][A-Za-z0-9+.-]*:)*?((?:https?|wss?|ftp|file):|[A-Za-z][A-Za-z0-9+.-]*:\/\/)/i
const HOST = /^[A-Za-z0-9._-]{1,253}$/
/** URL Standard §3.5: a host that ends in such a label is a number, or none. */
const NUMERIC = /(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)$/

/** Never throws. */
export function readUrlTarget(text: string, form: UrlForm): UrlTarget {
  if (text.length > MAX_URL) return refuse('too-long')
  // Leading, trailing and inner spaces, tabs and line ends are dropped by some readers and end the URL for others.
  if (
    /[\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff0-\uffff]/.test(text) ||
    !text.isWellFormed()
  )
    return refuse('character')
  if (text.includes('\\')) return refuse('backslash')
  if (form === 'host') return authority('', text)
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    if (text.startsWith('//')) return authority('', untilPath(text.slice(2)))
    return form === 'reference' ? { ok: true, scheme: '', host: null, port: null } : refuse('scheme-missing')
  }
  const rest = text.slice(scheme.length + 1)
  if (!rest.startsWith('//')) {
    return SPECIAL.has(scheme) ? refuse('authority-form') : { ok: true, scheme, host: null, port: null }
  }
  const read = authority(scheme, untilPath(rest.slice(2)))
  return read.ok && SPECIAL.has(scheme) && !agrees(text, read) ? refuse('ambiguous') : read
}

/** The URL inside one that has no host of its own, which is what is called: `url:http://…` (Java, urllib), `feed:`. */
export function nestedUrl(text: string): string | null {
  const nested = NESTED.exec(text)
  return nested === null ? null : text.slice(nested[0].length - (nested[1] ?? '').length)
}

const refuse = (why: UrlFault): UrlTarget => ({ ok: false, why })

function untilPath(text: string): string {
  const end = text.search(/[/?#]/)
  return end < 0 ? text : text.slice(0, end)
}

function authority(scheme: string, text: string): UrlTarget {
  if (text === '') return refuse('authority-form')
  if (text.includes('@')) return refuse('userinfo')
  if (text.includes('%')) return refuse('host-encoded')
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1
  const mark = text.indexOf(':', bracket < 0 ? 0 : bracket)
  const host = mark < 0 ? text : text.slice(0, mark)
  const port = mark < 0 ? null : readPort(text.slice(mark + 1))
  if (port === undefined) return refuse('port')
  if (text.startsWith('[')) {
    const address = bracket === host.length - 1 ? parseIp(host.slice(1, -1)) : null
    if (address === null || !host.includes(':')) return refuse('address-form')
    return { ok: true, scheme, host: { kind: 'address', text: address.text, bytes: address.bytes }, port }
  }
  if (!HOST.test(host)) return refuse('host-character')
  if (host.endsWith('.')) return refuse('trailing-dot')
  if (host.startsWith('.') || host.includes('..')) return refuse('host-character')
  if (NUMERIC.test(host)) {
    const address = isIPv4(host) ? parseIp(host) : null
    if (address === null) return refuse('address-form')
    return { ok: true, scheme, host: { kind: 'address', text: address.text, bytes: address.bytes }, port }
  }
  return { ok: true, scheme, host: { kind: 'name', name: host.toLowerCase() }, port }
}

function readPort(text: string): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,4})$/.test(text)) return undefined
  const port = Number(text)
  return port > 0 && port < 65_536 ? port : undefined
}

/** What is left to be seen differently is refused without being known by name. */
function agrees(text: string, { host }: { readonly host: UrlHost | null }): boolean {
  let other: URL
  try {
    other = new URL(text)
  } catch {
    return false
  }
  if (host === null || other.username !== '' || other.password !== '') return false
  const plain = other.hostname.startsWith('[') ? other.hostname.slice(1, -1) : other.hostname
  return host.kind === 'name' ? plain === host.name : parseIp(plain)?.text === host.text
}
