import type { ContractWarning } from '../../src/contract/compile.ts'

/** What real contracts are warned of besides schemas and media types: how often, by file and kind. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'amazonaws.com__s3': { 'security-unsupported': 1, 'path-distinguished': 84, 'path-unroutable': 4 },
  'atlassian.com__jira': { 'security-unsupported': 1 },
  'azure.com__keyvault': { servers: 1 },
  'bitbucket.org': { 'security-unsupported': 2 },
  'box.com': { servers: 14, 'path-unroutable': 19 },
  'github.com__api.github.com': { servers: 1 },
  'gitlab.com': { 'security-unsupported': 2 },
  'kubernetes.io': { 'security-unsupported': 1 },
  'nytimes.com__books_api': { 'security-unsupported': 1 },
  'openbanking.org.uk__account-info-openapi': { servers: 1 },
  'plaid.com': { 'security-unsupported': 3 },
  'sendgrid.com': { 'security-unsupported': 1 },
  'shutterstock.com': { 'security-unsupported': 1 },
  'telegram.org': { servers: 1 },
  'twilio.com__api': { 'security-unsupported': 1 },
  'twilio.com__twilio_chat_v2': { 'security-unsupported': 1 },
  'xero.com__xero_accounting': { 'path-unroutable': 13 },
  'zoom.us': { 'security-unsupported': 1 },
}

const KINDS = new Set<string>([
  'servers',
  'path-unroutable',
  'path-distinguished',
  'path-item',
  'webhooks-callbacks',
  'security-unsupported',
  'security-undefined',
  'media-type-assumed',
])

/** Found and expected, to be held against one another. */
export function surroundingWarnings(
  file: string,
  warnings: readonly ContractWarning[],
): { readonly found: Readonly<Record<string, number>>; readonly expected: Readonly<Record<string, number>> } {
  const found: Record<string, number> = {}
  for (const { code } of warnings) if (KINDS.has(code)) found[code] = (found[code] ?? 0) + 1
  return { found, expected: EXPECTED[file.replace(/^.*\/|\.json\.gz$/g, '')] ?? {} }
}
