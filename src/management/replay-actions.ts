import type { ReplayReport } from './replay-report.ts'

export interface ReplayRequest {
  /** The configuration whose store holds the records. */
  readonly config: string
  /** A configuration's file, or version or hash of a bundle in the store. */
  readonly against: string
  /** Wall milliseconds. */
  readonly from?: number
  readonly to?: number
  readonly api?: string
}

export interface ReplayActions {
  replay(
    request: ReplayRequest,
    onProgress: (fraction: number) => void,
  ): Promise<ReplayReport & { readonly bundle: string; readonly seconds: number }>
}
