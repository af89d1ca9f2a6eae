/** Tokens and keys by the forms their issuers give them. Runs of their characters are told apart first: linear. */

const FORMS: readonly (readonly [kind: string, form: RegExp])[] = [
  ['jwt', /^eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*$/],
  ['jwe', /^eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){4}$/],
  ['aws-key', /^(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}$/],
  ['google-key', /^AIza[A-Za-z0-9_-]{35}$/],
  ['google-token', /^ya29\.[A-Za-z0-9_-]{20,}$/],
  ['github-token', /^(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})$/],
  ['gitlab-token', /^glpat-[A-Za-z0-9_-]{20,}$/],
  ['slack-token', /^xox[abeoprs]-[A-Za-z0-9-]{10,}$/],
  ['stripe-key', /^(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}$/],
  ['npm-token', /^npm_[A-Za-z0-9]{36}$/],
  ['sendgrid-key', /^SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}$/],
]
const STARTS = /^(?:eyJ|A[KSBC][IC]A|AIza|ya29|gh[pousr]_|github_pat_|glpat-|xox|[sr]k_|npm_|SG\.)/
const RUN = /[A-Za-z0-9_.-]+/g
const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----/
const SAS = /[?&]sig=[A-Za-z0-9%+/=]{20,}/
const MIN_RUN = 12

/** The kind of the first token or key in the text, or null. The caller bounds the text. */
export function secretIn(text: string): string | null {
  if (text.length < MIN_RUN) return null
  if (text.includes('-----BEGIN ') && PRIVATE_KEY.test(text)) return 'private-key'
  if (text.includes('sig=') && /[?&]s[vp]=/.test(text) && SAS.test(text)) return 'azure-sas'
  for (const [run] of text.matchAll(RUN)) {
    if (run.length < MIN_RUN || !STARTS.test(run)) continue
    // A full stop may end a sentence.
    const bare = run.endsWith('.') && !run.startsWith('eyJ') ? run.replace(/\.+$/, '') : run
    const found = FORMS.find(([, form]) => form.test(bare))
    if (found !== undefined) return found[0]
  }
  return null
}
