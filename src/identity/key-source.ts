/**
 * Control's side of the keys: the only fetcher of discovery documents and key sets. One fetch at a time for an issuer,
 * in the background as the issuer's Cache-Control asks, and at once for an unknown `kid`, but then not again before the
 * cool-down is over: whoever sends random ids can make it fetch once per cool-down.
 */
import type { IssuerPlan } from '../model/bundle.ts'
import type { KeyNotice, PublicJwk } from '../model/channel.ts'
import { type FaultCode, isFault } from '../model/errors.ts'
import type { Clock } from '../model/ports.ts'
import { MAX_METADATA_BYTES, metadataUrls, readMetadata } from './discovery.ts'
import { MAX_JWKS_BYTES, parseJwks } from './jwks.ts'

/**
 * One GET: follows no redirect, rejects after `timeoutMs` (`TimeoutError`) or beyond `maxBytes` (`keys-invalid`).
 * Header names are lower-case.
 */
export type HttpGet = (
  url: string,
  options: { readonly timeoutMs: number; readonly maxBytes: number },
) => Promise<HttpGot>

export interface HttpGot {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** Calls `run` once after `ms`; the function it gives back cancels that. */
export type Schedule = (ms: number, run: () => void) => () => void

export interface KeySourcePorts {
  readonly get: HttpGet
  readonly clock: Clock
  readonly schedule: Schedule
  /** Broadcasts to every gate thread; also the answer to `ask`. */
  publish(notice: KeyNotice): void
}

const TIMEOUT_MS = 5_000
/** Providers seldom move their key set; when it fails to come, its address is looked up anew anyway. */
const REDISCOVER_MS = 86_400_000
const SHORTEST_REFRESH_SECONDS = 30
const LONGEST_RETRY_SECONDS = 300
/** Until there are keys every call waits for them: whoever starts the issuer now wants to see the gate become ready. */
const LONGEST_FIRST_RETRY_SECONDS = 30

interface Source {
  plan: IssuerPlan
  keys: readonly PublicJwk[] | null
  ok: boolean
  fetchedAt: number
  cooldownFrom: number
  cooldownUntil: number
  /** Monotonic end of the cool-down, which a jump of the wall clock must not shorten. */
  cooldownMono: number
  error: string | undefined
  retryAt: number
  failures: number
  fetching: Promise<void> | null
  jwksUri: string | null
  discoveredMono: number
  cancel: () => void
}

export class KeySource {
  readonly #ports: KeySourcePorts
  readonly #sources = new Map<string, Source>()

  constructor(ports: KeySourcePorts) {
    this.#ports = ports
  }

