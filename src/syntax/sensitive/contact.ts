/** E-mail addresses and telephone numbers in a text. Linear; the caller bounds the text. */

const MAIL =
  /(?<![A-Za-z0-9._%+-])[A-Za-z0-9_%+-][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}(?![A-Za-z0-9-]|\.[A-Za-z0-9])/

export function mailIn(text: string): boolean {
  return text.includes('@') && MAIL.test(text)
}

const INTERNATIONAL = /(?<![\p{L}\p{N}+])\+([1-9]\d{0,3})((?:[ ().-]{0,2}\d){5,13})(?![\p{L}\p{N}]|\.\d)/gu
const LOCAL = /^\(?0?\d{2,5}\)?(?:[ ./-]?\d{2,4}){2,4}$/

/** Country codes of one and two digits (ITU-T E.164); the zones of the others have three. */
const SHORT_CODES: ReadonlySet<string> = new Set(
  '1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'.split(
    ' ',
  ),
)
const LONG_ZONES = /^(?:2[1-69]|3[578]|42|5[09]|6[7-9]|80|8[578]|9[679])\d/

/** `named`: the field's name says that it is a telephone number, so that no `+` is asked for. */
export function phoneIn(text: string, named: boolean): boolean {
  if (text.length < 7 || text.length > 4_096) return false
  if (text.includes('+')) {
    for (const [run] of text.matchAll(INTERNATIONAL)) {
      const digits = run.replace(/\D/g, '')
      if (digits.length < 8 || digits.length > 15) continue
      const known =
        SHORT_CODES.has(digits[0] ?? '') || SHORT_CODES.has(digits.slice(0, 2)) || LONG_ZONES.test(digits)
      if (known && (!digits.startsWith('1') || /^1[2-9]\d{2}[2-9]\d{6}$/.test(digits))) return true
    }
  }
  return named && text.length <= 24 && LOCAL.test(text.trim())
}
