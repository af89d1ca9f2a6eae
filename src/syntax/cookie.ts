/**
 * The Cookie field, RFC 6265 §4.2.1: `name=value` pairs between `; `, and nothing else.
 *
 * Readers differ on everything beyond that grammar (quotes that span a `;`, commas as separators, a missing space or
 * `=`), and where they do one sees a cookie that another does not. So nothing is repaired.
 */

/** Browsers stop at about 180 a host; RFC 6265 §6.1 asks for at least 50. */
export const MAX_COOKIES = 256

/** RFC 9110 §5.6.2 token, `=`, cookie-octets, maybe all of them in one pair of quotes. */
const PAIR =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*|"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")$/
const WITH_COMMAS = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=([\x21\x23-\x3a\x3c-\x5b\x5d-\x7e]*)$/

/**
 * Ordered pairs, values as they stand but without their quotes; null where the text is no cookie-string. `commas`: they
 * may stand in values, where OpenAPI's styles write lists with them.
 */
export function parseCookies(
  text: string,
  commas = false,
): readonly (readonly [name: string, value: string])[] | null {
  const pairs: (readonly [string, string])[] = []
  for (const piece of text.split('; ', MAX_COOKIES + 1)) {
    const found = PAIR.exec(piece) ?? (commas ? WITH_COMMAS.exec(piece) : null)
    if (found === null || pairs.length === MAX_COOKIES) return null
    const value = found[2] ?? ''
    pairs.push([found[1] ?? '', value.startsWith('"') ? value.slice(1, -1) : value])
  }
  return pairs
}
