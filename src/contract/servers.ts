import { parseTarget } from '../syntax/uri.ts'
import type { ContractWarning } from './detail.ts'
import { isRecord, type JsonRecord, listAt, recordAt, textAt } from './json-value.ts'

export interface Servers {
  readonly basePath: string
  /** All server URLs, variables by their default. */
  readonly servers: readonly string[]
}

/** The base path: the config's, else that of the first server (OpenAPI 3.1 §4.8.5), else none. */
export function readServers(
  root: JsonRecord,
  configured: string | undefined,
  warn: (warning: ContractWarning) => void,
): Servers {
  const servers = listAt(root, 'servers').filter(isRecord).flatMap(serverUrl)
  if (configured !== undefined) return { basePath: trimSlash(configured), servers }
  const paths = servers.map(pathOf)
  const [first] = paths
  if (first === null) {
    warn({ code: 'servers', pointer: '/servers/0/url', message: 'the URL has no usable path: set basePath' })
  }
  if (paths.some((path) => path !== first)) {
    const message = 'servers differ in their base path: that of the first holds, or set basePath'
    warn({ code: 'servers', pointer: '/servers', message })
  }
  return { basePath: first ?? '', servers }
}

function serverUrl(server: JsonRecord): readonly string[] {
  const url = textAt(server, 'url')
  if (url === undefined) return []
  const variables = recordAt(server, 'variables')
  return [
    url.replace(/\{([^{}]*)\}/g, (text, name: string) =>
      String(recordAt(variables, name)['default'] ?? text),
    ),
  ]
}

function pathOf(url: string): string | null {
  const path = url
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
    .replace(/^\/\/[^/?#]*/, '')
    .replace(/[?#].*$/s, '')
  const target = parseTarget(path.startsWith('/') ? path : `/${path}`)
  return target.ok ? trimSlash(target.path) : null
}

const trimSlash = (path: string): string => (path.endsWith('/') ? path.slice(0, -1) : path)
