import { createHash } from 'node:crypto'
import { replayInput } from '../decision/attributes.ts'
import { CedarEngine } from '../decision/cedar/evaluate.ts'
import { type CallContext, smallestChange } from '../decision/smallest-change.ts'
import { bytesSource } from '../enforcement/bytes-source.ts'
import { callInMemory, type MemoryAnswer } from '../enforcement/entrances/memory.ts'
import type { Gate } from '../enforcement/gate.ts'
import { type Snapshot, SnapshotBuilder } from '../enforcement/snapshot.ts'
import { AccessTokens } from '../identity/access-token.ts'
import { AssertionSigner, generateSigningKey } from '../identity/assertion.ts'
import { RevocationSet } from '../identity/revocations.ts'
import type { DryCall, DryRun, DryVerdict, Wait } from '../management/dry-run.ts'
import type { BundlePart } from '../model/bundle.ts'
import type { Decision } from '../model/decision.ts'
import { SallyportError } from '../model/errors.ts'
import type { RawFields } from '../model/exchange.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { AuditWriter, Upstream, UpstreamAnswer, UpstreamRequest } from '../model/ports.ts'
import type { CutEntry, IntentEntry, OutcomeEntry } from '../model/record.ts'
import { escapePointer } from '../syntax/json-pointer.ts'
import { bundleParts, type CompiledBundle, compileBundle } from './compile-bundle.ts'
import { DryKeys } from './dry-keys.ts'
import { systemClock, systemRandom } from './system.ts'

/**
 * Judges one call with the real pipeline, in this process: the configuration is compiled, issuers' keys are fetched,
 * and everything goes its way until the first byte would go upstream. There the run ends, and what was decided by
 * then stands in the intent, which the pipeline writes before that byte. Nothing is written to the store.
 */
export async function dryRun(call: DryCall): Promise<DryRun> {
  const compiled = compileBundle(call.config)
  const { snapshot, bundle } = instantiate(compiled)
  const keys = new DryKeys(compiled.head.issuers)
  const upstream = new DryUpstream()
  const audit = new DryAudit()
  const faults: string[] = []
  try {
    const gate = dryGate({ snapshot, keys, upstream, audit, faults })
    const target = targetOf(call.url)
    const { listen } = compiled.read.config
    const answer = await callInMemory(
      gate,
      systemRandom(),
      {
        method: call.method,
        target: target.target,
        fields: fieldsOf(call, target.host ?? `${listen.host}:${listen.port}`),
        ...(call.body === null ? {} : { body: call.body }),
        ...(call.address === undefined ? {} : { address: call.address }),
      },
      'try',
    )
    return conclusion({ call, compiled, bundle, upstream, audit, answer, notes: [...keys.faults, ...faults] })
  } finally {
    snapshot.close()
    await keys.close()
  }
}

/** Instantiated from what a bundle file would hold, so that nothing but plain data comes through. */
function instantiate(compiled: CompiledBundle): { readonly snapshot: Snapshot; readonly bundle: string } {
  const digest = createHash('sha256')
  const lines = [...bundleParts(compiled)].map((part) => JSON.stringify(part))
  for (const line of lines) digest.update(`${line}\n`)
  const bundle = digest.digest('hex')
  const builder = new SnapshotBuilder(bundle)
  try {
    for (const line of lines) builder.add(JSON.parse(line) as BundlePart)
    return { snapshot: builder.finish(), bundle }
  } catch (error) {
    builder.discard()
    throw error
  }
}

interface DryGateParts {
  readonly snapshot: Snapshot
  readonly keys: DryKeys
  readonly upstream: DryUpstream
  readonly audit: DryAudit
  readonly faults: string[]
}

function dryGate({ snapshot, keys, upstream, audit, faults }: DryGateParts): Gate {
  const clock = systemClock
  const assertions = new AssertionSigner({ clock, random: systemRandom(), gateId: 'sallyport' })
  // A key of this moment: what it signs goes nowhere.
  assertions.useKeys([generateSigningKey(clock.now().wallMs)])
  return {
    clock,
    snapshots: { pin: () => ({ snapshot, unpin: () => undefined }) },
    tokens: new AccessTokens({ clock, ring: keys.ring, revocations: new RevocationSet() }),
    keyWait: keys,
    assertions,
    upstream,
    sources: permittingSources(faults),
    credential: () => '',
    audit,
    digest: () => '',
    count: () => undefined,
    fault: (stage, _exchange, error) => {
      if (upstream.asked === null)
        faults.push(`a fault in ${stage}: ${error instanceof Error ? error.message : 'unknown'}`)
    },
  }
}

