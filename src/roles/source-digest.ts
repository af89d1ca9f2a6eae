import { createHash } from 'node:crypto'
import type { ReadConfig } from '../config/read.ts'

/**
 * SHA-256 (hex) of what a configuration was written as: its files, contracts, policies and other applications' policies,
 * whatever a version of the program makes of them.
 */
export function sourceDigest(read: ReadConfig): string {
  // APIs of one file share its text: once is enough.
  const texts = new Set([read.text])
  for (const { source, contract, rules } of read.apis) {
    texts.add(source.text)
    for (const rule of rules) texts.add(rule.source.text)
    if (contract !== null) texts.add(contract.text)
  }
  const { policies, policyLinks, policyTests, domains } = read
  const names = read.apis.map(({ name }) => name)
  const digest = createHash('sha256')
  for (const text of [...texts, JSON.stringify([names, policies, policyLinks, policyTests, domains])])
    digest.update(`${text.length}:`).update(text)
  return digest.digest('hex')
}
