import type { CharacterSet } from './character-set.ts'
import { type Expression, PatternFault } from './pattern-syntax.ts'

/**
 * A backtracking matcher for the patterns that no engine takes in linear time: look-around and back-references. It
 * counts its steps, so that the caller's budget and not the pattern bounds the time (ECMA-262 §22.2.2 with the u flag).
 */
export interface Budget {
  left: number
}

/** Thrown where the budget is spent: whether the text fits is then not known. */
export class PatternSpent extends Error {}

type Instruction =
  | { readonly op: 'set'; readonly has: (codePoint: number) => boolean; readonly back: boolean }
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  /** Keeps the place in a register. */
  | { readonly op: 'save'; readonly register: number }
  /** Clears registers at the begin of an iteration. */
  | { readonly op: 'clear'; readonly from: number; readonly to: number }
  /** Fails where an iteration has moved nothing. */
  | { readonly op: 'moved'; readonly register: number }
  | { readonly op: 'look'; readonly program: readonly Instruction[]; readonly negated: boolean }
  | { readonly op: 'back'; readonly index: number; readonly back: boolean }
  | { readonly op: 'at'; readonly holds: (text: Int32Array, at: number) => boolean }
  | { readonly op: 'done' }

/** Repetitions are written out; a pattern that comes to more is refused where it is read. */
const MAX_INSTRUCTIONS = 20_000

export class BudgetedPattern {
  readonly #program: readonly Instruction[]
  readonly #registers: number

  /** @throws {PatternFault} where the pattern is too large. */
  constructor(expression: Expression) {
    const compiler = new Compiler()
    this.#program = compiler.program(expression, false)
    this.#registers = compiler.registers
  }

  /** Whether the pattern is found anywhere in the text. @throws {PatternSpent} */
  test(text: string, budget: Budget): boolean {
    const points = codePoints(text)
    const registers = new Int32Array(this.#registers).fill(-1)
    for (let start = 0; start <= points.length; start++) {
      if (run(this.#program, points, start, registers, budget) >= 0) return true
      registers.fill(-1)
    }
    return false
  }
}

/** By hand: the string's iterator made up half of what short texts cost. */
function codePoints(text: string): Int32Array {
  const points = new Int32Array(text.length)
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const point = text.codePointAt(at) ?? 0
    if (point > 0xffff) at++
    points[count++] = point
  }
  return count === points.length ? points : points.subarray(0, count)
}

/** The place where the program ends, or -1. Registers keep what a successful run saved. */
function run(
  program: readonly Instruction[],
  text: Int32Array,
  start: number,
  registers: Int32Array,
  budget: Budget,
): number {
  /** Choices not yet taken, as instruction, place and height of the trail; and what registers held before. */
  const choices: number[] = []
  const trail: number[] = []
  const set = (register: number, value: number): void => {
    trail.push(register, registers[register] ?? -1)
    registers[register] = value
  }
  const undo = (height: number): void => {
    while (trail.length > height) {
      const value = trail.pop() ?? -1
      registers[trail.pop() ?? 0] = value
    }
  }
  let at = start
  let next = 0
  for (;;) {
    if (--budget.left < 0) throw new PatternSpent('a pattern took more steps than its text is worth')
    const instruction = program[next]
    let holds = true
    next++
    switch (instruction?.op) {
      case 'set': {
        const index = instruction.back ? at - 1 : at
        holds = index >= 0 && index < text.length && instruction.has(text[index] ?? -1)
        at += instruction.back ? -1 : 1
        break
      }
      case 'split':
        choices.push(instruction.second, at, trail.length)
        next = instruction.first
        break
      case 'jump':
        next = instruction.to
        break
      case 'save':
        set(instruction.register, at)
        break
      case 'clear':
        for (let register = instruction.from; register < instruction.to; register++) set(register, -1)
        break
      case 'moved':
        holds = registers[instruction.register] !== at
        break
      case 'at':
        holds = instruction.holds(text, at)
        break
      case 'look': {
        const before = registers.slice()
        const found = run(instruction.program, text, at, registers, budget) >= 0
        holds = found !== instruction.negated
        if (!found || instruction.negated) registers.set(before)
        else
          for (const [register, value] of before.entries()) {
            if (registers[register] !== value) trail.push(register, value)
          }
        break
      }
      case 'back': {
        const length = repeated(text, at, registers, instruction, budget)
        holds = length >= 0
        at += instruction.back ? -length : length
        break
      }
      default:
        return at
    }
    if (holds) continue
    const height = choices.pop()
    const place = choices.pop()
    const resume = choices.pop()
    if (height === undefined || place === undefined || resume === undefined) {
      undo(0)
      return -1
    }
    undo(height)
    at = place
    next = resume
  }
}

/** How many characters equal to the group's stand here, or -1; a group that took part in nothing is empty. */
function repeated(
  text: Int32Array,
  at: number,
  registers: Int32Array,
  { index, back }: { readonly index: number; readonly back: boolean },
  budget: Budget,
): number {
  const from = registers[2 * index] ?? -1
  const to = registers[2 * index + 1] ?? -1
  if (from < 0 || to < 0) return 0
  const length = to - from
  budget.left -= length
  const start = back ? at - length : at
  if (start < 0 || start + length > text.length) return -1
  for (let i = 0; i < length; i++) if (text[start + i] !== text[from + i]) return -1
  return length
}

class Compiler {
  /** Two for each group, then one for each loop. */
  registers = 2
  #size = 0

  program(expression: Expression, back: boolean): readonly Instruction[] {
    this.registers = Math.max(this.registers, 2 * highestGroup(expression) + 2)
    const out: Instruction[] = []
    this.#emit(expression, back, out)
    this.#add(out, { op: 'done' })
    return out
  }

  #add(out: Instruction[], instruction: Instruction): void {
    if (++this.#size > MAX_INSTRUCTIONS)
      throw new PatternFault('its repetitions are too many to be written out')
    out.push(instruction)
  }

  #emit(at: Expression, back: boolean, out: Instruction[]): void {
    switch (at.kind) {
      case 'set':
        return this.#add(out, { op: 'set', has: memberOf(at), back })
      case 'sequence':
        for (const item of back ? at.items.toReversed() : at.items) this.#emit(item, back, out)
        return
      case 'choice':
        return this.#choice(at.branches, back, out)
      case 'repeat':
        return this.#repeat(at, back, out)
      case 'look':
        return this.#add(out, { op: 'look', program: this.program(at.item, at.behind), negated: at.negated })
      case 'group':
        this.#add(out, { op: 'save', register: 2 * at.index + (back ? 1 : 0) })
        this.#emit(at.item, back, out)
        return this.#add(out, { op: 'save', register: 2 * at.index + (back ? 0 : 1) })
      case 'back':
        return this.#add(out, { op: 'back', index: at.index, back })
      default:
        return this.#add(out, { op: 'at', holds: ASSERTIONS[at.kind] })
    }
  }

  #choice(branches: readonly Expression[], back: boolean, out: Instruction[]): void {
    const jumps: { to: number }[] = []
    for (const [index, branch] of branches.entries()) {
      if (index === branches.length - 1) {
        this.#emit(branch, back, out)
        break
      }
      const split = { op: 'split' as const, first: out.length + 1, second: 0 }
      this.#add(out, split)
      this.#emit(branch, back, out)
      const jump = { op: 'jump' as const, to: 0 }
      this.#add(out, jump)
      jumps.push(jump)
      split.second = out.length
    }
    for (const jump of jumps) jump.to = out.length
  }

