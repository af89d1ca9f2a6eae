/** Texts as they go out masked: what is left tells two apart for whoever knows them, and nobody else. */

export const REDACTED = '[redacted]'

const MAIL = /^([^@\s])[^@\s]{0,255}@([^@\s]{1,255})$/
const SHOWN = 4
/** Longer texts are no numbers: their length and words are not told. */
const MAX_FORM = 40

/**
 * An e-mail address keeps its first character and its domain; all else its last four letters and digits, where it has
 * more than eight, and what separates them.
 */
export function maskText(text: string): string {
  const mail = MAIL.exec(text)
  if (mail !== null) return `${mail[1] ?? ''}***@${mail[2] ?? ''}`
  const letters = text.replace(/[^\p{L}\p{N}]/gu, '')
  const shown = [...letters].length > 2 * SHOWN ? SHOWN : 0
  if (text.length > MAX_FORM) return `${'*'.repeat(SHOWN)}${[...letters].slice(-SHOWN).join('')}`
  let hidden = [...letters].length - shown
  return text.replace(/[\p{L}\p{N}]/gu, (character) => (hidden-- > 0 ? '*' : character))
}
