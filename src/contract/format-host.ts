import { decodePunycode, encodePunycode } from '../syntax/punycode.ts'

/** Host names (RFC 1123 §2.1) and their internationalized forms (RFC 5890 to 5893). */

const MAX_HOST = 253
const MAX_LABEL = 63
const ASCII = /^[\x00-\x7f]*$/
/** RFC 3490 §3.1: what separates labels beside the full stop. */
const SEPARATORS = /[.\u3002\uff0e\uff61]/

export function isHostname(text: string): boolean {
  if (text.length > MAX_HOST) return false
  for (let from = 0; ; ) {
    const dot = text.indexOf('.', from)
    const to = dot < 0 ? text.length : dot
    if (!isLabelAt(text, from, to)) return false
    if (dot < 0) return true
    from = dot + 1
  }
}

export function isIdnHostname(text: string): boolean {
  const labels = text.split(SEPARATORS)
  const ascii = labels.map((label) => (ASCII.test(label) ? label : `xn--${encodedOf(label)}`))
  return (
    ascii.join('.').length <= MAX_HOST &&
    labels.every((label, index) =>
      ASCII.test(label)
        ? isAsciiLabel(label)
        : (ascii[index] ?? '').length <= MAX_LABEL && isUnicodeLabel(label),
    )
  )
}

/** A label longer than this encodes to more than a label may have; the work stays small. */
const encodedOf = (label: string): string =>
  label.length > MAX_LABEL ? 'x'.repeat(MAX_LABEL) : encodePunycode(label)

const isAsciiLabel = (label: string): boolean => isLabelAt(label, 0, label.length)

const HYPHEN = 0x2d

/** The characters from one place to the other are a label of letters, digits and inner hyphens. */
function isLabelAt(text: string, from: number, to: number): boolean {
  if (to === from || to - from > MAX_LABEL) return false
  for (let i = from; i < to; i++) {
    const unit = text.charCodeAt(i)
    const letter = unit | 0x20
    if ((letter >= 0x61 && letter <= 0x7a) || (unit >= 0x30 && unit <= 0x39)) continue
    if (unit !== HYPHEN || i === from || i === to - 1) return false
  }
  if (text.charCodeAt(from + 2) !== HYPHEN || text.charCodeAt(from + 3) !== HYPHEN) return true
  return isPlainOrPunycode(text.slice(from, to))
}

function isPlainOrPunycode(label: string): boolean {
  if (!/^xn--/i.test(label)) return true
  const encoded = label.slice(4).toLowerCase()
  const decoded = decodePunycode(encoded)
  if (decoded === null || ASCII.test(decoded) || encodePunycode(decoded) !== encoded) return false
  return isUnicodeLabel(decoded)
}

/** RFC 5892 §2 by Unicode's categories: letters in lower case, marks and digits. */
const VALID =
  /^[\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}\-\u00b7\u00df\u0375\u03c2\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007\u30fb]+$/u
/** Valid where their context is, below. */
const JOINERS = /\u200c|\u200d/g
/** RFC 5892 §2.6: exceptions that are disallowed. */
const DISALLOWED = /[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/u
/** Unicode's canonical combining class 9. */
const VIRAMA =
  /[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e3a\u0eba\u0f84\u1039\u103a\u1714\u1734\u17d2\u1a60\u1b44\u1baa\u1bab\u1bf2\u1bf3\u2d7f\ua806\ua8c4\ua953\ua9c0\uaaf6\uabed]$/u
const JOINING =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Nko}\p{Script=Phags_Pa}\p{Script=Mandaic}]/u

function isUnicodeLabel(label: string): boolean {
  if (label !== label.normalize('NFC') || !VALID.test(label.replace(JOINERS, '')) || DISALLOWED.test(label))
    return false
  if (label.startsWith('-') || label.endsWith('-') || label.slice(2, 4) === '--') return false
  if (/^\p{M}/u.test(label)) return false
  if (/[\u0660-\u0669]/.test(label) && /[\u06f0-\u06f9]/.test(label)) return false
  const points = [...label]
  return points.every((point, index) =>
    fitsContext(point, points[index - 1] ?? '', points[index + 1] ?? '', label),
  )
}

/** RFC 5892 appendix A. */
function fitsContext(point: string, before: string, after: string, label: string): boolean {
  switch (point) {
    case '\u00b7':
      return before === 'l' && after === 'l'
    case '\u0375':
      return /\p{Script=Greek}/u.test(after)
    case '\u05f3':
    case '\u05f4':
      return /\p{Script=Hebrew}/u.test(before)
    case '\u30fb':
      return /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(label.replaceAll('\u30fb', ''))
    case '\u200d':
      return VIRAMA.test(before)
    case '\u200c':
      return VIRAMA.test(before) || (JOINING.test(before) && JOINING.test(after))
    default:
      return true
  }
}
