import type { Finding } from '../../model/fact.ts'
import { type FormPair, parseForm, withoutPairs } from '../../syntax/form.ts'
import type { JsonLimits } from '../../syntax/json.ts'
import { decodeForm } from '../../syntax/uri.ts'
import type { BodyReading } from '../body.ts'
import type { TextShape } from '../detail.ts'
import { stringifyExact } from '../exact-json.ts'
import { type DeepPath, deepPath, isDeclared, readDeep } from '../parameters/deep-object.ts'
import { readDelimited } from '../parameters/delimited.ts'
import { readNode, UNREADABLE } from '../parameters/read-text.ts'
import type { FormDetail, FormWriting } from './detail.ts'
import { isTakenFor } from './folded-names.ts'
import {
  below,
  invalid,
  malformed,
  readCuttable,
  reading,
  readJsonWithin,
  typed,
  undeclared,
  type Within,
} from './reading.ts'

/** As pairs are: repeated for lists, exploded. */
const PLAIN: FormWriting = { writing: 'form', explode: true }

/** application/x-www-form-urlencoded as the object its schema describes (OpenAPI 3.1 §4.8.14.4). */
export function readFormBody(
  detail: FormDetail,
  bytes: Uint8Array,
  limits: JsonLimits,
): BodyReading | Finding {
  return readCuttable(
    bytes,
    limits,
    (from, within) => readPairs(detail, from, within),
    (kept) => cutPairs(detail, bytes, reading(limits, true), kept),
  )
}

interface ReadForm {
  readonly value: Record<string, unknown>
  /** By member of the value, the pairs it was read from. */
  readonly sources: ReadonlyMap<string, readonly FormPair[]>
}

function readPairs(detail: FormDetail, bytes: Uint8Array, within: Within): ReadForm | Finding {
  const form = parseForm(bytes)
  if (!form.ok) return malformed(form.rule, form.offset)
  const sources = new Map<string, FormPair[]>()
  const deep = new Map<string, { path: DeepPath; value: string }[]>()
  for (const pair of form.pairs) {
    const owner = ownerOf(detail, pair.name)
    if (typeof owner === 'object') return owner.fault
    const known = sources.get(owner)
    if (known === undefined) sources.set(owner, [pair])
    else known.push(pair)
    if (owner === pair.name) continue
    const path = deepPath(pair.name.slice(owner.length)) ?? []
    const paths = deep.get(owner)
    if (paths === undefined) deep.set(owner, [{ path, value: pair.value }])
    else paths.push({ path, value: pair.value })
  }
  const value: Record<string, unknown> = {}
  for (const [name, pairs] of sources) {
    const paths = deep.get(name)
    // One value beside members of the same object: readers differ on which of them counts.
    if (paths !== undefined && paths.length < pairs.length) return invalid(below('', name), 'repeated')
    const shape = memberOf(detail.text, name)
    const read =
      paths === undefined
        ? readMember(name, pairs, shape, detail.written[name] ?? PLAIN, bytes, within)
        : readTree(name, shape ?? detail.text, paths, within)
    if ('reason' in read) return read
    value[name] = read.value
  }
  return { value, sources }
}

const memberOf = ({ members }: TextShape, name: string): TextShape | undefined =>
  members !== undefined && Object.hasOwn(members, name) ? members[name] : undefined

/** The member of the object that a pair's name means; its own name where it is declared nowhere. */
function ownerOf({ text, written }: FormDetail, name: string): string | { readonly fault: Finding } {
  if (memberOf(text, name) !== undefined) return name
  if (name === '__proto__') return { fault: malformed('forbidden-key', 0) }
  const mark = name.indexOf('[')
  const stem = mark < 1 ? '' : name.slice(0, mark)
  const shape = memberOf(text, stem)
  if (shape !== undefined && written[stem]?.writing === 'deepObject') {
    const path = deepPath(name.slice(mark))
    if (path === null) return { fault: invalid(below('', stem), 'style') }
    if (isDeclared(shape, path)) return stem
  }
  // What is undeclared and may be there must not be what some reader behind takes for a declared name (PHP, Rack, qs).
  if (text.others !== undefined && isTakenFor(name, text.members ?? {}))
    return { fault: undeclared(below('', name)) }
  return name
}

