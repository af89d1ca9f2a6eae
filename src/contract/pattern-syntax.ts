import { type CharacterSet, complement, DIGIT, DOT, EVERYTHING, SPACE, union, WORD } from './character-set.ts'

/**
 * The regular expressions of JSON Schema (ECMA-262 with the u flag) as a tree, so that one meaning can be proven
 * harmless and printed for either engine. Reads a little more than the u flag allows, because contracts hold it:
 * escapes of characters that need none, `-` beside a class escape, and braces that are no quantifier.
 */
export type Expression =
  | { readonly kind: 'set'; readonly set: CharacterSet; readonly property?: string }
  | { readonly kind: 'sequence'; readonly items: readonly Expression[] }
  | { readonly kind: 'choice'; readonly branches: readonly Expression[] }
  | {
      readonly kind: 'repeat'
      readonly item: Expression
      readonly min: number
      readonly max: number
      readonly lazy: boolean
    }
  | { readonly kind: 'start' | 'end' | 'boundary' | 'inside' }
  | { readonly kind: 'look'; readonly item: Expression; readonly behind: boolean; readonly negated: boolean }
  /** A capturing group of a pattern that refers back to one; elsewhere groups leave no trace. */
  | { readonly kind: 'group'; readonly item: Expression; readonly index: number }
  | { readonly kind: 'back'; readonly index: number }

/** Why a pattern cannot be read. */
export class PatternFault extends Error {}

const MAX_LENGTH = 8_192
const MAX_NESTING = 100
const LOOKS: readonly (readonly [sign: string, behind: boolean, negated: boolean])[] = [
  ['=', false, false],
  ['!', false, true],
  ['<=', true, false],
  ['<!', true, true],
]
/** General categories by their long names (Unicode PropertyValueAliases). */
const CATEGORIES: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'Letter L Cased_Letter LC Uppercase_Letter Lu Lowercase_Letter Ll Titlecase_Letter Lt Modifier_Letter Lm ' +
    'Other_Letter Lo Mark M Combining_Mark M Nonspacing_Mark Mn Spacing_Mark Mc Enclosing_Mark Me Number N ' +
    'Decimal_Number Nd Letter_Number Nl Other_Number No Punctuation P Connector_Punctuation Pc Dash_Punctuation Pd ' +
    'Open_Punctuation Ps Close_Punctuation Pe Initial_Punctuation Pi Final_Punctuation Pf Other_Punctuation Po ' +
    'Symbol S Math_Symbol Sm Currency_Symbol Sc Modifier_Symbol Sk Other_Symbol So Separator Z Space_Separator Zs ' +
    'Line_Separator Zl Paragraph_Separator Zp Other C Control Cc Format Cf Surrogate Cs Private_Use Co'
  )
    .match(/\w+ \w+/g)
    ?.map((pair) => pair.split(' ') as [string, string]) ?? [],
)
const ESCAPED_CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 }
const ESCAPED_SETS: Readonly<Record<string, CharacterSet>> = {
  d: DIGIT,
  D: complement(DIGIT),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
}

/** @throws {PatternFault} for flags, and what is no pattern. */
export function parsePattern(text: string): Expression {
  if (text.length > MAX_LENGTH) throw new PatternFault(`it is longer than ${MAX_LENGTH} characters`)
  const characters = [...text]
  const groups = groupsOf(characters)
  const reader = new Reader(characters, groups)
  const expression = reader.choice(0)
  if (!reader.done) throw new PatternFault('a bracket closes nothing')
  return expression
}

interface Groups {
  readonly count: number
  readonly names: ReadonlyMap<string, number>
  /** The pattern refers back to one. */
  readonly referred: boolean
}

/** Capturing groups by number: a reference may stand before its group. */
function groupsOf(text: readonly string[]): Groups {
  const names = new Map<string, number>()
  let count = 0
  let referred = false
  let inClass = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') {
      at++
      referred ||= !inClass && /[1-9k]/.test(text[at] ?? '')
    } else if (inClass) inClass = character !== ']'
    else if (character === '[') inClass = true
    else if (character === '(') {
      if (text[at + 1] !== '?') count++
      else if (text[at + 2] === '<' && text[at + 3] !== '=' && text[at + 3] !== '!') {
        const name = text.slice(at + 3, text.indexOf('>', at)).join('')
        if (names.has(name)) throw new PatternFault('two groups have one name')
        names.set(name, ++count)
      }
    }
  }
  return { count, names, referred }
}

class Reader {
  readonly #text: readonly string[]
  readonly #groups: Groups
  #at = 0
  #opened = 0

