/** Texts as they go out masked: what is left tells two apart for whoever knows them, and nobody else. */

export const REDACTED = '[redacted]'

/** A domain with dots and a word at its end: what follows the @ of a password is not to be shown as one. */
const MAIL =
  /^([^@\s])[^@\s]{0,255}@((?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|\p{L}{2,63}))$/iu
const SHOWN = 4
/** Longer texts are no numbers: their length and words are not told. */
const MAX_FORM = 40

/**
 * An e-mail address keeps its first character and its domain; all else its last four letters and digits, where it has
 * more than eight, and what separates them.
 */
export function maskText(text: string): string {
  const mail = text.includes('@') ? MAIL.exec(text) : null
  if (mail !== null) return `${mail[1] ?? ''}***@${mail[2] ?? ''}`
  const plain = maskAscii(text)
  if (plain !== null) return plain
  const letters = [...text.replace(/[^\p{L}\p{N}]/gu, '')]
  const shown = letters.length > 2 * SHOWN ? SHOWN : 0
  if (text.length > MAX_FORM) return `${'*'.repeat(SHOWN)}${letters.slice(-SHOWN).join('')}`
  let hidden = letters.length - shown
  return text.replace(/[\p{L}\p{N}]/gu, (character) => (hidden-- > 0 ? '*' : character))
}

/** The same in one pass from the end; null where there is more than ASCII. */
function maskAscii(text: string): string | null {
  if (text.length > MAX_FORM) return null
  let letters = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 0x7f) return null
    if (isLetter(code)) letters++
  }
  let hidden = letters > 2 * SHOWN ? letters - SHOWN : letters
  let out = ''
  for (let at = 0; at < text.length; at++) {
    const letter = isLetter(text.charCodeAt(at))
    out += letter && hidden > 0 ? '*' : (text[at] ?? '')
    if (letter) hidden--
  }
  return out
}

const isLetter = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
