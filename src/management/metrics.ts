import { Counter, Gauge, Registry } from 'prom-client'

/** Counters the gate's threads report, with the labels their values stand for, in order. */
const COUNTERS = {
  sallyport_exchanges_total: {
    help: 'Exchanges by what became of them.',
    labels: ['api', 'effect', 'action', 'status'],
  },
  sallyport_reasons_total: {
    help: 'Reasons given by decisions; outcome stop: the call ended there.',
    labels: ['api', 'reason', 'outcome'],
  },
  sallyport_gate_microseconds_total: {
    help: 'Time of exchanges less upstream and caller, in microseconds.',
    labels: ['api'],
  },
  sallyport_unrecorded_total: { help: 'Records that could not be written.', labels: ['api'] },
} as const

/** What Prometheus reads (text format 0.0.4), kept by control. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #counters = new Map<string, { readonly counter: Counter; readonly labels: readonly string[] }>()
  readonly #bundle = new Gauge({
    name: 'sallyport_bundle_info',
    help: 'The bundle in force.',
    labelNames: ['hash'],
    registers: [this.#registry],
  })
  readonly #issuers = new Gauge({
    name: 'sallyport_issuer_keys_usable',
    help: '1 while the issuer’s keys are usable.',
    labelNames: ['issuer'],
    registers: [this.#registry],
  })
  readonly #threads = new Counter({
    name: 'sallyport_thread_deaths_total',
    help: 'Gate threads that ended and were replaced.',
    registers: [this.#registry],
  })
  readonly #reloads = new Counter({
    name: 'sallyport_reloads_total',
    help: 'Reloads by result.',
    labelNames: ['result'],
    registers: [this.#registry],
  })

  readonly #known = new Set<string>()

  constructor() {
    for (const [name, { help, labels }] of Object.entries(COUNTERS)) {
      const counter = new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] })
      this.#counters.set(name, { counter, labels })
    }
  }

  /** Adds a thread's deltas: `<name>|<label values>`; unknown names are dropped. */
  add(deltas: Readonly<Record<string, number>>): void {
    for (const [key, by] of Object.entries(deltas)) {
      const [name = '', ...values] = key.split('|')
      const known = this.#counters.get(name)
      if (known === undefined) continue
      known.counter.inc(
        Object.fromEntries(known.labels.map((label, index) => [label, values[index] ?? ''])),
        by,
      )
    }
  }

  bundle(hash: string): void {
    this.#bundle.reset()
    this.#bundle.set({ hash }, 1)
  }

  issuer(name: string, usable: boolean): void {
    this.#known.add(name)
    this.#issuers.set({ issuer: name }, usable ? 1 : 0)
  }

  /** Those the bundle in force names; what was said of others is withdrawn. */
  issuers(names: readonly string[]): void {
    for (const known of this.#known) {
      if (names.includes(known)) continue
      this.#issuers.remove({ issuer: known })
      this.#known.delete(known)
    }
  }

  threadDied(): void {
    this.#threads.inc()
  }

  reloaded(result: 'ok' | 'failed'): void {
    this.#reloads.inc({ result })
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}