  /**
   * Takes the issuers of the bundle in force: new ones are fetched now, dropped ones forgotten. One whose `iss` or key
   * set URL changed is a new one, and its old keys are withdrawn from the threads at once.
   */
  update(plans: readonly IssuerPlan[]): void {
    const names = new Set(plans.map((plan) => plan.name))
    for (const name of this.#sources.keys()) if (!names.has(name)) this.#drop(name)
    for (const plan of plans) {
      const before = this.#sources.get(plan.name)
      if (before !== undefined && before.plan.iss === plan.iss && before.plan.jwks === plan.jwks) {
        before.plan = plan
        continue
      }
      this.#drop(plan.name)
      const source = fresh(plan)
      this.#sources.set(plan.name, source)
      if (before !== undefined) this.#ports.publish(notice(source))
      void this.#fetch(source)
    }
  }

  /**
   * A thread met a key it does not know. Answered by `publish`: at once during a cool-down, else after the fetch. A
   * fetch already under way is waited for: if it does not bring the key, the thread asks again.
   */
  ask(issuer: string): void {
    const source = this.#sources.get(issuer)
    if (source === undefined || source.fetching !== null) return
    if (this.#ports.clock.now().monoMs < source.cooldownMono) {
      this.#ports.publish(notice(source))
      return
    }
    this.#beginCooldown(source)
    void this.#fetch(source, true)
  }

  /** An operator's order (standards 3.9): fetches now, cool-down or not; settles when the result was published. */
  async refresh(issuer: string): Promise<KeyNotice | null> {
    const source = this.#sources.get(issuer)
    if (source === undefined) return null
    await source.fetching
    await this.#fetch(source)
    return notice(source)
  }

  /** What is known now, for a thread that starts. */
  notices(): readonly KeyNotice[] {
    return [...this.#sources.values()].map(notice)
  }

  /** Ends every timer; a fetch under way is not published any more. */
  stop(): void {
    for (const name of [...this.#sources.keys()]) this.#drop(name)
  }

  #drop(name: string): void {
    this.#sources.get(name)?.cancel()
    this.#sources.delete(name)
  }

  #beginCooldown(source: Source): void {
    // Later than the last fetch also within one millisecond or after the wall clock was set back, since threads tell
    // by comparing the two whether the set they hold is fresh.
    source.cooldownFrom = Math.max(this.#ports.clock.now().wallMs, source.fetchedAt + 1)
    this.#holdCooldown(source)
  }

  #holdCooldown(source: Source): void {
    const now = this.#ports.clock.now()
    const ms = source.plan.keys.cooldownSeconds * 1000
    source.cooldownUntil = now.wallMs + ms
    source.cooldownMono = now.monoMs + ms
  }

  #fetch(source: Source, asked = false): Promise<void> {
    source.fetching ??= this.#run(source, asked)
    return source.fetching
  }

  async #run(source: Source, asked: boolean): Promise<void> {
    source.cancel()
    let next: number
    try {
      next = await this.#fetchKeys(source)
      source.ok = true
      source.failures = 0
      source.error = undefined
      source.fetchedAt = Math.max(this.#ports.clock.now().wallMs, source.cooldownFrom)
    } catch (error) {
      source.ok = false
      source.failures++
      source.error = error instanceof FetchFault ? error.message : 'keys-unreachable: the fetch failed'
      // Whatever the cause, the address may have moved.
      source.jwksUri = null
      next = retrySeconds(source)
      source.retryAt = this.#ports.clock.now().wallMs + next * 1000
    }
    // Before it is published, because a thread may ask again at once.
    source.fetching = null
    if (this.#sources.get(source.plan.name) !== source) return
    // Counted from the end, so that who waited for a slow fetch finds the cool-down still on.
    if (asked) this.#holdCooldown(source)
    source.cancel = this.#ports.schedule(next * 1000, () => void this.#fetch(source))
    this.#ports.publish(notice(source))
  }

  /** Fetches the set into `source`; gives the seconds until the next background fetch. */
  async #fetchKeys(source: Source): Promise<number> {
    const url = source.plan.jwks ?? (await this.#discover(source))
    const got = await this.#get(url, MAX_JWKS_BYTES)
    if (got.status !== 200) throw new FetchFault('keys-unreachable', `${shown(url)} answered ${got.status}`)
    const parsed = parseJwks(got.body)
    if (!parsed.ok)
      throw new FetchFault('keys-invalid', `the key set ${shown(url)} is refused (${parsed.why})`)
    source.keys = parsed.keys
    const { refreshSeconds } = source.plan.keys
    const asked = maxAgeSeconds(got.headers['cache-control']) ?? refreshSeconds
    return Math.min(refreshSeconds, Math.max(SHORTEST_REFRESH_SECONDS, asked))
  }

  async #discover(source: Source): Promise<string> {
    const now = this.#ports.clock.now().monoMs
    if (source.jwksUri !== null && now - source.discoveredMono < REDISCOVER_MS) return source.jwksUri
    let fault = new FetchFault('keys-invalid', 'the issuer is no URL with discovery, and jwks is not set')
    for (const url of metadataUrls(source.plan.iss)) {
      const got = await this.#get(url, MAX_METADATA_BYTES)
      if (got.status !== 200) {
        fault = new FetchFault('keys-unreachable', `${shown(url)} answered ${got.status}`)
        continue
      }
      const metadata = readMetadata(got.body, source.plan.iss)
      if (!metadata.ok)
        throw new FetchFault('keys-invalid', `the document ${shown(url)} is refused (${metadata.why})`)
      source.jwksUri = metadata.jwksUri
      source.discoveredMono = now
      return metadata.jwksUri
    }
    throw fault
  }

  /** Held to its bounds here too: single flight must not hang on a port that forgets its own. */
  #get(url: string, maxBytes: number): Promise<HttpGot> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new FetchFault('keys-unreachable', `${shown(url)}: no answer in time`))
      const cancel = this.#ports.schedule(TIMEOUT_MS + 1_000, late)
      this.#ports
        .get(url, { timeoutMs: TIMEOUT_MS, maxBytes })
        .then((got) => {
          if (got.body.length > maxBytes) throw tooLarge(url)
          resolve(got)
        })
        .catch((error: unknown) => reject(fetchFault(error, url)))
        .finally(cancel)
    })
  }
}

