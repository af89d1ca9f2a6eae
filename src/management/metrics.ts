/** Counters the gate's threads report, with the labels their values stand for, in order. */
const REPORTED = {
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
  sallyport_candidate_total: {
    help: 'Exchanges judged beside the bundle in force by a candidate, by what would change.',
    labels: ['result'],
  },
  sallyport_unread_answers_total: {
    help: 'Answers larger than the gate holds that were passed on unread (largeAnswers: pass).',
    labels: ['api'],
  },
  sallyport_detected_classes_total: {
    help: 'Places of sampled answers whose values show a class that the contract does not state.',
    labels: ['api', 'class'],
  },
  sallyport_unrecorded_total: { help: 'Records that could not be written.', labels: ['api'] },
} as const

type Reported = keyof typeof REPORTED

/** What Prometheus reads (text format 0.0.4), kept by control as plain numbers until somebody asks. */
export class Metrics {
  readonly #reported = new Map<Reported, Map<string, number>>()
  readonly #issuers = new Map<string, boolean>()
  #bundle = ''
  #threadDeaths = 0
  readonly #reloads = { ok: 0, failed: 0 }

  /** Adds a thread's deltas: `<name>|<label values>`; unknown names are dropped. True: records went unwritten. */
  add(deltas: Readonly<Record<string, number>>): boolean {
    let unrecorded = false
    for (const [key, by] of Object.entries(deltas)) {
      const bar = key.indexOf('|')
      const name = bar < 0 ? key : key.slice(0, bar)
      if (!isReported(name)) continue
      const values = bar < 0 ? '' : key.slice(bar + 1)
      const totals = this.#reported.get(name) ?? new Map<string, number>()
      totals.set(values, (totals.get(values) ?? 0) + by)
      this.#reported.set(name, totals)
      unrecorded ||= name === 'sallyport_unrecorded_total' && by > 0
    }
    return unrecorded
  }

  bundle(hash: string): void {
    this.#bundle = hash
  }

  issuer(name: string, usable: boolean): void {
    this.#issuers.set(name, usable)
  }

  /** Those the bundle in force names; what was said of others is withdrawn. */
  issuers(names: readonly string[]): void {
    for (const known of this.#issuers.keys()) if (!names.includes(known)) this.#issuers.delete(known)
  }

  threadDied(): void {
    this.#threadDeaths += 1
  }

  reloaded(result: 'ok' | 'failed'): void {
    this.#reloads[result] += 1
  }

  /** Formatted by the client library, which is loaded at the first scrape: a start does not wait for it. */
  async text(): Promise<string> {
    const { Counter, Gauge, Registry } = await import('prom-client')
    const registry = new Registry()
    const registers = [registry]
    for (const [name, { help, labels }] of Object.entries(REPORTED)) {
      const counter = new Counter({ name, help, labelNames: [...labels], registers })
      for (const [values, total] of this.#reported.get(name as Reported) ?? []) {
        const split = values.split('|')
        counter.inc(Object.fromEntries(labels.map((label, index) => [label, split[index] ?? ''])), total)
      }
    }
    const bundle = new Gauge({
      name: 'sallyport_bundle_info',
      help: 'The bundle in force.',
      labelNames: ['hash'],
      registers,
    })
    if (this.#bundle !== '') bundle.set({ hash: this.#bundle }, 1)
    const issuers = new Gauge({
      name: 'sallyport_issuer_keys_usable',
      help: '1 while the issuer’s keys are usable.',
      labelNames: ['issuer'],
      registers,
    })
    for (const [issuer, usable] of this.#issuers) issuers.set({ issuer }, usable ? 1 : 0)
    new Counter({
      name: 'sallyport_thread_deaths_total',
      help: 'Gate threads that ended and were replaced.',
      registers,
    }).inc(this.#threadDeaths)
    const reloads = new Counter({
      name: 'sallyport_reloads_total',
      help: 'Reloads by result.',
      labelNames: ['result'],
      registers,
    })
    for (const [result, count] of Object.entries(this.#reloads)) reloads.inc({ result }, count)
    return registry.metrics()
  }
}

function isReported(name: string): name is Reported {
  return Object.hasOwn(REPORTED, name)
}
