import { z } from 'zod'
import { isToken } from '../syntax/http.ts'
import { parseIp } from '../syntax/ip.ts'
import { parsePointer } from '../syntax/json-pointer.ts'

/** The forms single values take in configuration: names, hosts, paths, URLs. Messages never repeat a value. */

/** API and issuer names stand in policies (`User::"corp/…"`, `Action::"shop.…"`): no `/`, no `.`, no case to mistake. */
export const NAME_PATTERN = /^[a-z][a-z0-9-]{0,62}$/
const NAME_MESSAGE =
  'a name has 1 to 63 lower-case letters, digits and hyphens, and begins with a letter: shop, corp-2'
export const name = z.string().regex(NAME_PATTERN, NAME_MESSAGE)

/** Tenants and environments: compared, counted by and shown, never parsed. */
export const label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, dots, hyphens or underscores')

export const line = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'must be one line without control characters')

/** RFC 9110 §5.1; kept as upstreams may read it: lower case, `_` and `.` as `-`. */
export const fieldName = z
  .string()
  .max(128)
  .refine(isToken, 'must be the name of a header field: X-Team')
  .transform((text) => text.toLowerCase().replaceAll(/[_.]/g, '-'))

/** A file or folder on this machine, relative to the file that names it. */
export const localPath = z
  .string()
  .min(1)
  .max(4096)
  .superRefine((text, context) => {
    if (text.includes('\0')) refuse(context, 'must not contain a NUL character', 'Write a file name.')
    else if (/^postgres(?:ql)?:/i.test(text)) {
      refuse(context, 'PostgreSQL is not available yet', 'Name a folder: ./data.')
    } else if (/^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(text)) {
      refuse(
        context,
        'must be a local path, not a URL: the gate fetches no configuration',
        'Save a copy beside the configuration.',
      )
    }
  })

/** Where secrets will be read from; configuration never holds one itself. */
export const secretReference = z
  .string()
  .regex(
    /^(?:env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\0]{1,4096})$/,
    'must refer to a secret as env:NAME or file:PATH, never state it',
  )
export type SecretReference = z.infer<typeof secretReference>

const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/

/** RFC 9110 §7.2 without the port; kept in lower case (RFC 3986 §3.2.2). */
export const host = z
  .string()
  .toLowerCase()
  .superRefine((text, context) => {
    if (HOST_NAME.test(text)) return
    if (text.startsWith('[') && text.endsWith(']') && parseIp(text.slice(1, -1)) !== null) return
    refuse(
      context,
      text.includes('*')
        ? 'must be a host name: wildcards are not available yet'
        : 'must be a host name without scheme, port or path',
      'For example api.shop.example, 192.0.2.1 or [2001:db8::1].',
    )
  })

/** What a socket may be bound to. */
export const bindAddress = z
  .string()
  .min(1)
  .max(253)
  .regex(
    /^(?:[A-Za-z0-9.-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/,
    'must be an IP address or host name of this machine, without port or brackets',
  )

/** 0 lets the system choose a free port. */
export const port = z.int().min(0).max(65535)

const SEGMENTS = /^(?:\/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+$/
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/

export function isPlainPath(path: string): boolean {
  return path.length <= 1024 && SEGMENTS.test(path) && !DOT_SEGMENT.test(path)
}

/** `/` or segments without a trailing slash; read as the empty string for `/`. */
export const basePath = z
  .string()
  .superRefine((text, context) => {
    if (text === '/' || isPlainPath(text)) return
    refuse(
      context,
      'must begin with / and hold plain segments: no trailing slash, template, query, dot segment or % encoding',
      'For example /v1; / is the whole host.',
    )
  })
  .overwrite((text) => (text === '/' ? '' : text))

/** A path template of a contract, below the API's base path. */
export const template = z
  .string()
  .max(1024)
  .regex(
    /^\/(?:[^\s/?#{}]|\/|\{[^\s/?#{}]+\})*$/,
    'must be a path template of the contract: begins with /, parameters in braces, no query',
  )

export const jsonPointer = z
  .string()
  .max(1024)
  .superRefine((text, context) => {
    try {
      if (parsePointer(text).length > 0) return
    } catch {}
    refuse(context, 'must be a JSON pointer to a field (RFC 6901)', 'For example /customerId or /owner/id.')
  })

/** Scheme, host and perhaps a path; what else a URL can carry would be lost or leaked on the way. */
export const upstreamUrl = z
  .string()
  .max(2048)
  .superRefine((text, context) => {
    const url = refuseOddUrl(text, context)
    if (url === null) return
    if (text.includes('?')) {
      refuse(context, 'must not have a query', 'Leave out everything from the ?.')
      return
    }
    // As written, not as the URL parser tidied it up: dot segments are a mistake here.
    const path = /^[^/]*\/\/[^/]*(.*?)\/?$/.exec(text)?.[1] ?? ''
    if (path !== '' && !isPlainPath(path)) {
      refuse(context, 'must have a plain path or none', 'For example http://127.0.0.1:3000/api.')
    }
  })

/** Where a key set is fetched; a query may select it. */
export const fetchUrl = z
  .string()
  .max(2048)
  .superRefine((text, context) => {
    refuseOddUrl(text, context)
  })

function refuseOddUrl(text: string, context: z.RefinementCtx): URL | null {
  // URL.parse drops tabs and newlines and turns backslashes: what is written must be what is called.
  const authority = text.split('/')[2] ?? ''
  const url = /^[\x21-\x5b\x5d-\x7e]+$/.test(text) ? URL.parse(text) : null
  if (url === null || !/^https?:\/\/[^/]/i.test(text) || authority.includes('%')) {
    refuse(
      context,
      'must be an absolute http or https URL',
      'For example https://idp.example or http://127.0.0.1:3000.',
    )
  } else if (url.username !== '' || url.password !== '' || authority.includes('@')) {
    refuse(
      context,
      'must not hold credentials',
      'Take user name and password out of the URL, and change them: they stood in a file.',
    )
  } else if (text.includes('#')) {
    refuse(context, 'must not have a fragment', 'Leave out everything from the #.')
  } else return url
  return null
}

/** True of URLs whose plain text never leaves the machine: 127.0.0.0/8, ::1 and localhost (RFC 6761 §6.3). */
export function isLoopbackUrl(url: URL): boolean {
  const { hostname } = url
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

/** A refusal with its way out; `hint` reaches the problem through the issue's params. */
export function refuse(context: z.RefinementCtx, message: string, hint: string): void {
  context.addIssue({ code: 'custom', message, params: { hint } })
}
