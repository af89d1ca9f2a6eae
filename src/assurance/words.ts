import type { Choice } from './choices.ts'
import type { Dimension } from './dimension.ts'
import type { Cube } from './facts.ts'

/** A cube in words: who, and under which conditions. `Group corp/staff` and `without owning it`. */
export interface FactWords {
  readonly who: string
  readonly conditions: readonly string[]
}

export function wordsOf(dimensions: readonly Dimension[], { choices }: Cube): FactWords {
  const who: string[] = []
  const conditions: string[] = []
  const ownership: string[] = []
  let types = ''
  dimensions.forEach((dimension, index) => {
    const chosen = (choices[index] ?? []).flatMap((at) => dimension.values[at] ?? [])
    if (chosen.length === dimension.values.length) return
    const { path, element } = dimension
    const member = chosen[0]?.kind === 'member'
    if (path === 'principal.type') types = chosen.map(({ words }) => words).join(' or ')
    else if (path === 'principal') identity(chosen, dimension, who, conditions)
    else if (element !== undefined && path in MEMBER) {
      const [noun, outside] = MEMBER[path] ?? ['', '']
      if (member) who.push(`${noun} ${element}`)
      else conditions.push(`${outside} ${element}`)
    } else if (element !== undefined) conditions.push(setWords(path, element, member))
    else if (path === 'resource.owner') ownership.push(ownerWords(chosen, dimension))
    else conditions.push(valueWords(path, chosen, dimension))
  })
  const caller = who.length > 0 ? who.join(' and ') : types === '' ? 'any caller' : `any ${types}`
  const prefix = who.length > 0 && types !== '' ? [`as ${types}`] : []
  return { who: caller, conditions: [...prefix, ...ownership, ...conditions] }
}

/** One sentence: `Group corp/staff may now call shop.deleteOrder without owning it`. */
export function sentence(
  { who, conditions }: FactWords,
  operation: string,
  widened: boolean,
  fields = false,
): string {
  const call = widened ? 'may now call' : 'may no longer call'
  const see = widened ? 'now sees fields that were hidden in' : 'no longer sees all fields in'
  const verb = fields ? see : call
  const more = conditions.length === 0 ? '' : ` ${conditions.join(', ')}`
  return `${who.charAt(0).toUpperCase()}${who.slice(1)} ${verb} ${operation}${more}`
}

const MEMBER: Readonly<Record<string, readonly [string, string]>> = {
  'principal.groups': ['Group', 'outside Group'],
  'principal.roles': ['Role', 'without Role'],
}

function identity(
  chosen: readonly Choice[],
  dimension: Dimension,
  who: string[],
  conditions: string[],
): void {
  const others = chosen.some(({ kind }) => kind === 'other')
  if (!others) who.push(chosen.map(({ words }) => words).join(' or '))
  else {
    const excluded = dimension.values.filter((choice) => !chosen.includes(choice)).map(({ words }) => words)
    conditions.push(`not being ${excluded.join(' or ')}`)
  }
}

function setWords(path: string, element: string, member: boolean): string {
  if (path === 'context.scopes') return `${member ? 'with' : 'without'} scope ${element}`
  if (path === 'context.networks') return `${member ? 'from' : 'not from'} network ${element}`
  const name = nameOf(path)
  return `${member ? 'with' : 'without'} ${element} in ${name}`
}

function ownerWords(chosen: readonly Choice[], dimension: Dimension): string {
  const has = (kind: Choice['kind']): boolean => chosen.some((choice) => choice.kind === kind)
  const can = (kind: Choice['kind']): boolean => dimension.values.some((choice) => choice.kind === kind)
  const owners = chosen.flatMap(({ kind, words }) => (kind === 'constant' ? [words] : []))
  if (!has('absent') && has('same') === can('same') && has('other')) return 'once its owner is stated'
  if (has('same') && !has('other') && !has('absent'))
    return owners.length === 0 ? 'owning it' : `owning it, or where ${owners.join(' or ')} does`
  if (!has('same') && has('other')) return has('absent') ? 'without owning it' : 'which someone else owns'
  if (has('absent') && chosen.length === 1) return 'while its owner is not stated'
  return `where it belongs to ${chosen.map((choice) => ownerOf(choice)).join(' or ')}`
}

function ownerOf({ kind, words }: Choice): string {
  if (kind === 'absent') return 'nobody known'
  if (kind === 'same') return 'the caller'
  return kind === 'other' ? 'someone else' : words
}

function valueWords(path: string, chosen: readonly Choice[], dimension: Dimension): string {
  const name = nameOf(path)
  const ranges = chosen.filter(({ kind }) => kind === 'range')
  const absent = chosen.some(({ kind }) => kind === 'absent')
  if (ranges.length > 0)
    return `${absent ? `without ${name} or ` : ''}with ${rangeWords(name, ranges, dimension)}`
  if (path === 'context.ip') {
    const excluded = dimension.values.filter((choice) => !chosen.includes(choice))
    const elsewhere = chosen.some(({ kind }) => kind === 'other')
    return elsewhere
      ? `from outside ${[...new Set(excluded.map(({ words }) => words.replace(/^in /, '')))].join(' and ')}`
      : `from an address ${chosen.map(({ words }) => words).join(' or ')}`
  }
  const word = (choice: Choice): string => {
    if (choice.kind === 'absent') return path === 'principal.zone' ? 'no zone' : 'absent'
    if (choice.kind === 'same') return `the same as ${nameOf(choice.words)}`
    if (choice.kind === 'present') return 'known'
    return choice.kind === 'other' ? 'another' : choice.words
  }
  const excluded = dimension.values.filter((choice) => !chosen.includes(choice))
  if (chosen.some(({ kind }) => kind === 'other') && excluded.length < chosen.length)
    return `with ${name} other than ${excluded.map(word).join(' or ')}`
  return `with ${name} ${chosen.map(word).join(' or ')}`
}

function rangeWords(name: string, ranges: readonly Choice[], dimension: Dimension): string {
  const all = dimension.values.filter(({ kind }) => kind === 'range')
  const parts: string[] = []
  let start: Choice | undefined
  let end: Choice | undefined
  const flush = (): void => {
    if (start === undefined || end === undefined) return
    const [low, high] = [start === all[0] ? undefined : start.from, end === all.at(-1) ? undefined : end.to]
    if (low !== undefined && low === high) parts.push(`${name} = ${low}`)
    else if (low === undefined && high === undefined) parts.push(`any ${name}`)
    else if (low === undefined) parts.push(`${name} ≤ ${high}`)
    else parts.push(high === undefined ? `${name} ≥ ${low}` : `${low} ≤ ${name} ≤ ${high}`)
  }
  for (const range of all) {
    if (!ranges.includes(range)) {
      flush()
      start = undefined
      end = undefined
      continue
    }
    start ??= range
    end = range
  }
  flush()
  return parts.join(' or ')
}

/** `context.` says nothing to a reader. */
function nameOf(path: string): string {
  return path.startsWith('context.') ? path.slice('context.'.length) : path
}
