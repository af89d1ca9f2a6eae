import type { BundleActions } from '../bundle-actions.ts'
import type { Order, OrderResult } from '../control-socket.ts'
import type { DriftAnswer, DriftRequest } from '../drift-actions.ts'
import type { DryCall, DryRun } from '../dry-run.ts'
import type { InventoryReport } from '../inventory-report.ts'
import type { PolicyActions } from '../policy-actions.ts'
import type { Readiness } from '../read-only.ts'
import type { RecordActions } from '../record-actions.ts'
import type { ReplayActions } from '../replay-actions.ts'
import type { ZoneGraph } from '../zone-graph.ts'

/** What the commands ask of the rest of the program; composed by `main`, so that commands only read and print. */
export interface CliActions {
  start(options: StartRequest): Promise<Running>
  /** Config, contracts, policies and their tests, without starting anything. Throws what is wrong. */
  check(config: string): Promise<CheckReport>
  /** Trust zones and flows as the configuration declares them. */
  zoneGraph(config: string): Promise<ZoneGraph>
  policySchemas(config: string): Promise<readonly PolicySchema[]>
  /** The store's folder as the configuration names it, absolute. */
  storeOf(config: string): string
  order(store: string, order: Order): Promise<OrderResult>
  /** `jti:` and `digest:` keys of a token's text; empty where it is no JWT. */
  tokenKeys(token: string): readonly string[]
  demo(request: DemoRequest): Promise<number>
  /** Classes of fields by operation, as contracts state them and as sampled answers showed. */
  inventory(config: string): Promise<InventoryReport>
  /** What recorded calls had that contracts do not declare. */
  drift(request: DriftRequest): Promise<DriftAnswer>
  readonly records: RecordActions
  readonly policies: PolicyActions
  readonly bundles: BundleActions
  readonly replay: ReplayActions['replay']
  tryCall(call: DryCall): Promise<DryRun>
}

/** What one API's policies may name and read, in Cedar's readable form. */
export interface PolicySchema {
  readonly api: string
  readonly text: string
}

export interface StartRequest {
  readonly config: string
  readonly port?: number
  readonly managementPort?: number
  readonly threads?: number
}

export interface Running {
  readonly url: string
  readonly management: string
  readonly store: string
  readonly startedInMs: number
  readonly apis: readonly {
    readonly name: string
    readonly mode: string
    readonly governed: boolean
    readonly basePath: string
    readonly hosts: readonly string[]
    readonly upstream: string
  }[]
  readiness(): Readiness
  stop(): Promise<void>
  /** Ends the gate process without letting calls end. */
  kill(): void
}

export interface CheckReport {
  readonly apis: readonly {
    readonly name: string
    readonly operations: number
    readonly mode: string
    readonly governed: boolean
    /** Stages that are only observed; left out where there are none. */
    readonly observe?: readonly string[]
    /** Operations in the other mode; left out where there are none. */
    readonly otherwise?: number
  }[]
  readonly policies: number
  readonly tests: readonly {
    readonly file: string
    readonly name: string
    readonly passed: boolean
    readonly detail: string
  }[]
  readonly warnings: readonly { readonly place: string; readonly message: string }[]
}

export interface DemoRequest {
  readonly once: boolean
  readonly json: boolean
  readonly port: number | null
  readonly managementPort: number | null
  readonly shopPort: number | null
  readonly providerPort: number | null
}
