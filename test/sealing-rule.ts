// What becomes of a sealed body, in the plainest words: a schema is read anew for every value and every place.

export type S = {
  readonly $ref?: string
  readonly type?: 'object' | 'string'
  readonly properties?: Readonly<Record<string, S>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly readOnly?: true
  readonly items?: S
  readonly allOf?: readonly S[]
  readonly oneOf?: readonly S[]
  readonly anyOf?: readonly S[]
}
export type Defs = Readonly<Record<string, S>>
type Group = { readonly kind: 'all' | 'one' | 'any'; readonly of: readonly S[] }

export class Rule {
  readonly #defs: Defs
  constructor(defs: Defs) {
    this.#defs = defs
  }

  #target(ref: string): S {
    return this.#defs[ref.slice(ref.lastIndexOf('/') + 1)] ?? {}
  }

  /** What applies at a place beside the schema's own keywords. */
  #groups(s: S): readonly Group[] {
    return [
      ...(s.$ref === undefined ? [] : [{ kind: 'all' as const, of: [this.#target(s.$ref)] }]),
      ...(s.allOf ?? []).map((member) => ({ kind: 'all' as const, of: [member] })),
      ...(s.oneOf === undefined ? [] : [{ kind: 'one' as const, of: s.oneOf }]),
      ...(s.anyOf === undefined ? [] : [{ kind: 'any' as const, of: s.anyOf }]),
    ]
  }

  #own(s: S): S {
    return {
      ...(s.type && { type: s.type }),
      ...(s.required && { required: s.required }),
      ...(s.properties && { properties: s.properties }),
      ...(s.additionalProperties === undefined ? {} : { additionalProperties: s.additionalProperties }),
    }
  }

  /** What must be there is known, unless the schema says what else may be. */
  #asked(s: S): readonly string[] {
    return s.additionalProperties === undefined ? (s.required ?? []) : []
  }

  names(s: S): Set<string> {
    return new Set([
      ...(s.type === 'string' ? [] : [...Object.keys(s.properties ?? {}), ...this.#asked(s)]),
      ...this.#groups(s).flatMap(({ of }) => of.flatMap((each) => [...this.names(each)])),
    ])
  }

  open(s: S): boolean {
    return (
      (s.type !== 'string' && s.additionalProperties === true) ||
      this.#groups(s).some(({ of }) => of.some((each) => this.open(each)))
    )
  }

  declares(s: S): boolean {
    const own =
      s.type !== 'string' &&
      (Object.keys(s.properties ?? {}).length > 0 || s.additionalProperties !== undefined)
    return own || this.#groups(s).some(({ of }) => of.some((each) => this.declares(each)))
  }

  /** An object of which nothing is declared may stand here. */
  free(s: S): boolean {
    const own = this.#own(s)
    const ownDeclares = Object.keys(own.properties ?? {}).length > 0 || own.additionalProperties !== undefined
    const parts = [
      own.type === 'string'
        ? { declares: false, free: false }
        : { declares: ownDeclares, free: !ownDeclares },
      ...this.#groups(s).map(({ of }) => ({
        declares: of.some((each) => this.declares(each)),
        free: of.some((each) => this.free(each)),
      })),
    ]
    return !parts.some(({ declares, free }) => declares && !free) && parts.some(({ free }) => free)
  }

  isMarked(s: S): boolean {
    return (
      s.readOnly === true ||
      (s.$ref !== undefined && this.isMarked(this.#target(s.$ref))) ||
      (s.allOf ?? []).some((each) => this.isMarked(each)) ||
      [s.oneOf, s.anyOf].some(
        (list) => list !== undefined && list.length > 0 && list.every((each) => this.isMarked(each)),
      )
    )
  }

  marks(s: S, n: string): boolean {
    const own =
      s.type !== 'string' &&
      s.properties !== undefined &&
      Object.hasOwn(s.properties, n) &&
      this.isMarked(s.properties[n] ?? {})
    return own || this.#groups(s).some(({ of }) => of.some((each) => this.marks(each, n)))
  }

  /** Does the value fit, with these names declared, welcomed or waived by what else applies at its place? */
  fits(
    s: S,
    v: unknown,
    out: { names: (n: string) => boolean; open: boolean; waived: (n: string) => boolean } = NOTHING,
  ): boolean {
    const isObject = typeof v === 'object' && v !== null && !Array.isArray(v)
    if (s.type === 'string' && typeof v !== 'string') return false
    if (s.type === 'object' && !isObject) return false
    if (Array.isArray(v) && s.items !== undefined)
      for (const item of v) if (!this.fits(s.items, item)) return false
    if (isObject) {
      for (const n of s.required ?? [])
        if (!Object.hasOwn(v, n) && !out.waived(n) && !this.marks(s, n)) return false
      for (const [n, member] of Object.entries(v)) {
        const child =
          s.properties !== undefined && Object.hasOwn(s.properties, n) ? s.properties[n] : undefined
        if (child !== undefined && !this.isMarked(child) && !this.fits(child, member)) return false
        if (child === undefined && s.additionalProperties === false) return false
      }
    }
    const groups = this.#groups(s)
    const own = this.#own(s)
    return groups.every((group) => {
      const others: readonly S[] = [own, ...groups.filter((each) => each !== group).flatMap(({ of }) => of)]
      const around = (more: readonly S[]) => {
        const all = [...others, ...more]
        return {
          names: (n: string) => out.names(n) || all.some((each) => this.names(each).has(n)),
          open: out.open || all.some((each) => this.open(each)),
          waived: (n: string) => out.waived(n) || all.some((each) => this.marks(each, n)),
        }
      }
      const { kind, of } = group
      if (kind === 'all') return of.every((each) => this.fits(each, v, around([])))
      const places = of.filter((each) => this.declares(each) || this.free(each) || this.open(each))
      const given = isObject ? Object.keys(v) : []
      const isSeam = (n: string): boolean =>
        places.some((each) => this.names(each).has(n)) && !places.every((each) => this.names(each).has(n))
      const welcomes = (each: S): boolean => this.free(each) || this.open(each)
      const outside = around([])
      if (kind === 'one') {
        const matching = of.filter((each) => {
          if (!this.fits(each, v, around([]))) return false
          if (outside.open || !this.declares(each) || welcomes(each)) return true
          return given.every((n) => !isSeam(n) || outside.names(n) || this.names(each).has(n))
        })
        return matching.length === 1
      }
      const matching = of.filter((each) => this.fits(each, v, around(of.filter((other) => other !== each))))
      if (matching.length === 0) return false
      if (outside.open) return true
      return given.every(
        (n) =>
          !isSeam(n) ||
          outside.names(n) ||
          matching.some((each) => places.includes(each) && (welcomes(each) || this.names(each).has(n))),
      )
    })
  }

  /** Pointers to what no schema at its place declares: a tree of what applies there, walked along the value. */
  undeclared(at: Tree, v: unknown, pointer = ''): string[] {
    if (typeof v !== 'object' || v === null) return []
    if (Array.isArray(v)) {
      const items = this.#items(at)
      return items == null ? [] : v.flatMap((item, i) => this.undeclared(items, item, `${pointer}/${i}`))
    }
    return Object.entries(v).flatMap(([n, member]) => {
      const place = `${pointer}/${n}`
      const child = this.#child(at, n)
      if (child === null) return this.#lets(at) ? [] : [place]
      return this.#forbids(child) ? [place] : this.undeclared(child, member, place)
    })
  }

  #parts(s: S): readonly Tree[] {
    const groups = this.#groups(s)
    return groups.map(({ of }): Tree => (of.length === 1 ? (of[0] ?? {}) : { or: of }))
  }

  #child(at: Tree, n: string): Tree | null {
    if ('or' in at) {
      const each = at.or.map((one) => this.#child(one, n))
      const left = each.filter((one) => one !== null && !this.#forbids(one))
      return joined(left.length > 0 ? left : each, 'or')
    }
    if ('and' in at)
      return joined(
        at.and.map((each) => this.#child(each, n)),
        'and',
      )
    const declared =
      at.properties !== undefined && Object.hasOwn(at.properties, n) ? at.properties[n] : undefined
    const asked = this.#asked(at).includes(n) ? {} : undefined
    const own = at.type === 'string' ? undefined : (declared ?? asked)
    return joined([own ?? null, ...this.#parts(at).map((each) => this.#child(each, n))], 'and')
  }

  /** What holds for items; null: anything; undefined: no array stands here, or nothing is said of one. */
  #items(at: Tree): Tree | null | undefined {
    if ('or' in at) {
      const each = at.or.filter((one) => !this.#forbids(one)).map((one) => this.#items(one))
      if (each.includes(null)) return null
      return (
        joined(
          each.map((one) => one ?? null),
          'or',
        ) ?? undefined
      )
    }
    if (!('and' in at) && at.$ref !== undefined) return this.#items(this.#target(at.$ref))
    const own = 'and' in at || at.type !== undefined ? undefined : (at.items ?? null)
    const all = [
      'and' in at ? undefined : own,
      ...('and' in at ? at.and : this.#parts(at)).map((one) => this.#items(one)),
    ]
    const said = joined(
      all.map((one) => one ?? null),
      'and',
    )
    return said ?? (all.includes(null) ? null : undefined)
  }

  #forbids(at: Tree): boolean {
    if ('or' in at) return at.or.every((each) => this.#forbids(each))
    if ('and' in at) return at.and.some((each) => this.#forbids(each))
    return this.isMarked(at)
  }

  /** Undeclared names are let through: some schema says so, or no object is declared. */
  #lets(at: Tree): boolean {
    const { declares, free, open } = this.#form(at)
    return open || free || !declares
  }

  #form(at: Tree): { declares: boolean; free: boolean; open: boolean } {
    if (!('or' in at) && !('and' in at))
      return { declares: this.declares(at), free: this.free(at), open: this.open(at) }
    const forms = ('or' in at ? at.or : at.and).map((each) => this.#form(each))
    const free = forms.some((form) => form.free)
    const solid = forms.some((form) => form.declares && !form.free)
    return {
      declares: forms.some((form) => form.declares),
      free: 'or' in at ? free : free && !solid,
      open: forms.some((form) => form.open),
    }
  }
}

type Tree = S | { readonly or: readonly Tree[] } | { readonly and: readonly Tree[] }
const NOTHING = { names: () => false, open: false, waived: () => false }

function joined(trees: readonly (Tree | null)[], op: 'or' | 'and'): Tree | null {
  const all = trees.filter((each) => each !== null)
  const [only] = all
  if (only === undefined) return null
  return all.length === 1 ? only : op === 'or' ? { or: all } : { and: all }
}
