import type { ErasureReport } from '../audit/erase.ts'
import type { RecordFilter } from '../audit/record-filter.ts'
import type { VerifyProgress, VerifyReport } from '../audit/verify.ts'
import type { PolicyTrace } from '../decision/cedar/trace.ts'
import type { ExchangeRecord } from '../model/record.ts'

/** What the commands about records ask of the rest of the program; `config` is the configuration's file. */
export interface RecordActions {
  /** Wall milliseconds. */
  now(): number
  /** Records of the store the configuration names, read beside a running gate. */
  read(config: string, filter: RecordFilter): AsyncIterable<ExchangeRecord>
  /** The APIs and operations that are configured; compiles contracts and policies, and throws what is wrong. */
  names(config: string): Promise<ConfiguredNames>
  rejudge(config: string, record: ExchangeRecord): Promise<Rejudged>
  verify(config: string, onProgress: (progress: VerifyProgress) => void): Promise<VerifyReport>
  /** `by`: who asks, for the management log. */
  erase(config: string, iss: string, sub: string, by: string): Promise<ErasureReport>
}

export interface ConfiguredNames {
  readonly apis: readonly string[]
  /** `shop.getOrder`. */
  readonly operations: readonly string[]
}

/** A record judged again by the policies it was decided with. */
export interface Rejudged {
  readonly result: 'same' | 'changed' | 'undecidable'
  /** Of `undecidable`: the attributes that were not recorded; empty where the bundle is what is missing. */
  readonly missing: readonly string[]
  /** Of `undecidable` without attributes: why. */
  readonly why: string
  /** Policies that decided, by the ids the record names; those the bundle does not hold are left out. */
  readonly policies: readonly PolicyText[]
  /** The policies condition by condition; null where none was asked, or what it takes is not in the record. */
  readonly trace: PolicyTrace | null
  /** Of a list, one of each kind of item: those taken out first, and few of them. */
  readonly items?: readonly TracedItem[]
}

export interface TracedItem {
  /** Its place among the record's rows. */
  readonly row: number
  readonly effect: 'allow' | 'deny'
  readonly trace: PolicyTrace
}

export interface PolicyText {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  /** Cedar, formatted. */
  readonly text: string
  /** Of the link of a template: the template's name, and what fills its slots. */
  readonly link?: { readonly template: string; readonly args: Readonly<Record<string, string>> }
}
