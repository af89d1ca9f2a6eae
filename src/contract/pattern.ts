import { RE2JS } from 're2js'
import { type CharacterSet, EMPTY, overlap, union } from './character-set.ts'
import { burn, grantFuel, SPENT } from './fuel.ts'
import { type Budget, BudgetedPattern, needsBudget, PatternSpent } from './pattern-match.ts'
import { type Expression, PatternFault, parsePattern } from './pattern-syntax.ts'

export interface Pattern {
  /** @throws {PatternSpent} where finding out takes too long: the text is then not known to fit, nor not to. */
  test(text: string): boolean
  /** Ajv keys its cache by this: without it every pattern would be the first one compiled. */
  toString(): string
  readonly engine: 'v8' | 're2' | 'budget'
}

const compiled = new Map<string, Pattern | string>()
/** Texts come from contracts alone; the bound is for many reloads. */
const MAX_CACHED = 20_000

/** A pattern that is matched in linear time or under a budget, or null where none can be had (see `whyUnusable`). */
export function compilePattern(text: string): Pattern | null {
  const pattern = lookUp(text)
  return typeof pattern === 'string' ? null : pattern
}

/** Why a pattern cannot be checked, or null where it can. */
export function whyUnusable(text: string): string | null {
  const pattern = lookUp(text)
  return typeof pattern === 'string' ? pattern : null
}

function lookUp(text: string): Pattern | string {
  let known = compiled.get(text)
  if (known === undefined) {
    known = build(text)
    if (compiled.size >= MAX_CACHED) compiled.clear()
    compiled.set(text, known)
  }
  return known
}

function build(text: string): Pattern | string {
  try {
    const expression = parsePattern(text)
    if (needsBudget(expression)) return budgeted(text, new BudgetedPattern(expression))
    if (isLinear(expression)) {
      return guarded('v8', text, new RegExp(print(expression, V8), 'u'))
    }
    const re2 = RE2JS.compile(print(expression, RE2))
    const units = unitsPerCharacter(expression, re2.programSize())
    return guarded('re2', text, {
      test: (value) => {
        burn(RE2_CALL + units * value.length)
        return re2.test(value)
      },
    })
  } catch (error) {
    if (error instanceof PatternFault) return error.message
    return 'no engine with linear time takes it'
  }
}

/** Steps that all budgeted patterns of one check may take together; see `grantSteps`. */
const budget: Budget = { left: 0 }
const BASE_STEPS = 200_000
const STEPS_PER_BYTE = 8
const MAX_STEP_BYTES = 262_144

/** Begins a check of a value that took so many bytes. */
export function grantSteps(bytes: number): void {
  budget.left = BASE_STEPS + STEPS_PER_BYTE * Math.min(bytes, MAX_STEP_BYTES)
}

function budgeted(text: string, pattern: BudgetedPattern): Pattern {
  return {
    engine: 'budget',
    test: (value) => pattern.test(value, budget),
    toString: () => `budget:${text}`,
  }
}

/** For readers of names outside a check: what is not known to fit does not. */
export function surelyFits(pattern: Pattern, text: string): boolean {
  if (pattern.engine === 'v8') return pattern.test(text)
  grantSteps(text.length)
  grantFuel(text.length)
  try {
    return pattern.test(text)
  } catch (error) {
    if (error instanceof PatternSpent || error === SPENT) return false
    throw error
  }
}

/** The same where fitting is what is guarded against: what is not known to fit may. */
export function mayFit(pattern: Pattern, text: string): boolean {
  grantSteps(text.length)
  grantFuel(text.length)
  try {
    return pattern.test(text)
  } catch (error) {
    if (error instanceof PatternSpent || error === SPENT) return true
    throw error
  }
}

/** What a call of re2js costs however short the text, in units of fuel.ts. */
const RE2_CALL = 10
/** Repetitions of so many places, in a match that may begin at many, have states enough that each is made anew. */
const MANY_PLACES = 8

/** What re2js takes for a character, by the size of its program: measured over texts it had not yet seen. */
function unitsPerCharacter(expression: Expression, size: number): number {
  const manyStates =
    (!isAnchored(expression) || repeats(expression, isEndless)) && repeats(expression, isLong)
  return Math.max(2, Math.ceil(size / (manyStates ? 4 : 16)))
}

const isEndless = (max: number): boolean => max === Number.POSITIVE_INFINITY
const isLong = (max: number): boolean => max >= MANY_PLACES && !isEndless(max)

function repeats(at: Expression, how: (max: number) => boolean): boolean {
  if (at.kind === 'repeat') return how(at.max) || repeats(at.item, how)
  if (at.kind === 'sequence') return at.items.some((item) => repeats(item, how))
  return at.kind === 'choice' && at.branches.some((branch) => repeats(branch, how))
}

/**
 * An engine may still give up: V8 compiles at first use, and its stack has a bound that megabytes of text can reach.
 * At build that is a reason not to use the pattern; later nothing is known of the text.
 */
function guarded(engine: 'v8' | 're2', text: string, inner: { test(value: string): boolean }): Pattern {
  grantFuel(0)
  inner.test('')
  return {
    engine,
    test: (value) => {
      try {
        return inner.test(value)
      } catch (error) {
        if (error === SPENT) throw error
        throw new PatternSpent('an engine gave up')
      }
    },
    toString: () => `${engine}:${text}`,
  }
}

