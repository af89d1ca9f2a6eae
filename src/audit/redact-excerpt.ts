/** Kept of what an upstream said in place of its answer. */
const MAX_EXCERPT = 2_048
/** Read of it: what would be cut off need not be redacted. */
const MAX_READ = 8_192

/**
 * In this order: what is known by its form first, then what merely may be a secret. Every repetition is bounded, or ends
 * at what it may not hold.
 */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,8000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g,
    '[private key]',
  ],
  [/\beyJ[\w-]{5,4000}\.[\w-]{2,4000}(?:\.[\w-]{0,4000}){0,3}/g, '[token]'],
  [/\b(Bearer|Basic|DPoP|Digest|Negotiate) [\w+/=.~-]{4,4000}/gi, '$1 [credential]'],
  [/(:\/\/)[^\s/:@]{0,200}:[^\s/]{1,200}@/g, '$1[credential]@'],
  [/\b((?:set-)?cookie["']?\s{0,3}[:=]\s{0,3}["']?)[^\n"']{1,2000}/gi, '$1[secret]'],
  [
    /<([\w:-]{0,40}(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|credential)[\w-]{0,20})>[^<]{1,2000}/gi,
    '<$1>[secret]',
  ],
  // As in JSON, in JSON that is a text in JSON, in HTML, in a query.
  [
    /((?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|access[_-]?key|authorization|credential|session(?:id)?|private[_-]?key|(?<![a-z])(?:pin|otp|cvv2?|cvc2?|jwt|auth|ssn))(?:\\{0,3}["'\]]|&(?:quot|#34|#39|#x27);|%2[27]){0,3}\s{0,3}(?:=>|[:=]|%3[AD])\s{0,3}(?:%2[27])?)(?:\\{0,3}"[^"]{0,1000}"?|'[^'\n]{0,1000}'?|&(?:quot|#34|#39|#x27);[^&\n]{0,1000}|\[[^\]\n]{0,1000}\]?|\{[^}\n]{0,1000}\}?|[^\s,;&)}\]]{1,1000})/gi,
    '$1[secret]',
  ],
  [/\b\d{3}-\d{2}-\d{4}\b|\b[A-Z]{2}\d{2}(?: ?[A-Z\d]){11,30}\b/g, '[number]'],
  [/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g, '[e-mail]'],
  [
    /\b(?:AKIA|ASIA|ghp_|gho_|ghs_|github_pat_|sk_live_|sk_test_|xox[bpars]-|AIza|glpat-)[\w-]{8,200}/g,
    '[key]',
  ],
  [/\b\d(?:[ -]?\d){11,22}\b/g, '[number]'],
  [/[A-Za-z0-9+/_-]{32,}={0,2}/g, '[redacted]'],
]

/** An excerpt of an upstream's own words for the record: credentials, tokens, e-mail addresses and long numbers taken out. */
export function redactExcerpt(text: string): string {
  // A secret at the cut may have lost what it is known by, so what is kept ends well before it.
  let redacted = text.slice(0, MAX_READ)
  for (const [pattern, instead] of SECRETS) redacted = redacted.replace(pattern, instead)
  return redacted.length <= MAX_EXCERPT ? redacted : `${redacted.slice(0, MAX_EXCERPT).toWellFormed()}…`
}
