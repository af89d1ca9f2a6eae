import type { Chance } from './chance.ts'
import { type Dialect, isHidden } from './schema-view.ts'
import { spoiltFormat } from './text.ts'
import { isOneOf, type Path, rangeOf, type Spot } from './value.ts'

/** What is wrong with a value that has exactly one fault. */
export type FaultKind =
  | 'missing-required'
  | 'wrong-type'
  | 'extra-field'
  | 'out-of-range'
  | 'bad-enum'
  | 'bad-format'

export interface Faulty {
  readonly kind: FaultKind
  /** Where the fault is. */
  readonly path: Path
  readonly value: unknown
}

/** A name that no contract declares. */
const FOREIGN = 'zzUndeclared9'

/** All single faults one value can be given, by the places of it where the schemas leave no doubt. */
export function faultsOf(
  value: unknown,
  spots: readonly Spot[],
  dialect: Dialect,
  chance: Chance,
): readonly Faulty[] {
  const faults: Faulty[] = []
  for (const spot of spots) {
    if (!spot.sure) continue
    for (const [kind, change] of changes(spot, dialect, chance))
      faults.push({ kind, path: spot.path, value: changedAt(value, spot.path, change) })
  }
  return faults
}

type Change = (given: unknown) => unknown

function* changes(spot: Spot, dialect: Dialect, chance: Chance): Generator<readonly [FaultKind, Change]> {
  const { view, value } = spot
  const { types } = view
  const wrong = [null, true, 7.5, 'text', ['x'], { x: 'x' }].filter((other) => !isOneOf(other, types))
  if (types !== null && wrong.length > 0) yield ['wrong-type', () => chance.pick(wrong)]
  if (view.values !== null) {
    const foreign =
      typeof value === 'string' ? `${value}-foreign` : typeof value === 'number' ? value + 7919 : null
    if (foreign !== null && !view.values.includes(foreign)) yield ['bad-enum', () => foreign]
    return
  }
  if (isPlainObject(value)) {
    const needed = [...view.required].filter((name) => {
      const schemas = view.properties.get(name)
      return Object.hasOwn(value, name) && (schemas === undefined || !isHidden(schemas, dialect))
    })
    if (needed.length > 0) {
      const name = chance.pick(needed)
      yield [
        'missing-required',
        (given) => Object.fromEntries(entriesOf(given).filter(([key]) => key !== name)),
      ]
    }
    if (view.properties.size > 0 && (!view.statesOthers || view.closed.length > 0))
      yield ['extra-field', (given) => Object.fromEntries([...entriesOf(given), [FOREIGN, 'x']])]
  }
  if (typeof value === 'string') {
    if (view.minLength > 0) yield ['out-of-range', () => [...value].slice(0, view.minLength - 1).join('')]
    if (view.maxLength < 10_000)
      yield ['out-of-range', () => value + 'x'.repeat(view.maxLength + 1 - [...value].length)]
    const spoilt = spoiltFormat(view)
    if (spoilt !== null) yield ['bad-format', () => spoilt]
  }
  if (typeof value === 'number') {
    const { low, high } = rangeOf(view)
    if (Number.isFinite(low) && Math.abs(low) < 1e15) yield ['out-of-range', () => Math.floor(low) - 1]
    if (Number.isFinite(high) && Math.abs(high) < 1e15) yield ['out-of-range', () => Math.ceil(high) + 1]
  }
  if (Array.isArray(value)) {
    if (view.minItems > 0) yield ['out-of-range', (given) => (given as unknown[]).slice(0, view.minItems - 1)]
    const [item] = value
    if (item !== undefined && view.maxItems < 1_000 && !view.unique)
      yield ['out-of-range', () => Array.from({ length: view.maxItems + 1 }, () => item)]
  }
}

/** The value with one place changed; what is not on the way is shared. */
function changedAt(value: unknown, path: Path, change: Change): unknown {
  const [step, ...rest] = path
  if (step === undefined) return change(value)
  if (Array.isArray(value))
    return value.map((item, at) => (at === step ? changedAt(item, rest, change) : item))
  return Object.fromEntries(
    entriesOf(value).map(([name, member]) => [
      name,
      name === step ? changedAt(member, rest, change) : member,
    ]),
  )
}

const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const entriesOf = (value: unknown): [string, unknown][] => (isPlainObject(value) ? Object.entries(value) : [])