/** Decision sources elsewhere are not asked about what is no call: the rest is shown as if they permitted it. */
function permittingSources(notes: string[]): Upstream {
  return {
    call: ({ target }) => {
      notes.push(`${target.origin} is not asked: the rest is shown as if it permitted the call`)
      return Promise.resolve({ status: 200, fields: [], body: bytesSource(Buffer.from('{"decision":true}')) })
    },
    close: () => Promise.resolve(),
  }
}

/** An upstream that is never asked: it keeps what would have been sent first, and carries nothing. */
class DryUpstream implements Upstream {
  asked: { readonly method: string; readonly url: string } | null = null

  call({ method, target, path }: UpstreamRequest): Promise<UpstreamAnswer> {
    this.asked ??= { method, url: `${target.origin}${path}` }
    return Promise.reject(new SallyportError('not-carried', 'a dry run asks no upstream'))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** Keeps the entries instead of writing them. */
class DryAudit implements AuditWriter {
  made: IntentEntry | null = null
  ended: OutcomeEntry | null = null

  intent(entry: IntentEntry): undefined {
    this.made = entry
  }

  outcome(entry: OutcomeEntry): undefined {
    this.ended = entry
  }

  refusal(intent: IntentEntry, outcome: OutcomeEntry): undefined {
    this.made = intent
    this.ended = outcome
  }

  cut(_entry: CutEntry): void {}
}

interface Played {
  readonly call: DryCall
  readonly compiled: CompiledBundle
  readonly bundle: string
  readonly upstream: DryUpstream
  readonly audit: DryAudit
  readonly answer: MemoryAnswer
  readonly notes: readonly string[]
}

function conclusion({ call, compiled, bundle, upstream, audit, answer, notes }: Played): DryRun {
  const intent = audit.made
  if (intent === null) throw new SallyportError('not-carried', 'the dry run ended without a decision')
  const { asked } = upstream
  // What follows the first byte that would have gone upstream was made of an upstream that does not answer.
  const decisions =
    asked === null ? [...intent.decisions, ...(audit.ended?.decisions ?? [])] : intent.decisions
  const { api, operation, template, governed, mode, subject } = intent
  const plan = planOf(compiled, api, operation)
  const denied = decisions.find(({ effect }) => effect !== 'allow')
  const lookup = asked !== null && isLookup(plan, decisions)
  const pending = denied === undefined && decisions.at(-1)?.pending === true
  const verdict: DryVerdict = denied !== undefined ? 'deny' : pending ? 'undecided' : 'allow'
  return {
    verdict,
    mode,
    enforced: mode === 'enforce' || asked === null,
    status: asked === null ? answer.status : null,
    bundle,
    api,
    operation,
    template,
    governed,
    subject,
    decisions,
    wait: pending && plan !== null ? waitOf(compiled, plan, intent, lookup) : null,
    next: asked === null ? null : { purpose: lookup ? 'look-up' : 'call', ...asked },
    change: denied === undefined ? '' : smallestChange(denied, callContext(compiled, intent)),
    notes: [
      ...notes,
      ...misdirected(compiled, call, intent.api, decisions),
      ...standing(compiled, verdict),
      ...unresolved(compiled, intent.api),
    ],
  }
}

function callContext({ head, apis }: CompiledBundle, intent: IntentEntry): CallContext {
  const { api, operation, subject, template, personal } = intent
  const plan = apis.find(({ plan: { name } }) => name === api)?.plan
  return {
    api,
    operation,
    subject,
    template,
    path: personal.path,
    issuers: head.issuers,
    identity: plan === undefined || plan.accept.length > 0,
  }
}

/** A look-up goes before the body's decision, the call itself after it. */
function isLookup(plan: OperationPlan | null, decisions: readonly Decision[]): boolean {
  const { ownerKnownAt, lookup } = plan?.object ?? {}
  return (
    ownerKnownAt === 'body' &&
    lookup !== undefined &&
    !decisions.some(({ checkpoint }) => checkpoint === 'body')
  )
}

function planOf({ apis }: CompiledBundle, api: string, operation: string): OperationPlan | null {
  const contract = apis.find(({ plan }) => plan.name === api)?.contract
  return contract?.operations.find(({ plan }) => plan.key === operation)?.plan ?? null
}

/** Asks the policies what they would say to either answer: the object is the caller’s own, or someone else’s. */
function waitOf(
  { policies }: CompiledBundle,
  plan: OperationPlan,
  intent: IntentEntry,
  lookup: boolean,
): Wait | null {
  const { attributes, decisions } = intent
  const { object } = plan
  if (attributes === null || object === undefined) return null
  const { unknown } = attributes.resource
  const engine = new CedarEngine(policies)
  try {
    const replayed = replayInput(attributes, engine.reads)
    if (!replayed.ok) return null
    const judge = (owner: string, tenant: string): 'allow' | 'deny' => {
      const resource = {
        ...replayed.input.resource,
        ...(unknown.includes('owner') ? { owner } : {}),
        ...(unknown.includes('tenant') ? { tenant } : {}),
        unknown: [],
      }
      const checkpoint = lookup ? 'body' : 'response'
      return engine.evaluate({ ...replayed.input, checkpoint, resource }).verdict === 'allow'
        ? 'allow'
        : 'deny'
    }
    const { principal } = replayed.input
    const pointers = { owner: object.owner, tenant: object.tenant }
    const within = object.items === undefined ? [] : [...object.items.at, '*']
    const read = unknown.filter((name) => engine.reads.has(`resource.${name}`))
    return {
      attributes: read.map((name) => `resource.${name}`),
      statedBy: lookup ? 'look-up' : 'answer',
      pointers: read.map((name) =>
        [...within, ...(pointers[name] ?? [])].map((part) => `/${escapePointer(part)}`).join(''),
      ),
      list: object.items !== undefined,
      policies: decisions.at(-1)?.policies ?? [],
      ifOwn: judge(principal.id, principal.tenant),
      ifForeign: judge(SOMEONE, SOMEONE),
      deniedStatus: object.hideAbsent ? 404 : 403,
    }
  } finally {
    engine.close()
  }
}

/** No principal’s id: issuer names hold no `~`. */
const SOMEONE = '~/someone else'

/** Slips of the one who tries, which a refusal is not the place to tell a caller of. */
function misdirected(
  { apis }: CompiledBundle,
  { method }: DryCall,
  api: string,
  decisions: readonly Decision[],
): readonly string[] {
  const codes = new Set(decisions.flatMap(({ reasons }) => reasons.map(({ code }) => code)))
  if (!codes.has('route-unknown') && !codes.has('method-not-allowed')) return []
  const begins = apis
    .filter(({ plan }) => plan.basePath !== '' && plan.basePath !== '/')
    .slice(0, MAX_NAMED)
    .map(({ plan }) => `${plan.name} begins with ${plan.basePath}`)
  return [
    ...(method === method.toUpperCase() ? [] : [`methods are upper case: ${method.toUpperCase()}`]),
    ...(api === '' && begins.length > 0 ? [`of the paths, ${begins.join(', ')}`] : []),
  ]
}

const MAX_NAMED = 10

/** What a dry run cannot know, and what would keep a gate from starting. */
function standing({ tests }: CompiledBundle, verdict: DryVerdict): readonly string[] {
  const failed = tests.filter(({ ok }) => !ok).length
  return [
    ...(verdict === 'deny'
      ? []
      : ['revocations of a running gate are not asked, and the answer is not judged']),
    ...(failed === 0 ? [] : [`${failed} policy tests fail: a gate would not start with this configuration`]),
  ]
}

/** A dry run asks no DNS: names that URL rules list count as public, as where a gate resolves them well. */
function unresolved({ apis }: CompiledBundle, api: string): readonly string[] {
  const { urlNames = [] } = apis.find(({ plan: { name } }) => name === api)?.plan ?? {}
  if (urlNames.length === 0) return []
  const shown = `${urlNames.slice(0, 3).join(', ')}${urlNames.length > 3 ? ' …' : ''}`
  return [
    `host names that URLs in requests may have (${shown}) are not resolved here: a running gate refuses those that turn private or do not resolve`,
  ]
}

/** Split by hand: a URL parser would tidy away what the gate must see. */
function targetOf(url: string): { readonly host: string | null; readonly target: string } {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url)
  if (absolute === null) {
    if (!url.startsWith('/')) throw new SallyportError('usage', 'the URL begins with http://, https:// or /')
    return { host: null, target: url }
  }
  const [, host = '', rest = ''] = absolute
  return { host, target: rest.startsWith('/') ? rest : `/${rest}` }
}

function fieldsOf({ fields, token, body }: DryCall, host: string): RawFields {
  const has = (name: string): boolean =>
    fields.some((field, index) => index % 2 === 0 && field.toLowerCase() === name)
  const made: string[] = []
  if (!has('host')) made.push('Host', host)
  made.push(...fields)
  if (token !== null) made.push('Authorization', `Bearer ${token}`)
  if (body !== null) {
    if (!has('content-type')) made.push('Content-Type', 'application/json')
    if (!has('content-length')) made.push('Content-Length', String(body.byteLength))
  }
  return made
}
