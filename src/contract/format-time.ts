/** Dates, times and durations: RFC 3339 §5.6, §5.7 (calendar, leap seconds) and appendix A; RFC 9110 §5.6.7. */

const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/
const TIME = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

export function isDate(text: string): boolean {
  const match = DATE.exec(text)
  return match !== null && isDay(Number(match[1]), Number(match[2]), Number(match[3]))
}

function isDay(year: number, month: number, day: number): boolean {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0)
  return day >= 1 && day <= days
}

export function isTime(text: string): boolean {
  const match = TIME.exec(text)
  if (match === null) return false
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const [offsetHour, offsetMinute] = [Number(match[5] ?? 0), Number(match[6] ?? 0)]
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false
  if (second < 60) return true
  // Leap seconds are inserted at the end of a day in UTC.
  const offset = (match[4] === '-' ? 1 : -1) * (offsetHour * 60 + offsetMinute)
  return (hour * 60 + minute + offset + 2880) % 1440 === 1439
}

export function isDateTime(text: string): boolean {
  const mark = text[10]
  return (mark === 'T' || mark === 't') && isDate(text.slice(0, 10)) && isTime(text.slice(11))
}

const CLOCK = 'T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)'
const DAY = '(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)'
const DURATION = new RegExp(`^P(?:[0-9]+W|${DAY}(?:${CLOCK})?|${CLOCK})$`)

export const isDuration = (text: string): boolean => DURATION.test(text)

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const HTTP_DATE = /^([A-Z][a-z]{2}), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) GMT$/

/** The preferred form; the two obsolete ones are not sent any more. */
export function isHttpDate(text: string): boolean {
  const match = HTTP_DATE.exec(text)
  if (match === null) return false
  const month = MONTHS.indexOf(match[3] ?? '')
  const [year, day] = [Number(match[4]), Number(match[2])]
  if (!isDay(year, month + 1, day) || !isTime(`${match[5]}Z`)) return false
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  return WEEKDAYS[date.getUTCDay()] === match[1]
}
