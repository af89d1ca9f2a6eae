import type { ContractPatch } from '../assurance/contract-patch.ts'
import type { DriftReport } from '../inventory/drift.ts'

/** What `sallyport drift` asks of the rest of the program. */
export interface DriftRequest {
  readonly config: string
  readonly api?: string
  /** Wall milliseconds. */
  readonly from?: number
  readonly to?: number
  /** Overlays are made, too. */
  readonly patches: boolean
  /** The overlays declare what was seen in refused calls alone, too. */
  readonly refused?: boolean
}

export interface DriftAnswer {
  readonly report: DriftReport
  /** By API that has drift; empty where none were asked for. */
  readonly patches: readonly ApiPatch[]
}

export interface ApiPatch extends Omit<ContractPatch, 'overlays'> {
  readonly api: string
  /** `name`: of the file that changes, from the contract's folder. */
  readonly overlays: readonly (ContractPatch['overlays'][number] & { readonly name: string })[]
}
