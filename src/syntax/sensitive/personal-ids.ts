import { isDay, luhn, mod11And10, mod97, weighted } from './check-digits.ts'

/** Numbers that states and health services give to people: the whole text is one, and its check digits are right. */

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE'
const NINO = /^(?!BG|GB|KN|NK|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]$/
const SSN = /^(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}$/
const CODICE_FISCALE = /^[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]$/
const NIR = /^[123478] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}$/
const PERSONNUMMER = /^(?:19|20)?(\d{2})(\d{2})(\d{2})[-+](\d{4})$/
/** Medicare beneficiary identifier: no check digit, but a form that nothing else has (CMS, Understanding the MBI). */
const MBI =
  /^[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}$/

/** What the number is, or null; `named`: the field's name says that it is such a number, where the form alone is weak. */
export function personalId(
  text: string,
  named: string,
): { readonly class: 'pii' | 'phi'; readonly kind: string } | null {
  if (text.length < 8 || text.length > 22) return null
  const bare = text.replaceAll(' ', '')
  const pii = (kind: string): { readonly class: 'pii'; readonly kind: string } => ({ class: 'pii', kind })
  if (SSN.test(text)) return pii('us-ssn')
  if (NINO.test(text)) return pii('uk-nino')
  if (isDni(text)) return pii('es-dni')
  if (isCodiceFiscale(text)) return pii('it-codice-fiscale')
  if (NIR.test(text) && isNir(bare)) return pii('fr-nir')
  if (isPersonnummer(text)) return pii('se-personnummer')
  if (MBI.test(text)) return { class: 'phi', kind: 'us-mbi' }
  if (
    /^\d{3}[ -]\d{3}[ -]\d{4}$/.test(text) &&
    isNhs(text.replace(/[ -]/g, '')) &&
    /nhs|patient/i.test(named)
  )
    return { class: 'phi', kind: 'uk-nhs' }
  if (/^\d{10}$/.test(bare) && isNhs(bare) && /nhs/i.test(named)) return { class: 'phi', kind: 'uk-nhs' }
  if (/^\d{9}$/.test(bare) && isBsn(bare) && /bsn|burgerservice/i.test(named)) return pii('nl-bsn')
  if (!/^\d{11}$/.test(bare)) return null
  if (isPesel(bare) && (/pesel/i.test(named) || isLikelyBirth(bare))) return pii('pl-pesel')
  return isSteuerId(bare) && /steuer|tax|idnr|tin/i.test(named) ? pii('de-steuer-id') : null
}

function isDni(text: string): boolean {
  const parts = /^([XYZ]?)-?(\d{7,8})-?([A-Z])$/.exec(text)
  if (parts === null) return false
  const [, first = '', digits = '', letter = ''] = parts
  if (digits.length !== (first === '' ? 8 : 7)) return false
  return DNI_LETTERS[Number(`${first === '' ? '' : 'XYZ'.indexOf(first)}${digits}`) % 23] === letter
}

/** Values of characters at odd places (decree of 23 December 1976). */
const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

function isCodiceFiscale(text: string): boolean {
  if (!CODICE_FISCALE.test(text)) return false
  let sum = 0
  for (let index = 0; index < 15; index++) {
    const code = text.charCodeAt(index)
    const value = code >= 65 ? code - 65 : code - 48
    sum += index % 2 === 0 ? (ODD[value] ?? 0) : value
  }
  return text.charCodeAt(15) - 65 === sum % 26
}

function isNir(digits: string): boolean {
  const plain = digits.replace('2A', '19').replace('2B', '18')
  return /^\d{15}$/.test(plain) && 97 - mod97(plain.slice(0, 13)) === Number(plain.slice(13))
}

function isPersonnummer(text: string): boolean {
  const parts = PERSONNUMMER.exec(text)
  if (parts === null) return false
  const [, year = '', month = '', day = '', rest = ''] = parts
  // Days of coordination numbers are sixty more.
  return isDay(Number(month), Number(day) % 60) && luhn(`${year}${month}${day}${rest}`)
}

function isNhs(digits: string): boolean {
  const check = 11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)
  return check !== 10 && check % 11 === Number(digits[9])
}

function isBsn(digits: string): boolean {
  return digits !== '000000000' && weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0
}

function isPesel(digits: string): boolean {
  const month = Number(digits.slice(2, 4)) % 20
  if (!isDay(month, Number(digits.slice(4, 6)))) return false
  return (10 - (weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(digits[10])
}

/** Born 1920 to 2019: the only centuries people alive have, so that most other numbers of 11 digits are none. */
function isLikelyBirth(digits: string): boolean {
  const year = Number(digits.slice(0, 2))
  const month = Number(digits.slice(2, 4))
  return month <= 12 ? year >= 20 : month <= 32 && month > 20 && year < 20
}

function isSteuerId(digits: string): boolean {
  if (digits.startsWith('0') || !mod11And10(digits)) return false
  const counts = [...'0123456789'].map((digit) => digits.slice(0, 10).split(digit).length - 1)
  // One digit twice or three times, all others once at most (IT-Steuer-ID, since 2016).
  return counts.filter((count) => count > 1).length === 1 && Math.max(...counts) <= 3
}