  #repeat(at: Expression & { kind: 'repeat' }, back: boolean, out: Instruction[]): void {
    const [first, last] = groupRange(at.item)
    const iteration = (): void => {
      if (first <= last) this.#add(out, { op: 'clear', from: 2 * first, to: 2 * last + 2 })
      this.#emit(at.item, back, out)
    }
    for (let i = 0; i < at.min; i++) iteration()
    if (at.max === at.min) return
    const register = this.registers++
    const splits: { first: number; second: number }[] = []
    const optional = (): void => {
      const split = { op: 'split' as const, first: 0, second: 0 }
      this.#add(out, split)
      splits.push(split)
      if (at.lazy) split.second = out.length
      else split.first = out.length
      this.#add(out, { op: 'save', register })
      iteration()
      this.#add(out, { op: 'moved', register })
    }
    if (at.max === Number.POSITIVE_INFINITY) {
      const loop = out.length
      optional()
      this.#add(out, { op: 'jump', to: loop })
    } else for (let i = at.min; i < at.max; i++) optional()
    for (const split of splits) {
      if (at.lazy) split.first = out.length
      else split.second = out.length
    }
  }
}

const isWordAt = (text: Int32Array, at: number): boolean => {
  const code = text[at] ?? -1
  return (
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    code === 0x5f ||
    (code >= 0x61 && code <= 0x7a)
  )
}
const ASSERTIONS = {
  start: (_text: Int32Array, at: number): boolean => at === 0,
  end: (text: Int32Array, at: number): boolean => at === text.length,
  boundary: (text: Int32Array, at: number): boolean => isWordAt(text, at - 1) !== isWordAt(text, at),
  inside: (text: Int32Array, at: number): boolean => isWordAt(text, at - 1) === isWordAt(text, at),
} as const

function memberOf(at: Expression & { kind: 'set' }): (codePoint: number) => boolean {
  if (at.property === undefined) return (codePoint) => contains(at.set, codePoint)
  const [sign, name] = [at.property.slice(0, 1), at.property.slice(2)]
  const one = new RegExp(`^\\${sign}{${name.length <= 2 ? name : `Script=${name}`}}$`, 'u')
  return (codePoint) => one.test(String.fromCodePoint(codePoint))
}

function contains(set: CharacterSet, codePoint: number): boolean {
  let low = 0
  let high = set.length
  while (low < high) {
    const middle = (low + high) >> 1
    const range = set[middle]
    if (range === undefined || codePoint < range[0]) high = middle
    else if (codePoint > range[1]) low = middle + 1
    else return true
  }
  return false
}

/** The groups inside, which are numbered in a row; first above last where there are none. */
function groupRange(at: Expression): readonly [first: number, last: number] {
  const inner = innerOf(at).map(groupRange)
  const own: (readonly [number, number])[] = at.kind === 'group' ? [[at.index, at.index]] : []
  const all = [...own, ...inner]
  return [Math.min(...all.map(([first]) => first)), Math.max(...all.map(([, last]) => last))]
}

const highestGroup = (at: Expression): number => Math.max(0, groupRange(at)[1])

function innerOf(at: Expression): readonly Expression[] {
  if (at.kind === 'sequence') return at.items
  if (at.kind === 'choice') return at.branches
  return 'item' in at ? [at.item] : []
}

/** Whether only this matcher takes it. */
export function needsBudget(at: Expression): boolean {
  return at.kind === 'look' || at.kind === 'back' || innerOf(at).some(needsBudget)
}