/** A fixed number of steps at each place of the text, if the pattern may begin anywhere. */
const MAX_UNANCHORED = 64

/**
 * Whether V8's backtracking engine needs linear time whatever the text: every choice (go on or leave a loop, which
 * branch) is settled by the next character, so that what is tried after a failure fails at once. Patterns that may
 * begin anywhere are tried at each place, so those must also be short.
 */
export function isLinear(expression: Expression): boolean {
  if (!isDeterministic(expression, EMPTY)) return false
  return isAnchored(expression) || longest(expression) <= MAX_UNANCHORED
}

function isDeterministic(at: Expression, follow: CharacterSet): boolean {
  switch (at.kind) {
    case 'sequence': {
      let behind = follow
      for (let i = at.items.length - 1; i >= 0; i--) {
        const item = at.items[i]
        if (item === undefined || !isDeterministic(item, behind)) return false
        behind = firstOf(item, behind)
      }
      return true
    }
    case 'choice': {
      let seen: CharacterSet = EMPTY
      for (const branch of at.branches) {
        const first = firstOf(branch, follow)
        if (overlap(seen, first) || !isDeterministic(branch, follow)) return false
        seen = union(seen, first)
      }
      return at.branches.filter(isNullable).length <= 1
    }
    case 'repeat': {
      if (at.max === 0) return true
      if (isNullable(at.item) && at.max > 1) return false
      const again = firstOf(at.item, EMPTY)
      if (at.min !== at.max && overlap(again, follow)) return false
      return isDeterministic(at.item, at.max > 1 ? union(again, follow) : follow)
    }
    default:
      return true
  }
}

/** Characters a match of this and what follows may begin with. The end of the text is no character. */
function firstOf(at: Expression, follow: CharacterSet): CharacterSet {
  switch (at.kind) {
    case 'set':
      return at.set
    case 'sequence':
      return at.items.reduceRight((behind, item) => firstOf(item, behind), follow)
    case 'choice':
      return union(...at.branches.map((branch) => firstOf(branch, follow)))
    case 'repeat':
      if (at.max === 0) return follow
      return at.min > 0 && !isNullable(at.item)
        ? firstOf(at.item, EMPTY)
        : union(firstOf(at.item, EMPTY), follow)
    case 'end':
      return EMPTY
    default:
      return follow
  }
}

function isNullable(at: Expression): boolean {
  switch (at.kind) {
    case 'set':
      return false
    case 'sequence':
      return at.items.every(isNullable)
    case 'choice':
      return at.branches.some(isNullable)
    case 'repeat':
      return at.min === 0 || isNullable(at.item)
    default:
      return true
  }
}

function isAnchored(at: Expression): boolean {
  if (at.kind === 'start') return true
  if (at.kind === 'sequence') return at.items[0] !== undefined && isAnchored(at.items[0])
  return at.kind === 'choice' && at.branches.every(isAnchored)
}

function longest(at: Expression): number {
  switch (at.kind) {
    case 'set':
      return 1
    case 'sequence':
      return at.items.reduce((sum, item) => sum + longest(item), 0)
    case 'choice':
      return Math.max(...at.branches.map(longest))
    case 'repeat':
      return at.max === 0 ? 0 : longest(at.item) * at.max
    default:
      return 0
  }
}

interface Dialect {
  readonly point: (codePoint: number) => string
  readonly property: (sign: string, name: string) => string
  readonly start: string
  readonly end: string
  readonly nothing: string
}

const V8: Dialect = {
  point: (codePoint) => `\\u{${codePoint.toString(16)}}`,
  property: (sign, name) => (name.length <= 2 ? `\\${sign}{${name}}` : `\\${sign}{Script=${name}}`),
  start: '^',
  end: '$',
  nothing: '[]',
}

const RE2: Dialect = {
  point: (codePoint) => `\\x{${codePoint.toString(16)}}`,
  property: (sign, name) => `\\${sign}{${name}}`,
  start: '\\A',
  end: '\\z',
  nothing: '[^\\x{0}-\\x{10FFFF}]',
}

/** The tree in an engine's own syntax; sets as code points, so that both mean the same by them. */
function print(at: Expression, dialect: Dialect): string {
  switch (at.kind) {
    case 'set': {
      if (at.property !== undefined) return dialect.property(at.property.slice(0, 1), at.property.slice(2))
      const ranges = at.set.map(([from, to]) =>
        from === to ? dialect.point(from) : `${dialect.point(from)}-${dialect.point(to)}`,
      )
      return ranges.length === 0 ? dialect.nothing : `[${ranges.join('')}]`
    }
    case 'sequence':
      return at.items.map((item) => print(item, dialect)).join('')
    case 'choice':
      return `(?:${at.branches.map((branch) => print(branch, dialect)).join('|')})`
    case 'repeat': {
      const bounds = at.max === Number.POSITIVE_INFINITY ? `{${at.min},}` : `{${at.min},${at.max}}`
      return `(?:${print(at.item, dialect)})${bounds}${at.lazy ? '?' : ''}`
    }
    case 'start':
      return dialect.start
    case 'end':
      return dialect.end
    case 'boundary':
      return '\\b'
    case 'inside':
      return '\\B'
    default:
      throw new PatternFault('it needs a matcher that other engines are not')
  }
}
