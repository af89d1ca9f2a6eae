import { parseTarget } from '../syntax/uri.ts'
import type { ContractWarning } from './detail.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt, textAt } from './json-value.ts'

export interface Servers {
  readonly basePath: string
  /** All server URLs, variables by their default. */
  readonly servers: readonly string[]
}

type Warn = (warning: ContractWarning) => void

/** A warning names so many other values of a variable. */
const MAX_NAMED = 5

/**
 * The base path: the config's, else that of the first server (OpenAPI 3.1 §4.8.5) with its variables at their defaults,
 * else none. What would have another one is told.
 */
export function readServers(root: JsonRecord, configured: string | undefined, warn: Warn): Servers {
  const stated = listAt(root, 'servers').filter(isRecord)
  const servers = stated.flatMap((server) => serverUrl(server, {}) ?? [])
  if (configured !== undefined) return { basePath: trimSlash(configured), servers }
  const paths = servers.map(pathOf)
  const [first] = paths
  const say = (pointer: string, message: string): void => warn({ code: 'servers', pointer, message })
  if (first === null) say('/servers/0/url', 'the URL has no usable path: set basePath')
  else if (first !== undefined && !/^(?:[a-z][a-z0-9+.-]*:)?\/|^$/i.test(servers[0] ?? '')) {
    const message = `the URL is relative to where the contract is published, which the gate does not know: ${first === '' ? '/' : first} holds, or set basePath`
    say('/servers/0/url', message)
  }
  const [server] = stated
  if (server !== undefined && first !== undefined) warnVariables(server, first, say)
  if (paths.some((path) => path !== first)) {
    say('/servers', 'servers differ in their base path: that of the first holds, or set basePath')
  }
  return { basePath: first ?? '', servers }
}

/** Variables of the first server whose other values would make another base path, or that have no default. */
function warnVariables(
  server: JsonRecord,
  held: string | null,
  say: (pointer: string, message: string) => void,
): void {
  const url = textAt(server, 'url') ?? ''
  for (const [, name = ''] of url.matchAll(/\{([^{}]*)\}/g)) {
    const variable = recordAt(recordAt(server, 'variables'), name)
    const shown = name.slice(0, 60)
    if (textAt(variable, 'default') === undefined) {
      say('/servers/0/variables', `the variable {${shown}} has no default: set basePath`)
      continue
    }
    const changes = (value: unknown): boolean =>
      typeof value === 'string' && pathOf(serverUrl(server, { [name]: value }) ?? '') !== held
    const stated = listAt(variable, 'enum')
    const others = stated.filter(changes)
    if (stated.length === 0 && changes('other')) {
      const message = `the variable {${shown}} changes the base path: its default holds, and calls with any other value are for no API; set basePath`
      say('/servers/0/variables', message)
    }
    if (others.length === 0) continue
    const named = others.slice(0, MAX_NAMED).join(', ')
    const more = others.length > MAX_NAMED ? ` and ${others.length - MAX_NAMED} more` : ''
    const message = `the variable {${shown}} changes the base path: its default holds, and calls below ${named}${more} are for no API; configure one with a basePath for each`
    say('/servers/0/variables', message)
  }
}

/** Servers of a path or an operation, unless the contract has them all. */
export function warnLocalServers(value: unknown, pointer: string, servers: Servers, warn: Warn): void {
  const local = Array.isArray(value) ? value.filter(isRecord) : []
  const everywhere = new Set(servers.servers.map(withoutScheme))
  const known = local.every((server) => everywhere.has(withoutScheme(serverUrl(server, {}) ?? '')))
  if (known && local.length > 0) return
  const message = 'servers of a path or operation are ignored: the API’s base path and upstream hold'
  warn({ code: 'servers', pointer, message })
}

const withoutScheme = (url: string): string => url.replace(/^[a-z][a-z0-9+.-]*:(?=\/\/)/i, '')

function serverUrl(server: JsonRecord, values: Readonly<Record<string, string>>): string | undefined {
  const variables = recordAt(server, 'variables')
  return textAt(server, 'url')?.replace(/\{([^{}]*)\}/g, (text, name: string) =>
    String(own(values, name) ?? recordAt(variables, name)['default'] ?? text),
  )
}

function pathOf(url: string): string | null {
  const path = url
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
    .replace(/^\/\/[^/?#]*/, '')
    .replace(/[?#].*$/s, '')
    .replace(/^\.(?:\/|$)/, '')
  const target = parseTarget(path.startsWith('/') ? path : `/${path}`)
  return target.ok ? trimSlash(target.path) : null
}

const trimSlash = (path: string): string => (path.endsWith('/') ? path.slice(0, -1) : path)
