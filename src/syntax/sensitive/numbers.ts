import { luhn, mod97 } from './check-digits.ts'

/** Card and account numbers in a text: as they stand, or in groups. Linear; the caller bounds the text. */

/** Digits with single spaces or hyphens between them, not part of a longer word or number. */
const DIGIT_RUN = /(?<![\p{L}\p{N}._-])\d(?:[ -]?\d){12,18}(?![\p{L}\p{N}_-]|\.\d)/gu

/** Issuer identification numbers (ISO/IEC 7812-1) of the networks in use, with the lengths each gives out. */
const NETWORKS: readonly (readonly [form: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|2(?:2[2-9][1-9]|2[3-9]|[3-6]|7[01]|720))/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^(?:30[0-5]|3095|36|3[89])/, [14, 16, 19]],
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:50[0-9]|5[6-9]|6[0-9])/, [16, 18, 19]],
]

/** A payment card's number (PCI DSS 3.5). */
export function cardIn(text: string): boolean {
  if (text.length < 13) return false
  for (const [run] of text.matchAll(DIGIT_RUN)) {
    const digits = run.replace(/[ -]/g, '')
    if (!luhn(digits) || /^(\d)\1+$/.test(digits) || !isGrouped(run)) continue
    if (NETWORKS.some(([form, lengths]) => form.test(digits) && lengths.includes(digits.length))) return true
  }
  return false
}

/** Written without separators, or in the groups that are printed on cards; a date and a time are not. */
function isGrouped(run: string): boolean {
  if (/^\d+$/.test(run)) return true
  const groups = run.split(/[ -]/)
  if (new Set(run.replace(/\d/g, '')).size !== 1) return false
  const lengths = groups.map((group) => group.length).join()
  return /^4(?:,4){2,3}(?:,[1-4])?$|^4,6,[45]$/.test(lengths)
}

const IBAN = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])/g

/** Length of each country's (ISO 13616 registry). */
const IBAN_LENGTHS: ReadonlyMap<string, number> = new Map(
  `AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24
   FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21
   LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22
   RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30`
    .split(/\s+/)
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

/** An international bank account number, with or without spaces. */
export function ibanIn(text: string): boolean {
  if (text.length < 15) return false
  for (const [run] of text.matchAll(IBAN)) {
    const length = IBAN_LENGTHS.get(run.slice(0, 2))
    if (length === undefined) continue
    // A word in capitals may follow it.
    const number = run.replaceAll(' ', '').slice(0, length)
    if (number.length === length && mod97(number.slice(4) + number.slice(0, 4)) === 1) return true
  }
  return false
}
