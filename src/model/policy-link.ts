/** The slots of a policy template, as Cedar writes them. */
export type Slot = '?principal' | '?resource'

/** 1-based, columns in characters. */
export interface LinkPlace {
  readonly line: number
  readonly column: number
}

/** A link of a template, as its file states it: the form checked, the words not yet. */
export interface PolicyLink {
  readonly template: string
  readonly id: string
  /** Entity literals by slot. */
  readonly args: Readonly<Partial<Record<Slot, string>>>
  readonly file: string
  /** Where its parts stand in the file. */
  readonly at: {
    readonly link: LinkPlace
    readonly template: LinkPlace
    readonly id: LinkPlace
    readonly args: Readonly<Partial<Record<Slot, LinkPlace>>>
  }
}