/** Its message goes to /readyz and the log, so it holds nothing the issuer sent but where its keys are. */
class FetchFault extends Error {
  constructor(code: FaultCode, message: string) {
    super(`${code}: ${message}`)
  }
}

/** What kept a GET from being answered, by the code of its cause: messages may hold anything. */
function fetchFault(error: unknown, url: string): FetchFault {
  if (error instanceof FetchFault) return error
  if (isFault(error, 'keys-invalid')) return tooLarge(url)
  return new FetchFault('keys-unreachable', `${shown(url)}: ${causeOf(error)}`)
}

function tooLarge(url: string): FetchFault {
  return new FetchFault('keys-invalid', `the answer of ${shown(url)} is too large`)
}

/** A system or TLS code as node gives it, wherever fetch put it. */
function causeOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    if (at.name === 'TimeoutError') return 'no answer in time'
    if ('code' in at && typeof at.code === 'string' && /^[A-Z][A-Z0-9_]{2,59}$/.test(at.code)) return at.code
  }
  return 'the fetch failed'
}

/** A query may hold what is not for a log. */
function shown(url: string): string {
  const parsed = URL.parse(url)
  return parsed === null ? 'its address' : `${parsed.origin}${parsed.pathname}`
}

function fresh(plan: IssuerPlan): Source {
  return {
    plan,
    keys: null,
    ok: false,
    fetchedAt: 0,
    cooldownFrom: 0,
    cooldownUntil: 0,
    cooldownMono: 0,
    error: undefined,
    retryAt: 0,
    failures: 0,
    fetching: null,
    jwksUri: null,
    discoveredMono: 0,
    cancel: () => {},
  }
}

function notice(source: Source): KeyNotice {
  const { plan, ok, keys, fetchedAt, cooldownFrom, cooldownUntil, error, retryAt } = source
  const base = { issuer: plan.name, iss: plan.iss, ok, keys, fetchedAt, cooldownFrom, cooldownUntil }
  return error === undefined ? base : { ...base, error, retryAt }
}

/**
 * Twice as long after each failure, from the cool-down up to five minutes or the refresh time; half a minute at most
 * while the issuer was never reached.
 */
function retrySeconds({ plan, failures, keys }: Source): number {
  const { cooldownSeconds, refreshSeconds } = plan.keys
  const longest =
    keys === null
      ? LONGEST_FIRST_RETRY_SECONDS
      : Math.max(cooldownSeconds, Math.min(refreshSeconds, LONGEST_RETRY_SECONDS))
  return Math.min(longest, cooldownSeconds * 2 ** Math.min(failures - 1, 16))
}

/** RFC 9111 §5.2.2.1: `max-age` in seconds; none may be kept: 0; nothing said: undefined. */
function maxAgeSeconds(field: string | undefined): number | undefined {
  for (const directive of (field ?? '').slice(0, 1024).toLowerCase().split(',')) {
    const [name, value] = directive.split('=', 2)
    if (name?.trim() === 'no-store' || name?.trim() === 'no-cache') return 0
    if (name?.trim() === 'max-age') {
      const text = (value ?? '').trim().replaceAll('"', '')
      return /^\d{1,10}$/.test(text) ? Number(text) : 0
    }
  }
  return undefined
}
