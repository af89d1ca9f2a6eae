import type { Finding } from '../model/fact.ts'
import { SequenceSplitter } from '../syntax/item-sequence.ts'
import type { BodyCheck } from './body.ts'
import { contractFinding, MAX_FINDINGS, NO_FINDINGS } from './findings.ts'
import { MAX_DROPPED } from './unknown-fields.ts'

const RECORD = Buffer.from('\x1e')
const LINE = Buffer.from('\n')
/** Of one body, which is checked in one go: each costs microseconds, however small. */
const MAX_ITEMS = 10_000
const NO_NAMES: readonly string[] = Object.freeze([])

/**
 * A body of JSON texts, a line (NDJSON) or record (RFC 7464) each, held item by item: `check` says what of each. Bytes
 * are written anew only where something was taken out of an item.
 */
export function checkSequence(
  framing: 'lines' | 'records',
  bytes: Uint8Array,
  untold: BodyCheck['stated'],
  check: (text: Uint8Array, index: number) => Pick<BodyCheck, 'findings' | 'bytes' | 'dropped'>,
): BodyCheck {
  const splitter = new SequenceSplitter(framing, bytes.length)
  const [first, last] = [splitter.push(bytes), splitter.end()]
  const items = first.ok && last.ok ? [...first.items, ...last.items] : []
  if (items.length > MAX_ITEMS) {
    const limit = MAX_ITEMS
    const findings = [contractFinding('body-malformed', { rule: 'items', limit }, `more than ${limit} items`)]
    return { findings, bytes, dropped: NO_NAMES, stated: untold }
  }
  const findings: Finding[] = []
  const dropped = new Set<string>()
  const texts: Uint8Array[] = []
  for (const [index, { text, broken }] of items.entries()) {
    if (findings.length >= MAX_FINDINGS) break
    if (broken || text === null) {
      findings.push(contractFinding('body-malformed', { rule: 'framing', item: index }, `/${index}: framing`))
      continue
    }
    const item = check(text, index)
    findings.push(...item.findings.slice(0, MAX_FINDINGS - findings.length))
    for (const pointer of item.dropped) if (dropped.size < MAX_DROPPED) dropped.add(`/*${pointer}`)
    texts.push(item.bytes ?? text)
  }
  const changed = dropped.size > 0 && texts.length === items.length
  const start = framing === 'records' ? [RECORD] : []
  return {
    findings: findings.length === 0 ? NO_FINDINGS : findings,
    bytes: changed
      ? Buffer.concat(texts.flatMap((text) => [...start, text, ...(text.at(-1) === 0x0a ? [] : [LINE])]))
      : bytes,
    dropped: dropped.size === 0 ? NO_NAMES : [...dropped],
    stated: untold,
  }
}
