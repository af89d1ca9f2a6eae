import type { Tape } from './tape.ts'

/** Expressions of Cedar as text, well typed for the most part, over attributes of a made-up shape. */

export type Type =
  | { readonly kind: 'Bool' | 'Long' | 'String' | 'ip' | 'decimal' | 'datetime' | 'duration' }
  | { readonly kind: 'Entity'; readonly type: string }
  | { readonly kind: 'Set'; readonly of: Type }
  | { readonly kind: 'Record'; readonly attributes: Shape }

export interface Attribute {
  readonly type: Type
  readonly optional: boolean
}

export type Shape = ReadonlyMap<string, Attribute>

/** What an expression may name. */
export interface Scene {
  /** Attributes by entity type. */
  readonly shapes: ReadonlyMap<string, Shape>
  /** What the tags of every entity type hold. */
  readonly tags: Type
  readonly context: Shape
  readonly principalType: string
  readonly resourceType: string
}

export const ENTITY_TYPES = ['User', 'Group', 'Doc', 'NS::Bot'] as const
export const IDS = ['0', '1', '2', '"\\', '__proto__'] as const
export const ACTIONS = ['view', 'edit', 'readers', 'all', 'constructor'] as const
export const NAMES = ['a', 'b', 'odd name', '__proto__', 'constructor', 'toString', '', 'if', 'é😀'] as const
export const LONGS = [0, 1, -1, 2, 7, 1024, 1_000_000, 9007199254740991, -9007199254740991] as const
export const STRINGS = [
  '',
  'a',
  'ab',
  'a*b',
  '😀é',
  '\0\n',
  '"\\',
  '__proto__',
  '10.0.0.7',
  '1.5',
  '1h',
  '1970-01-02',
  '9007199254740993 // 9007199254740995',
] as const
export const EXTENSIONS = {
  ip: ['10.0.0.7', '10.0.0.0/8', '::1', '224.0.0.1', '0.0.0.0/0', 'ff00::/8', '127.0.0.1', '2001:db8::/33'],
  decimal: ['0.0', '1.5', '-0.0001', '922337203685477.5807', '-922337203685477.5808', '1.50'],
  datetime: [
    '1970-01-01',
    '1969-12-31T23:59:59.999Z',
    '2026-11-21T10:00:00+0130',
    '0000-01-01',
    '9999-12-31',
  ],
  duration: [
    '0ms',
    '1h',
    '-1d1ms',
    '3600s',
    '9223372036854775807ms',
    '-9223372036854775808ms',
    '9007199254740993ms',
  ],
} as const
/** Longs that a JavaScript number cannot hold exactly, and writings that could be mistaken for them. */
const BEYOND_NUMBERS = [
  '9223372036854775807',
  '-9223372036854775808',
  '9007199254740993',
  '-9007199254740993',
  '4503599627370497',
  '00000000000000000000012',
]
const MALFORMED = [
  '',
  '01.2.3.4',
  '::ffff:1.2.3.4',
  '1.23456',
  '+1.0',
  '2021-02-29',
  '1ms1s',
  '-',
  '9223372036854775808ms',
]

export function quoted(text: string): string {
  return `"${text.replace(/["\\\p{Cc}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)}"`
}

export function entityText(type: string, id: string): string {
  return `${type}::${quoted(id)}`
}

export function randomType(tape: Tape, depth: number): Type {
  const simple = ['Bool', 'Long', 'String', 'ip', 'decimal', 'datetime', 'duration'] as const
  const choice = tape.below(depth > 0 ? 10 : 8)
  const kind = simple[choice]
  if (kind !== undefined) return { kind }
  if (choice === 7) return { kind: 'Entity', type: tape.pick(ENTITY_TYPES) }
  if (choice === 8) return { kind: 'Set', of: randomType(tape, depth - 1) }
  return { kind: 'Record', attributes: randomShape(tape, depth - 1) }
}

export function randomShape(tape: Tape, depth: number): Shape {
  const shape = new Map<string, Attribute>()
  const count = tape.below(5)
  for (let i = 0; i < count; i++) {
    shape.set(tape.pick(NAMES), { type: randomType(tape, depth), optional: tape.below(3) === 1 })
  }
  return shape
}

function same(a: Type, b: Type): boolean {
  if (a.kind === 'Set') return b.kind === 'Set' && same(a.of, b.of)
  return a.kind === b.kind
}

