/**
 * Names of a contract written into other languages' text. They are whatever the contract's author typed, so each
 * form escapes or folds all that could end a line, a string or a comment.
 */

/** A Cedar string literal with its quotes: `\u{…}` for what is not printable (Cedar grammar, STR). */
export function cedarString(text: string): string {
  const escaped = text
    .replace(/["\\]/g, '\\$&')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
  return `"${escaped}"`
}

/** Names, paths and URLs; never what could be a number, a date or a key. */
const PLAIN = /^(?:\.{0,2}\/)?[A-Za-z_][A-Za-z0-9_./:-]*(?<!:)$/
/** Words that YAML 1.2 or its forerunner read as something other than text. */
const WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/i

/** A YAML scalar that reads back as exactly this text, in block and flow style (YAML 1.2.2 §7.3). */
export function yamlText(text: string): string {
  if (PLAIN.test(text) && !WORDS.test(text)) return text
  if (/^[\x20-\x7e]+$/.test(text)) return `'${text.replaceAll("'", "''")}'`
  return JSON.stringify(text).replace(/[\x7f\p{C}\p{Zl}\p{Zp}]/gu, (char) =>
    Array.from(
      { length: char.length },
      (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}

/** One line of a comment, a warning or a terminal: bounded, control and format characters folded. */
export function oneLine(text: string, length = 200): string {
  const clean = text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return clean.length > length ? `${clean.slice(0, length - 1).toWellFormed()}…` : clean
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
