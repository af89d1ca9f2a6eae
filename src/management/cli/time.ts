import { InvalidArgumentError } from 'commander'

/** A point in time as asked for: wall milliseconds, or so many before now. */
export type AskedTime = { readonly at: number } | { readonly ago: number }

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/

/** `90s`, `15m`, `1h`, `7d`, or a date or time of ISO 8601 (without an offset: UTC). */
export function askedTime(text: string): AskedTime {
  const relative = /^(\d{1,6})([smhd])$/.exec(text)
  const unit = UNITS[relative?.[2] ?? '']
  if (unit !== undefined) return { ago: Number(relative?.[1]) * unit }
  if (ISO.test(text)) {
    const zoned = /(?:Z|[+-]\d{2}:\d{2})$/.test(text) || text.length === 10 ? text : `${text}Z`
    const at = Date.parse(zoned.replace(' ', 'T'))
    if (!Number.isNaN(at)) return { at }
  }
  throw new InvalidArgumentError('a time is 90s, 15m, 1h, 7d, or like 2026-03-01T12:00:00Z')
}

export function wallMs(asked: AskedTime, now: number): number {
  return 'at' in asked ? asked.at : now - asked.ago
}
