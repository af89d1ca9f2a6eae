import type { RawFields } from '../model/exchange.ts'

/**
 * Fields that count a list's items wherever they are counted (no standard has one; these are what frameworks send), and
 * those that describe the list as it was (RFC 9110 §8.8.2, §14.4). Digests and entity tags go with every changed body.
 * `Link` stays: it names pages, not items (RFC 8288).
 */
const OF_THE_WHOLE: ReadonlySet<string> = new Set([
  'content-range',
  'last-modified',
  'total-count',
  'x-total',
  'x-total-count',
  'x-total-items',
  'x-total-pages',
  'x-wp-total',
  'x-wp-totalpages',
])

/**
 * The fields of a list's answer once its items were judged.
 * @param counts Names, in lower case, of fields that count the items: set to `released` where the answer has them.
 * @param shortened Items were taken out: what says how many there were, or when they changed, goes with them.
 */
export function listFields(
  fields: RawFields,
  counts: readonly string[],
  released: number,
  shortened: boolean,
): RawFields {
  const left: string[] = []
  const set = new Set<string>()
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const lower = name.toLowerCase()
    if (counts.includes(lower)) {
      if (!set.has(lower)) left.push(name, String(released))
      set.add(lower)
    } else if (!shortened || !OF_THE_WHOLE.has(lower)) left.push(name, fields[i + 1] ?? '')
  }
  return left
}
