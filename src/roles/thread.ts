import { createPublicKey } from 'node:crypto'
import { flushCompileCache } from 'node:module'
import type { MessagePort } from 'node:worker_threads'
import { SyncerClient } from '../audit/syncer-client.ts'
import type { SyncerLink } from '../audit/syncer-link.ts'
import { SegmentWriter } from '../audit/writer.ts'
import { Connector } from '../enforcement/connector.ts'
import type { DecisionPoint } from '../enforcement/entrances/decision-server.ts'
import { DEFAULT_LISTENER_LIMITS, Listener } from '../enforcement/entrances/listener.ts'
import type { Gate } from '../enforcement/gate.ts'
import { PinnedSnapshots } from '../enforcement/pinned.ts'
import { AccessTokens } from '../identity/access-token.ts'
import { AssertionSigner } from '../identity/assertion.ts'
import { KeyRing } from '../identity/key-ring.ts'
import { KeyWait } from '../identity/key-wait.ts'
import { RevocationSet } from '../identity/revocations.ts'
import type { AddressTable, GateSettings, UrlNameTable } from '../model/channel.ts'
import { isFault } from '../model/errors.ts'
import type { State, ThreadCommand, ThreadReport } from '../processes/messages.ts'
import { readDataDirectory } from '../store/data-directory.ts'
import { keyedDigest, readStoreKey } from '../store/store-keys.ts'
import { Counters } from './counters.ts'
import { instantiate } from './instantiate.ts'
import { say, systemClock, systemRandom, systemSchedule } from './system.ts'

export interface ThreadData {
  readonly role: 'thread'
  readonly index: number
  readonly settings: GateSettings
  readonly syncer: SyncerLink
}

const COUNTERS_EVERY_MS = 1_000

/** One gate thread: composes what an exchange needs and obeys the gate process. */
export function runThread({ index, settings, syncer }: ThreadData, port: MessagePort): void {
  const report = (message: ThreadReport): void => port.postMessage(message)
  const clock = systemClock
  const random = systemRandom()
  const directory = readDataDirectory(settings.store)
  const storeKey = readStoreKey(directory)
  const bundleKey = createPublicKey(settings.bundleKey)

  const ring = new KeyRing()
  const revocations = new RevocationSet()
  const keyWait = new KeyWait({
    clock,
    schedule: systemSchedule,
    ring,
    ask: (issuer, kid) => report({ type: 'key-wanted', issuer, kid }),
  })
  const assertions = new AssertionSigner({ clock, random, gateId: settings.gateId })
  let addresses: AddressTable = {}
  let urlNames: UrlNameTable = {}
  let credentials: ReadonlyMap<string, string> = new Map()
  const upstream = new Connector({ addresses: (host) => addresses[host] ?? null })
  const audit = new SegmentWriter({
    directory: directory.audit,
    node: settings.node,
    boot: settings.boot,
    thread: index,
    storeKey,
    durability: settings.durability,
    clock,
    random,
    syncer: new SyncerClient(syncer),
  })
  const counters = new Counters()
  const snapshots = new PinnedSnapshots()
  const gate: Gate = {
    clock,
    snapshots,
    tokens: new AccessTokens({ clock, ring, revocations }),
    candidateTokens: new AccessTokens({ clock, ring, revocations }),
    canary: keyedDigest(storeKey, 'canary'),
    keyWait,
    assertions,
    upstream,
    credential: (reference) => credentials.get(reference) ?? null,
    audit,
    digest: keyedDigest(storeKey, 'body'),
    count: counters.add,
    fault: (stage, exchange, error) =>
      say(
        `fault in ${stage} of ${exchange}: ${error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'}`,
      ),
  }
  const listener = new Listener(gate, random, { ...DEFAULT_LISTENER_LIMITS, headBytes: settings.headBytes })
  const points: DecisionPoint[] = []
  setInterval(() => report({ type: 'counters', counters: counters.take() }), COUNTERS_EVERY_MS).unref()

  port.on('message', (command: ThreadCommand) => {
    switch (command.type) {
      case 'state':
        applyState(command.state)
        return
      case 'revoke':
        for (const revocation of command.revocations) revocations.apply(revocation)
        report({ type: 'applied', sequence: command.sequence })
        return
      case 'rotate':
        audit.rotate()
        report({ type: 'applied', sequence: command.sequence })
        return
      case 'prepare':
        instantiate(
          command.bundle,
          snapshots,
          command.epoch,
          command.use,
          bundleKey,
          (name) => urlNames[name] ?? 'unresolved',
        ).then(
          (times) => report({ type: 'prepared', epoch: command.epoch, ...times }),
          (error: unknown) =>
            report({
              type: 'prepare-failed',
              epoch: command.epoch,
              message: error instanceof Error ? error.message : 'unknown',
              ...(isFault(error) ? { code: error.code } : {}),
            }),
        )
        return
      case 'canary':
        snapshots.canary(command.share)
        report({ type: 'applied', sequence: command.sequence })
        return
      case 'commit':
        snapshots.commit(command.epoch)
        report({ type: 'committed', epoch: command.epoch })
        return
      case 'abandon':
        snapshots.abandon(command.epoch)
        return
      case 'listen':
        // A replaced thread is told to listen while it still instantiates: it takes no call before it can judge it.
        snapshots
          .ready()
          .then(async () => {
            await openPoints(command.shared)
            return listener.listen(command.host, command.port, command.shared)
          })
          .then(
            (bound) => {
              report({ type: 'listening', port: bound })
              // A thread is ended with its process, too late to keep what was compiled for the next start.
              flushCompileCache()
            },
            (error: NodeJS.ErrnoException) =>
              report({ type: 'listen-failed', code: error.code ?? '', message: error.message }),
          )
        return
      case 'drain':
        drain(command.withinMs).finally(() => report({ type: 'drained' }))
        return
    }
  })

  function applyState(state: State): void {
    switch (state.type) {
      case 'keys':
        ring.apply(state.notice, clock.now())
        keyWait.noticed(state.notice.issuer)
        return
      case 'signing-keys':
        assertions.useKeys(state.keys)
        return
      case 'addresses':
        addresses = state.table
        return
      case 'url-names':
        urlNames = state.table
        return
      case 'credentials':
        credentials = new Map(Object.entries(state.table))
        return
    }
  }

  /** What they speak is loaded only where one is configured: most gates have none, and start sooner. */
  async function openPoints(shared: boolean): Promise<void> {
    const configured = settings.decisionPoints ?? []
    if (configured.length === 0) return
    const { decisionPoint } = await import('../enforcement/entrances/decision-points.ts')
    for (const each of configured) {
      const point = decisionPoint(each, { gate, random }, settings.headBytes)
      points.push(point)
      await point.listen(shared)
    }
  }

  async function drain(withinMs: number): Promise<void> {
    await Promise.all([listener, ...points].map((entrance) => entrance.drain(withinMs)))
    await upstream.close()
    await audit.close()
    report({ type: 'counters', counters: counters.take() })
  }
}
