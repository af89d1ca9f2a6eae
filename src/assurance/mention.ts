import type { Constant } from './constants.ts'

/** What policies ask of one attribute. */
export interface Mention {
  /** In the order met, with repetitions. */
  readonly constants: readonly Constant[]
  /** `has` asks for it, so it may be absent. */
  readonly tested: boolean
  /** Stands where a Boolean does. */
  readonly bool: boolean
  readonly set: boolean
  /** Of a set: elements nobody names make a difference too (`isEmpty`, `==`). */
  readonly whole: boolean
  /** Of `like`: literal parts, null for a wildcard. */
  readonly patterns: readonly (readonly (string | null)[])[]
}

export interface MutableMention {
  readonly constants: Constant[]
  tested: boolean
  bool: boolean
  set: boolean
  whole: boolean
  readonly patterns: (readonly (string | null)[])[]
}
