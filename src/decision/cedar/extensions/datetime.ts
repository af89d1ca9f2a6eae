import type { ExtensionFunction, ExtensionValue, Long, Value } from '../values.ts'
import { EvaluationError } from '../values.ts'
import { inRange } from './digits.ts'
import { DAY, Duration, durationMs } from './duration.ts'

/** Cedar's `datetime`: milliseconds since the epoch in 64 bits, before it where negative. */
export class Datetime implements ExtensionValue {
  readonly ext = 'datetime'
  readonly ms: Long

  constructor(ms: Long) {
    this.ms = ms
  }

  key(): string {
    return String(this.ms)
  }
}

/** A date alone, or with a time of seconds or milliseconds and `Z` or an offset; anchored, no part repeats. */
const FORM = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?(?:Z|([+-])(\d\d)(\d\d)))?$/
/** `2026-11-21T10:00:00.000+0100`. */
const LONGEST = 28

/** Null for what is not of the form, no day of the calendar, or no time of a day (leap seconds included). */
export function parseDatetime(text: string): Datetime | null {
  if (text.length > LONGEST) return null
  const found = FORM.exec(text)
  if (found === null) return null
  const year = part(found, 1)
  const month = part(found, 2)
  const day = part(found, 3)
  const hour = part(found, 4)
  const minute = part(found, 5)
  const second = part(found, 6)
  const offsetHours = part(found, 9)
  const offsetMinutes = part(found, 10)
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return null
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null
  const offset = (offsetHours * 60 + offsetMinutes) * 60_000
  const local = daysSinceEpoch(year, month, day) * DAY + (hour * 60 + minute) * 60_000 + second * 1_000
  // Adding 0 makes −0 the one zero there is.
  return new Datetime(local + part(found, 7) + (found[8] === '-' ? offset : -offset) + 0)
}

function part(found: RegExpExecArray, at: number): number {
  return Number(found[at] ?? 0)
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** In the proleptic Gregorian calendar. `Date.UTC` would take the years 0 to 99 for 1900 to 1999. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = new Date(Date.UTC(2000, month - 1, day)).setUTCFullYear(year, month - 1, day)
  return shifted / DAY
}

const MALFORMED = new EvaluationError('datetime: not a date or a time of the forms Cedar reads')
const MISTYPED = new EvaluationError('type error: expected datetime')
const BEYOND = new EvaluationError('datetime: beyond 64 bits')

function datetimeMs(value: Value | undefined): Long {
  if (value instanceof Datetime) return value.ms
  throw MISTYPED
}

function sum(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number') {
    const whole = a + b
    if (Number.isSafeInteger(whole)) return whole
  }
  return bounded(BigInt(a) + BigInt(b))
}

function difference(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number') {
    const whole = a - b
    if (Number.isSafeInteger(whole)) return whole
  }
  return bounded(BigInt(a) - BigInt(b))
}

function bounded(exact: bigint): Long {
  const long = inRange(exact)
  if (long === null) throw BEYOND
  return long
}

/** Milliseconds since the day began (UTC), of times before the epoch too. */
function timeOfDay(ms: Long): number {
  const time = typeof ms === 'number' ? ms % DAY : Number(ms % BigInt(DAY))
  return time < 0 ? time + DAY : time + 0
}

export const DATETIME_FUNCTIONS: readonly ExtensionFunction[] = [
  {
    name: 'datetime',
    style: 'function',
    arity: 1,
    apply: (text) => {
      const value = typeof text === 'string' ? parseDatetime(text) : null
      if (value === null) throw MALFORMED
      return value
    },
  },
  {
    name: 'offset',
    style: 'method',
    arity: 2,
    apply: (a, b) => new Datetime(sum(datetimeMs(a), durationMs(b))),
  },
  {
    name: 'durationSince',
    style: 'method',
    arity: 2,
    apply: (a, b) => new Duration(difference(datetimeMs(a), datetimeMs(b))),
  },
  {
    name: 'toDate',
    style: 'method',
    arity: 1,
    apply: (a) => {
      const ms = datetimeMs(a)
      return new Datetime(difference(ms, timeOfDay(ms)))
    },
  },
  { name: 'toTime', style: 'method', arity: 1, apply: (a) => new Duration(timeOfDay(datetimeMs(a))) },
]
