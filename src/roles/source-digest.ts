import { createHash } from 'node:crypto'
import type { ReadConfig } from '../config/read.ts'

/**
 * SHA-256 (hex) of what a configuration was written as: its files, contracts, policies and other applications' policies,
 * whatever a version of the program makes of them.
 */
export function sourceDigest(read: ReadConfig): string {
  // APIs of one file share its text: once is enough.
  const texts = new Set([read.text])
  const parts: unknown[] = []
  for (const { name, source, contract, rules } of read.apis) {
    texts.add(source.text)
    for (const rule of rules) texts.add(rule.source.text)
    if (contract === null) continue
    texts.add(contract.text)
    for (const [file, part] of contract.parts) parts.push([name, file, part.ok ? part.text : null])
  }
  const { policies, policyLinks, policyTests, domains } = read
  const names = read.apis.map(({ name }) => name)
  const digest = createHash('sha256')
  for (const text of [
    ...texts,
    JSON.stringify([names, policies, policyLinks, policyTests, domains, ...parts]),
  ])
    digest.update(`${text.length}:`).update(text)
  return digest.digest('hex')
}
