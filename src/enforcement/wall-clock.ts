import type { TimeInput } from '../model/decision.ts'

const QUARTER_HOUR_MS = 900_000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const

/**
 * What a clock on the wall of one place shows. Offsets of time zones change on quarter hours only (IANA tz, for all
 * dates since 1972), so one is asked for once in a quarter hour; a clock that jumps lands in another one and asks again.
 */
export class WallClock {
  readonly zone: string
  readonly #format: Intl.DateTimeFormat | null
  #quarter = Number.NaN
  #offsetMs = 0

  /** @throws {RangeError} where the zone is none; configuration was held to that. */
  constructor(zone: string) {
    this.zone = zone
    this.#format =
      zone === 'UTC'
        ? null
        : new Intl.DateTimeFormat('en-US', {
            timeZone: zone,
            calendar: 'gregory',
            hourCycle: 'h23',
            year: 'numeric',
            month: 'numeric',
            day: 'numeric',
            hour: 'numeric',
            minute: 'numeric',
            second: 'numeric',
          })
  }

  at(epochMs: number): TimeInput {
    const quarter = Math.floor(epochMs / QUARTER_HOUR_MS)
    if (quarter !== this.#quarter) {
      this.#offsetMs = this.#format === null ? 0 : offsetAt(this.#format, quarter * QUARTER_HOUR_MS)
      this.#quarter = quarter
    }
    const local = epochMs + this.#offsetMs
    const minutes = Math.floor(local / MINUTE_MS)
    const day = Math.floor(local / DAY_MS)
    return {
      epochMs,
      zone: this.zone,
      hour: mod(Math.floor(minutes / 60), 24),
      minute: mod(minutes, 60),
      // The epoch was a Thursday.
      weekday: WEEKDAYS[mod(day + 4, 7)] ?? '',
    }
  }
}

function offsetAt(format: Intl.DateTimeFormat, epochMs: number): number {
  const field: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(epochMs)) field[type] = Number(value)
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field
  return Date.UTC(year, month - 1, day, hour, minute, second) - epochMs
}

function mod(value: number, by: number): number {
  return ((value % by) + by) % by
}