/** One expression of a type, most often: one in twenty is of another. */
export class Writer {
  readonly #tape: Tape
  readonly #scene: Scene

  constructor(tape: Tape, scene: Scene) {
    this.#tape = tape
    this.#scene = scene
  }

  expression(type: Type, depth: number): string {
    const tape = this.#tape
    const wanted = tape.below(20) === 19 ? randomType(tape, 1) : type
    if (depth <= 0) return this.#leaf(wanted)
    const choice = tape.below(10)
    if (choice === 0) return this.#leaf(wanted)
    if (choice === 1) return this.#path(wanted, depth - 1)
    if (choice === 2) {
      const [test, yes, no] = [BOOL, wanted, wanted].map((each) => this.expression(each, depth - 1))
      return `(if ${test} then ${yes} else ${no})`
    }
    return this.#operation(wanted, depth - 1)
  }

  #leaf(type: Type): string {
    const tape = this.#tape
    switch (type.kind) {
      case 'Bool':
        return tape.pick(['true', 'false'])
      case 'Long':
        return `(${tape.below(6) === 5 ? tape.pick(BEYOND_NUMBERS) : tape.pick(LONGS)})`
      case 'String':
        return quoted(tape.pick(STRINGS))
      case 'Entity':
        return tape.pick(['principal', 'resource', 'action', entityText(type.type, tape.pick(IDS))])
      case 'Set':
        return `[${this.#some(3, () => this.#leaf(type.of))}]`
      case 'Record':
        return tape.below(3) === 0 ? 'context' : this.#record(type.attributes, 0)
      default:
        return this.#extension(type.kind)
    }
  }

  #extension(kind: keyof typeof EXTENSIONS): string {
    const tape = this.#tape
    const texts = tape.below(12) === 11 ? MALFORMED : EXTENSIONS[kind]
    return `${kind}(${quoted(tape.pick(texts))})`
  }

  #record(attributes: Shape, depth: number): string {
    const parts: string[] = []
    for (const [name, { type, optional }] of attributes) {
      if (optional && this.#tape.below(2) === 1) continue
      parts.push(`${quoted(name)}: ${depth > 0 ? this.expression(type, depth) : this.#leaf(type)}`)
    }
    return `{${parts.join(', ')}}`
  }

  #some(most: number, one: () => string): string {
    return Array.from(
      { length: this.#tape.below((this.#tape.below(10) === 9 ? 3 : 1) * most + 1) },
      one,
    ).join(', ')
  }

  /** An attribute or tag of the wanted type, of whatever has one. */
  #path(type: Type, depth: number): string {
    const { context, shapes, principalType, resourceType, tags } = this.#scene
    const found: string[] = []
    const look = (base: string, shape: Shape | undefined, below: number): void => {
      for (const [name, attribute] of shape ?? []) {
        const path = `${base}${access(name)}`
        if (same(attribute.type, type)) found.push(path)
        if (below === 0) continue
        if (attribute.type.kind === 'Record') look(path, attribute.type.attributes, below - 1)
        if (attribute.type.kind === 'Entity') look(path, shapes.get(attribute.type.type), below - 1)
      }
    }
    look('principal', shapes.get(principalType), 2)
    look('resource', shapes.get(resourceType), 2)
    look('context', context, 2)
    if (same(tags, type))
      found.push(`principal.getTag(${this.expression(STRING, depth)})`, 'resource.getTag("a")')
    const path = found.length === 0 ? null : this.#tape.pick(found)
    if (path === null) return this.#operation(type, depth)
    // Mostly guarded, as policies that validate are.
    const guard = /^(.*)(\.\w+|\["[^"]*"\])$/.exec(path)
    const [, base, last] = guard ?? []
    if (base === undefined || last === undefined || this.#tape.below(3) === 0) return path
    const name = last.startsWith('.') ? last.slice(1) : last.slice(1, -1)
    return `(if ${base} has ${name} then ${path} else ${this.#leaf(type)})`
  }

  #operation(type: Type, depth: number): string {
    const tape = this.#tape
    const of = (wanted: Type): string => this.expression(wanted, depth)
    switch (type.kind) {
      case 'Bool':
        return this.#truth(depth)
      case 'Long':
        if (tape.below(4) === 3) return `${of(DURATION)}.${tape.pick(DURATION_COUNTS)}()`
        if (tape.below(4) === 3) return `(-${of(LONG)})`
        return `(${of(LONG)} ${tape.pick(['+', '-', '*'])} ${of(LONG)})`
      case 'Set':
        return `[${this.#some(4, () => of(type.of))}]`
      case 'Record':
        return this.#record(type.attributes, depth)
      case 'datetime':
        return tape.pick([
          () => `${of(DATETIME)}.offset(${of(DURATION)})`,
          () => `${of(DATETIME)}.toDate()`,
          () => (tape.below(4) === 3 ? `datetime(${of(STRING)})` : this.#leaf(type)),
        ])()
      case 'duration':
        return tape.pick([
          () => `${of(DATETIME)}.durationSince(${of(DATETIME)})`,
          () => `${of(DATETIME)}.toTime()`,
          () => (tape.below(4) === 3 ? `duration(${of(STRING)})` : this.#leaf(type)),
        ])()
      case 'ip':
      case 'decimal':
        return tape.below(8) === 7 ? `${type.kind}(${of(STRING)})` : this.#leaf(type)
      default:
        return this.#leaf(type)
    }
  }

  #truth(depth: number): string {
    const tape = this.#tape
    const of = (wanted: Type): string => this.expression(wanted, depth)
    const any = randomType(tape, 1)
    const entity = (): Type => ({ kind: 'Entity', type: tape.pick(ENTITY_TYPES) })
    const sets = (): string => of({ kind: 'Set', of: any })
    return tape.pick([
      () => `(${of(BOOL)} && ${of(BOOL)})`,
      () => `(${of(BOOL)} || ${of(BOOL)})`,
      () => `(!${of(BOOL)})`,
      () => `(${of(any)} ${tape.pick(['==', '!='])} ${of(any)})`,
      () => this.#order(of),
      () => `(${of(entity())} in ${of(entity())})`,
      () => `(${of(entity())} in ${of({ kind: 'Set', of: entity() })})`,
      () => `(${of(entity())} is ${tape.pick(ENTITY_TYPES)})`,
      () => `(${of(entity())} is ${tape.pick(ENTITY_TYPES)} in ${of(entity())})`,
      () => `(${this.#holder(of)} has ${quoted(tape.pick(NAMES))})`,
      () => `(${this.#holder(of)} has ${tape.pick(['a', 'b.a', 'a.b.toString', 'constructor.a'])})`,
      () => `(${of(STRING)} like ${pattern(tape)})`,
      () => `${sets()}.contains(${of(any)})`,
      () => `${sets()}.${tape.pick(['containsAll', 'containsAny'])}(${sets()})`,
      () => `${sets()}.isEmpty()`,
      () => `${of(entity())}.hasTag(${of(STRING)})`,
      () => `${of(IP)}.${tape.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'])}()`,
      () => `${of(IP)}.isInRange(${of(IP)})`,
      () => `${of(DECIMAL)}.${tape.pick(DECIMAL_ORDERS)}(${of(DECIMAL)})`,
    ])()
  }

  #order(of: (wanted: Type) => string): string {
    const type = this.#tape.pick([LONG, DATETIME, DURATION])
    return `(${of(type)} ${this.#tape.pick(['<', '<=', '>', '>='])} ${of(type)})`
  }

  /** Something that has attributes. */
  #holder(of: (wanted: Type) => string): string {
    const { context } = this.#scene
    return this.#tape.pick([
      () => 'principal',
      () => 'resource',
      () => 'context',
      () => 'action',
      () => of({ kind: 'Entity', type: 'User' }),
      () => of({ kind: 'Record', attributes: context }),
    ])()
  }
}

function access(name: string): string {
  return /^[a-z]+$/i.test(name) && name !== 'if' ? `.${name}` : `[${quoted(name)}]`
}

function pattern(tape: Tape): string {
  const parts = Array.from({ length: tape.below(5) }, () =>
    tape.pick(['*', 'a', 'b', '\\*', '😀', '\\u{0}', '.', '']),
  )
  return `"${parts.join('')}"`
}

const BOOL: Type = { kind: 'Bool' }
const LONG: Type = { kind: 'Long' }
const STRING: Type = { kind: 'String' }
const IP: Type = { kind: 'ip' }
const DECIMAL: Type = { kind: 'decimal' }
const DATETIME: Type = { kind: 'datetime' }
const DURATION: Type = { kind: 'duration' }
const DURATION_COUNTS = ['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'] as const
const DECIMAL_ORDERS = ['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'] as const