type Read = { readonly value: unknown } | Finding

function readMember(
  name: string,
  pairs: readonly FormPair[],
  shape: TextShape | undefined,
  how: FormWriting,
  bytes: Uint8Array,
  within: Within,
): Read {
  const pointer = below('', name)
  const [first] = pairs
  if (first === undefined) return { value: [] }
  // Undeclared: sealing says so, if it may not be there.
  if (shape === undefined)
    return { value: pairs.length === 1 ? first.value : pairs.map(({ value }) => value) }
  const { types, items } = shape
  const single = pairs.length === 1
  if (how.writing === 'json') {
    const one = (value: string): Read => readJsonWithin(Buffer.from(value), within, pointer)
    if (items === undefined || shape.members !== undefined)
      return single ? one(first.value) : invalid(pointer, 'repeated')
    const list: unknown[] = []
    for (const { value } of pairs) {
      const read = one(value)
      if ('reason' in read) return read
      list.push(read.value)
    }
    return { value: list }
  }
  if (!how.explode && (items !== undefined || shape.members !== undefined)) {
    if (!single) return invalid(pointer, 'repeated')
    const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
      'latin1',
      first.from,
      first.to,
    )
    const parted = { name, writing: how.writing, explode: false, text: shape }
    for (const node of readDelimited(parted, raw.slice(raw.indexOf('=') + 1), decodeForm)) {
      const value = readNode(node, shape, within.reading)
      if (value !== UNREADABLE) return { value }
    }
    return invalid(pointer, 'style')
  }
  if (items !== undefined && (types.length === 0 || !single))
    return { value: pairs.map(({ value }) => typed(value, items.types, within)) }
  return single ? { value: typed(first.value, types, within) } : invalid(pointer, 'repeated')
}

function readTree(
  name: string,
  shape: TextShape,
  paths: readonly { readonly path: DeepPath; readonly value: string }[],
  within: Within,
): Read {
  const node = readDeep(shape, paths)
  if (node === 'repeated') return invalid(below('', name), 'repeated')
  const value = node === 'nested' ? UNREADABLE : readNode(node, shape, within.reading)
  return value === UNREADABLE ? invalid(below('', name), 'style') : { value }
}

/** The pairs of what the value still has; JSON in one of them is written anew. */
function cutPairs(detail: FormDetail, bytes: Uint8Array, within: Within, kept: unknown): Uint8Array | null {
  const read = readPairs(detail, bytes, within)
  const form = parseForm(bytes)
  if ('reason' in read || !form.ok || typeof kept !== 'object' || kept === null) return null
  const value = kept as Readonly<Record<string, unknown>>
  const gone = new Set<FormPair['from']>()
  const pieces = new Map<number, string>()
  for (const [name, pairs] of read.sources) {
    const deep = pairs.some((pair) => pair.name !== name)
    if (!Object.hasOwn(value, name)) for (const { from } of pairs) gone.add(from)
    else if (deep)
      for (const pair of pairs) if (!stands(value[name], pair.name.slice(name.length))) gone.add(pair.from)
    if (detail.written[name]?.writing !== 'json' || !Object.hasOwn(value, name)) continue
    const list = pairs.length > 1 || Array.isArray(read.value[name])
    pairs.forEach((pair, index) => {
      const own = list ? (value[name] as readonly unknown[])[index] : value[name]
      const before = list ? (read.value[name] as readonly unknown[])[index] : read.value[name]
      const text = stringifyExact(own)
      if (text !== stringifyExact(before)) pieces.set(pair.from, `${encode(name)}=${encode(text)}`)
    })
  }
  const left = form.pairs.filter(({ from }) => !gone.has(from))
  if (pieces.size === 0) return withoutPairs(bytes, left)
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const texts = left.map(({ from, to }) => pieces.get(from) ?? source.toString('latin1', from, to))
  return Buffer.from(texts.join('&'), 'latin1')
}

const encode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

/** The path of brackets leads to something in the value. */
function stands(value: unknown, brackets: string): boolean {
  let at = value
  for (const step of deepPath(brackets) ?? ['']) {
    if (Array.isArray(at)) return true
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return false
    at = (at as Readonly<Record<string, unknown>>)[step]
  }
  return true
}
