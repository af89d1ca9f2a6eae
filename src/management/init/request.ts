import { fetchUrl, isLoopbackUrl, name, upstreamUrl } from '../../config/forms.ts'
import { SallyportError } from '../../model/errors.ts'

/** What `sallyport init` is told, as typed: missing flags are undefined. */
export interface InitFlags {
  readonly contract?: string
  readonly upstream?: string
  readonly issuer?: string
  readonly name?: string
  readonly audience?: string
  readonly jwks?: string
  readonly out: string
}

/** The same, complete and in the form configuration takes. */
export interface InitRequest extends Omit<InitFlags, 'contract' | 'upstream' | 'issuer'> {
  readonly contract: string
  readonly upstream: string
  readonly issuer: string
}

const EXAMPLES = {
  contract: './shop.openapi.yaml',
  upstream: 'http://127.0.0.1:3000',
  issuer: 'https://idp.example',
} as const

/** @throws {SallyportError} `usage` with every problem of the flags, each with its way out. */
export function readFlags(flags: InitFlags): InitRequest {
  const { contract = '', upstream = '', issuer = '' } = flags
  const given: Readonly<Record<keyof typeof EXAMPLES, string>> = { contract, upstream, issuer }
  const missing = (['contract', 'upstream', 'issuer'] as const).filter((flag) => given[flag] === '')
  if (missing.length > 0) {
    const command = Object.entries(EXAMPLES).map(
      ([flag, example]) => `--${flag} ${given[flag as keyof typeof EXAMPLES] || example}`,
    )
    throw new SallyportError(
      'usage',
      `${missing.map((flag) => `--${flag}`).join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing; for example:\n  sallyport init ${command.join(' ')}`,
    )
  }
  const problems = [
    ...contractProblems(contract),
    ...upstreamProblems(upstream),
    ...issuerProblems(issuer, flags.jwks),
    ...(flags.jwks === undefined ? [] : jwksProblems(flags.jwks)),
    ...(flags.name === undefined ? [] : problemsOf('--name', name.safeParse(flags.name))),
    ...audienceProblems(flags.audience),
  ]
  if (problems.length > 0) throw new SallyportError('usage', problems.join('\n'))
  return { ...flags, contract, upstream, issuer }
}

function contractProblems(text: string): readonly string[] {
  if (!/^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(text)) return []
  return ['--contract is a URL, and the gate fetches no contract: save a copy and name the file']
}

function upstreamProblems(text: string): readonly string[] {
  const problems = problemsOf('--upstream', upstreamUrl.safeParse(text))
  return problems.length > 0 ? problems : plainHttp('--upstream', text, 'read and change every call')
}

/** OpenID Connect Discovery 1.0 §3: keys are found below the issuer, unless --jwks says where they are. */
function issuerProblems(text: string, jwks: string | undefined): readonly string[] {
  if (/[\s\p{C}]/u.test(text) || text.length > 1024) {
    return [
      '--issuer has spaces or control characters, or more than 1024 characters: write it as in the tokens (iss)',
    ]
  }
  const isUrl = /^https?:/i.test(text)
  if (!isUrl && jwks !== undefined) return []
  const problems = problemsOf('--issuer', fetchUrl.safeParse(text))
  if (problems.length > 0) return problems
  if (/[?@]/.test(text) && jwks === undefined) {
    return [
      '--issuer has a query or an @, so its keys cannot be found below it: say where they are with --jwks URL',
    ]
  }
  return plainHttp('--issuer', text, 'forge any token')
}

function jwksProblems(text: string): readonly string[] {
  const problems = problemsOf('--jwks', fetchUrl.safeParse(text))
  return problems.length > 0 ? problems : plainHttp('--jwks', text, 'forge any token')
}

function plainHttp(flag: string, text: string, harm: string): readonly string[] {
  const url = URL.parse(text)
  if (url?.protocol !== 'http:' || isLoopbackUrl(url)) return []
  return [
    `${flag} uses plain http: beyond this machine, where who sits between can ${harm}: use https: (to accept it all the same, run init with https: and then, in sallyport.yaml, write http: with allowPlainHttp: true beside it)`,
  ]
}

function audienceProblems(text: string | undefined): readonly string[] {
  if (text === undefined || (text !== '' && text.length <= 1024 && !/\p{C}/u.test(text))) return []
  return ['--audience has 1 to 1024 characters without control characters: the aud of the tokens']
}

interface Parsed {
  readonly success: boolean
  readonly error?: { readonly issues: readonly { readonly message: string; readonly params?: unknown }[] }
}

/** In the words of configuration's own forms, so that init refuses exactly what `check` would. */
function problemsOf(flag: string, { success, error }: Parsed): readonly string[] {
  if (success) return []
  return (error?.issues ?? []).slice(0, 1).map(({ message, params }) => {
    const hint = (params as { readonly hint?: unknown } | undefined)?.hint
    return `${flag} ${message}${typeof hint === 'string' ? `. ${hint}` : ''}`
  })
}
