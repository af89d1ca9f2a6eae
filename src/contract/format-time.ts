/** Dates, times and durations: RFC 3339 §5.6, §5.7 (calendar, leap seconds) and appendix A; RFC 9110 §5.6.7. */

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

// Read by their characters: these stand in most messages, and an expression's groups cost more than all the rest.
const DASH = 0x2d
const COLON = 0x3a

/** The two digits that stand there, or -1. */
function pairAt(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30
  const ones = text.charCodeAt(at + 1) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

export const isDate = (text: string): boolean => text.length === 10 && beginsWithDate(text)

function beginsWithDate(text: string): boolean {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return false
  const century = pairAt(text, 0)
  const year = pairAt(text, 2)
  return century >= 0 && year >= 0 && isDay(century * 100 + year, pairAt(text, 5), pairAt(text, 8))
}

function isDay(year: number, month: number, day: number): boolean {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0)
  return day >= 1 && day <= days
}

export const isTime = (text: string): boolean => isTimeFrom(text, 0)

/** From there to the end. */
function isTimeFrom(text: string, from: number): boolean {
  const [hour, minute, second] = [pairAt(text, from), pairAt(text, from + 3), pairAt(text, from + 6)]
  if (hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 60) return false
  if (text.charCodeAt(from + 2) !== COLON || text.charCodeAt(from + 5) !== COLON) return false
  let at = from + 8
  if (text.charCodeAt(at) === 0x2e) {
    const first = ++at
    while (isDigit(text.charCodeAt(at))) at++
    if (at === first) return false
  }
  const sign = text.charCodeAt(at)
  let offset = 0
  if (sign === 0x5a || sign === 0x7a) {
    if (text.length !== at + 1) return false
  } else {
    if ((sign !== 0x2b && sign !== DASH) || text.length !== at + 6) return false
    const [offsetHour, offsetMinute] = [pairAt(text, at + 1), pairAt(text, at + 4)]
    if (text.charCodeAt(at + 3) !== COLON || offsetHour < 0 || offsetMinute < 0) return false
    if (offsetHour > 23 || offsetMinute > 59) return false
    offset = (sign === DASH ? 1 : -1) * (offsetHour * 60 + offsetMinute)
  }
  // Leap seconds are inserted at the end of a day in UTC.
  return second < 60 || (hour * 60 + minute + offset + 2880) % 1440 === 1439
}

const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39

export function isDateTime(text: string): boolean {
  const mark = text.charCodeAt(10)
  return (mark === 0x54 || mark === 0x74) && beginsWithDate(text) && isTimeFrom(text, 11)
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
