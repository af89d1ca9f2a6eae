import { basename } from 'node:path'

/** Names that stand in policies and records for ever, made from what the contract and the issuer call themselves. */

const MAX_API = 40
const MAX_ISSUER = 63

/** Lower-case letters, digits and single hyphens, beginning with a letter or digit; empty where nothing is left. */
export function slug(text: string, length: number): string {
  const words = text
    .slice(0, 1000)
    .normalize('NFKD')
    .replace(/['’\p{M}]/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  if (words.length <= length) return words
  // At the end of a word, where that leaves more than a stump.
  const end = words.lastIndexOf('-', length)
  return words.slice(0, end > length / 2 ? end : length)
}

/** The API's name from the contract's title, else from its file: `The Plaid API` gives `the-plaid-api`. */
export function apiName(title: string, file: string): string {
  const fromFile = basename(file).replace(/\.(?:openapi\.)?(?:ya?ml|json|graphqls?|gql)$/i, '')
  return (
    [title, fromFile].map((text) => beginningWithLetter(slug(text, MAX_API), 'api-')).find(Boolean) ?? 'api'
  )
}

/** The issuer's name in configuration and policies, from its host; `idp` for addresses of this machine and for IPs. */
export function issuerName(issuer: string): string {
  const host = URL.parse(issuer)?.hostname || issuer
  if (host === 'localhost' || host.endsWith('.localhost') || /^[\d.]+$/.test(host) || host.startsWith('['))
    return 'idp'
  return beginningWithLetter(slug(host, MAX_ISSUER - 4), 'idp-') || 'idp'
}

/** The first of `name`, `name-2`, `name-3` … that is not taken; takes it. */
export function unused(name: string, taken: Set<string>): string {
  let found = name
  for (let count = 2; taken.has(found); count++) found = `${name}-${count}`
  taken.add(found)
  return found
}

function beginningWithLetter(name: string, prefix: string): string {
  return /^[0-9]/.test(name) ? `${prefix}${name}` : name
}
