import type { Gate } from '../src/enforcement/gate.ts'
import { PinnedSnapshots } from '../src/enforcement/pinned.ts'
import { SnapshotBuilder } from '../src/enforcement/snapshot.ts'
import { AccessTokens } from '../src/identity/access-token.ts'
import { AssertionSigner, generateSigningKey } from '../src/identity/assertion.ts'
import { KeyRing } from '../src/identity/key-ring.ts'
import { RevocationSet } from '../src/identity/revocations.ts'
import type { Source } from '../src/model/exchange.ts'
import type { AuditWriter, Upstream, UpstreamRequest } from '../src/model/ports.ts'
import type { CutEntry, IntentEntry, OutcomeEntry } from '../src/model/record.ts'
import { bundleParts, compileBundle } from '../src/roles/compile-bundle.ts'
import { systemClock, systemRandom } from '../src/roles/system.ts'
import { keyedDigest } from '../src/store/store-keys.ts'
import { keyNotice, type TestKey } from './token-issuer.ts'

/** The pipeline without a socket, a process or a disk: real rooms, ports in memory. */
export interface MemoryGate {
  readonly gate: Gate
  readonly audit: MemoryAudit
  readonly faults: readonly { readonly stage: string; readonly error: unknown }[]
  readonly revocations: RevocationSet
  close(): void
}

export function memoryGate(options: {
  readonly config: string
  readonly upstream: Upstream
  /** Keys of each issuer, by its config name. */
  readonly keys: Readonly<Record<string, { readonly iss: string; readonly keys: readonly TestKey[] }>>
  readonly audit?: AuditWriter
  /** Hash that records name the bundle by; `test` unless told. */
  readonly bundle?: string
  /** Another configuration, whose bundle `candidate` judges beside, and this percent of callers itself. */
  readonly candidate?: { readonly config: string; readonly share?: number }
}): MemoryGate {
  const compiled = compileBundle(options.config)
  const builder = new SnapshotBuilder(options.bundle ?? 'test')
  for (const part of bundleParts(compiled)) builder.add(part)
  const snapshots = new PinnedSnapshots()
  const snapshot = builder.finish()
  snapshots.prepared(1, snapshot)
  snapshots.commit(1)
  if (options.candidate !== undefined) {
    const other = new SnapshotBuilder('candidate')
    for (const part of bundleParts(compileBundle(options.candidate.config))) other.add(part)
    snapshots.prepared(2, other.finish(), 'candidate')
    snapshots.commit(2)
    snapshots.canary(options.candidate.share ?? 0)
  }

  const clock = systemClock
  const random = systemRandom()
  const ring = new KeyRing()
  for (const [issuer, { iss, keys }] of Object.entries(options.keys)) {
    // A fresh cool-down: what the set lacks is answered at once, nothing is asked for.
    const now = clock.now()
    ring.apply(
      keyNotice(keys, now, {
        issuer,
        iss,
        cooldownFrom: now.wallMs - 1,
        cooldownUntil: now.wallMs + 600_000,
      }),
      now,
    )
  }
  const assertions = new AssertionSigner({ clock, random, gateId: 'sallyport' })
  assertions.useKeys([generateSigningKey(Date.now())])
  const revocations = new RevocationSet()
  const audit = new MemoryAudit()
  const faults: { stage: string; error: unknown }[] = []
  return {
    audit,
    faults,
    revocations,
    gate: {
      clock,
      snapshots,
      tokens: new AccessTokens({ clock, ring, revocations }),
      candidateTokens: new AccessTokens({ clock, ring, revocations }),
      canary: keyedDigest(new Uint8Array(32).fill(3), 'canary'),
      keyWait: { wait: () => Promise.resolve() },
      assertions,
      upstream: options.upstream,
      audit: options.audit ?? audit,
      digest: () => 'digest',
      count: () => undefined,
      fault: (stage, _exchange, error) => void faults.push({ stage, error }),
    },
    close: () => snapshot.close(),
  }
}

/** Keeps entries as they were stated. */
export class MemoryAudit implements AuditWriter {
  readonly intents = new Map<string, IntentEntry>()
  readonly outcomes = new Map<string, OutcomeEntry>()
  readonly cuts = new Map<string, CutEntry>()

  intent(entry: IntentEntry): undefined {
    if (this.intents.has(entry.id)) throw new Error('a second intent for one exchange')
    this.intents.set(entry.id, entry)
  }

  outcome(entry: OutcomeEntry): undefined {
    if (!this.intents.has(entry.id)) throw new Error('an outcome without an intent')
    if (this.outcomes.has(entry.id)) throw new Error('a second outcome for one exchange')
    this.outcomes.set(entry.id, entry)
  }

  refusal(intent: IntentEntry, outcome: OutcomeEntry): undefined {
    this.intent(intent)
    this.outcome(outcome)
  }

  cut(entry: CutEntry): void {
    this.cuts.set(entry.id, entry)
  }
}

export interface MemoryReply {
  readonly status: number
  readonly fields?: readonly string[]
  readonly body?: Uint8Array | string
}

/** An upstream that answers from a function, and keeps what it was asked. */
export function memoryUpstream(
  answer: (request: UpstreamRequest) => MemoryReply | Promise<MemoryReply>,
): Upstream & { readonly requests: UpstreamRequest[] } {
  const requests: UpstreamRequest[] = []
  return {
    requests,
    call: async (request) => {
      requests.push(request)
      const { status, fields = [], body = '' } = await answer(request)
      return { status, fields, body: oneChunk(typeof body === 'string' ? Buffer.from(body) : body) }
    },
    close: () => Promise.resolve(),
  }
}

function oneChunk(bytes: Uint8Array): Source {
  let given = bytes.byteLength === 0
  return {
    trailers: [],
    read: () => {
      if (given) return Promise.resolve(null)
      given = true
      return Promise.resolve(bytes)
    },
    cancel: () => {
      given = true
    },
  }
}