  constructor(text: readonly string[], groups: Groups) {
    this.#text = text
    this.#groups = groups
  }

  get done(): boolean {
    return this.#at >= this.#text.length
  }

  #peek(ahead = 0): string {
    return this.#text[this.#at + ahead] ?? ''
  }

  #take(expected: string): boolean {
    const characters = [...expected]
    if (!characters.every((character, index) => this.#peek(index) === character)) return false
    this.#at += characters.length
    return true
  }

  choice(depth: number): Expression {
    if (depth > MAX_NESTING) throw new PatternFault(`it nests deeper than ${MAX_NESTING}`)
    const branches = [this.#sequence(depth)]
    while (this.#take('|')) branches.push(this.#sequence(depth))
    const [only] = branches
    return only !== undefined && branches.length === 1 ? only : { kind: 'choice', branches }
  }

  #sequence(depth: number): Expression {
    const items: Expression[] = []
    while (!this.done && this.#peek() !== '|' && this.#peek() !== ')') items.push(this.#term(depth))
    const [only] = items
    return only !== undefined && items.length === 1 ? only : { kind: 'sequence', items }
  }

  #term(depth: number): Expression {
    if (this.#take('^')) return { kind: 'start' }
    if (this.#take('$')) return { kind: 'end' }
    if (this.#take('\\b')) return { kind: 'boundary' }
    if (this.#take('\\B')) return { kind: 'inside' }
    return this.#quantified(this.#atom(depth))
  }

  #quantified(item: Expression): Expression {
    const bounds = this.#quantifier()
    if (bounds === null) return item
    const [min, max] = bounds
    if (max < min) throw new PatternFault('a quantifier ends before it begins')
    const lazy = this.#take('?')
    if ('*+?'.includes(this.#peek() || ' ')) throw new PatternFault('a quantifier follows a quantifier')
    return { kind: 'repeat', item, min, max, lazy }
  }

  #quantifier(): readonly [number, number] | null {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY]
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY]
    if (this.#take('?')) return [0, 1]
    if (this.#peek() !== '{') return null
    const match = /^\{(\d{1,9})(,(\d{0,9}))?\}/.exec(this.#text.slice(this.#at, this.#at + 24).join(''))
    if (match === null) return null
    this.#at += match[0].length
    const min = Number(match[1])
    if (match[2] === undefined) return [min, min]
    return [min, match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])]
  }

  #atom(depth: number): Expression {
    if (this.#take('(')) return this.#group(depth)
    if (this.#take('[')) return this.#class()
    if (this.#take('.')) return { kind: 'set', set: DOT }
    if (this.#peek() === '\\') {
      const reference = this.#reference()
      if (reference !== null) return reference
      this.#at++
      return this.#escape(false)
    }
    const character = this.#peek()
    if ('*+?'.includes(character)) throw new PatternFault('a quantifier repeats nothing')
    this.#at++
    return literal(character.codePointAt(0) ?? 0)
  }

  #group(depth: number): Expression {
    if (this.#take('?')) {
      if (this.#take(':')) return this.#closed(depth)
      for (const [sign, behind, negated] of LOOKS) {
        if (this.#take(sign)) return { kind: 'look', behind, negated, item: this.#closed(depth) }
      }
      if (!this.#take('<')) throw new PatternFault('flags and extensions in a group are not ECMAScript')
      while (/[\p{ID_Continue}$]/u.test(this.#peek())) this.#at++
      if (!this.#take('>')) throw new PatternFault('a group name does not end')
    }
    const index = ++this.#opened
    const item = this.#closed(depth)
    return this.#groups.referred ? { kind: 'group', item, index } : item
  }

  /** ECMA-262 §22.2.1: by number, where there are so many groups, or by name. */
  #reference(): Expression | null {
    const match = /^\\(?:([1-9][0-9]{0,3})|k<([^>]{1,60})>)/.exec(
      this.#text.slice(this.#at, this.#at + 64).join(''),
    )
    if (match === null) return null
    const index = match[1] === undefined ? this.#groups.names.get(match[2] ?? '') : Number(match[1])
    if (index === undefined || index > this.#groups.count) {
      throw new PatternFault('a back-reference names no group')
    }
    this.#at += [...match[0]].length
    return { kind: 'back', index }
  }

  #closed(depth: number): Expression {
    const inner = this.choice(depth + 1)
    if (!this.#take(')')) throw new PatternFault('a group does not end')
    return inner
  }

  #escape(inClass: boolean): Expression & { kind: 'set' } {
    const letter = this.#peek()
    this.#at++
    const set = Object.hasOwn(ESCAPED_SETS, letter) ? ESCAPED_SETS[letter] : undefined
    if (set !== undefined) return { kind: 'set', set }
    const control = Object.hasOwn(ESCAPED_CONTROLS, letter) ? ESCAPED_CONTROLS[letter] : undefined
    if (control !== undefined) return literal(control)
    if (inClass && letter === 'b') return literal(8)
    if (letter === '0' && !/\d/.test(this.#peek())) return literal(0)
    if (letter === 'x') return literal(this.#hex(2))
    if (letter === 'u') return literal(this.#unicode())
    if (letter === 'c' && /[A-Za-z]/.test(this.#peek()))
      return literal((this.#text[this.#at++] ?? '').charCodeAt(0) % 32)
    if (letter === 'p' || letter === 'P') return this.#property(letter === 'P')
    if (letter === 'k' || /[0-9]/.test(letter)) throw new PatternFault('a back-reference names no group')
    if (letter === '' || /[A-Za-z]/.test(letter)) throw new PatternFault(`\\${letter} is not ECMAScript`)
    return literal(letter.codePointAt(0) ?? 0)
  }

  #hex(digits: number): number {
    const text = this.#text.slice(this.#at, this.#at + digits).join('')
    if (text.length !== digits || !/^[0-9a-fA-F]+$/.test(text))
      throw new PatternFault('an escape lacks its digits')
    this.#at += digits
    return Number.parseInt(text, 16)
  }

  #unicode(): number {
    if (this.#take('{')) {
      const end = this.#text.indexOf('}', this.#at)
      const value = end - this.#at > 8 || end < 0 ? Number.NaN : this.#hex(end - this.#at)
      this.#at++
      if (!(value <= 0x10ffff)) throw new PatternFault('an escape is beyond Unicode')
      return value
    }
    const unit = this.#hex(4)
    if (unit >= 0xd800 && unit <= 0xdbff && this.#take('\\u')) {
      const low = this.#hex(4)
      if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + (unit - 0xd800) * 0x400 + (low - 0xdc00)
      throw new PatternFault('an escape is half of a pair')
    }
    return unit
  }

  /** General categories and scripts, which both engines know by the same names. */
  #property(negated: boolean): Expression & { kind: 'set' } {
    const match = /^\{(?:(?:sc|Script)=)?([A-Z][A-Za-z_]{0,30})\}/.exec(
      this.#text.slice(this.#at, this.#at + 48).join(''),
    )
    if (match === null) throw new PatternFault('a Unicode property is of a kind that is not read')
    this.#at += match[0].length
    const stated = match[1] ?? ''
    const name = Object.hasOwn(CATEGORIES, stated) ? (CATEGORIES[stated] ?? stated) : stated
    // Any set may overlap it: for the proof it is everything.
    return { kind: 'set', set: EVERYTHING, property: `${negated ? 'P' : 'p'}:${name}` }
  }

  #class(): Expression {
    const negated = this.#take('^')
    const sets: CharacterSet[] = []
    const properties: Expression[] = []
    while (!this.#take(']')) {
      if (this.done) throw new PatternFault('a class does not end')
      const from = this.#classAtom()
      if (from.property !== undefined) properties.push(from)
      else if (this.#peek() === '-' && this.#peek(1) !== ']' && isSingle(from.set)) {
        this.#at++
        const to = this.#classAtom()
        if (to.property !== undefined) throw new PatternFault('a range ends in a property')
        // `[a-\d]`: the hyphen then stands for itself.
        sets.push(...(isSingle(to.set) ? [rangeOf(from.set, to.set)] : [from.set, literal(0x2d).set, to.set]))
      } else sets.push(from.set)
    }
    const set = union(...sets)
    if (properties.length === 0) return { kind: 'set', set: negated ? complement(set) : set }
    if (negated) throw new PatternFault('a negated class with a Unicode property is not read')
    return { kind: 'choice', branches: [...properties, { kind: 'set', set }] }
  }

  #classAtom(): Expression & { kind: 'set' } {
    if (this.#take('\\')) return this.#escape(true)
    const character = this.#peek()
    this.#at++
    return literal(character.codePointAt(0) ?? 0)
  }
}

const literal = (codePoint: number): Expression & { kind: 'set' } => ({
  kind: 'set',
  set: [[codePoint, codePoint]],
})

const isSingle = (set: CharacterSet): boolean => set.length === 1 && set[0]?.[0] === set[0]?.[1]

function rangeOf(from: CharacterSet, to: CharacterSet): CharacterSet {
  const first = from[0]?.[0] ?? 0
  const last = to[0]?.[0] ?? 0
  if (last < first) throw new PatternFault('a range ends before it begins')
  return [[first, last]]
}
