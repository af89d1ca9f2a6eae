import { decodeForm, rawValues } from '../../syntax/uri.ts'
import { contractFinding, shortPointer } from '../findings.ts'
import { isTakenFor } from '../media/folded-names.ts'
import { sightOfTexts } from '../value-sight.ts'
import { type DeepPath, deepPath, isDeclared, readDeep } from './deep-object.ts'
import { readDelimited } from './delimited.ts'
import {
  type Add,
  invalid,
  judgeContent,
  judgeNodes,
  judgePairs,
  type LinkedParameter,
  missing,
  repeated,
} from './judge.ts'
import type { TextNode } from './read-text.ts'

export type Pairs = readonly (readonly [name: string, value: string])[]

/** Which parameter a query name belongs to. */
export interface QuerySet {
  readonly all: readonly LinkedParameter[]
  readonly named: ReadonlyMap<string, LinkedParameter>
  /** Style deepObject, by what stands before the first bracket. */
  readonly deep: ReadonlyMap<string, LinkedParameter>
  /** Members of exploded objects. */
  readonly members: ReadonlyMap<string, LinkedParameter>
  /** The exploded object that takes other names too. */
  readonly open: LinkedParameter | undefined
  /** All names above that are declared. */
  readonly declared: Readonly<Record<string, unknown>>
  /** The whole query as one text that is no form: its names are nobody's. */
  readonly whole: LinkedParameter | undefined
}

/** The parameter a pair is of; undefined: the contract declares none. */
function ownerOf(set: QuerySet, name: string): LinkedParameter | undefined {
  const named = set.named.get(name)
  if (named !== undefined) return named
  if (set.deep.size > 0) {
    const mark = name.indexOf('[')
    const deep = mark < 1 ? undefined : set.deep.get(name.slice(0, mark))
    if (deep !== undefined) {
      const path = deepPath(name.slice(mark))
      return path !== null && isDeclared(deep.text, path) ? deep : undefined
    }
  }
  const member = set.members.get(name)
  if (member !== undefined) return member
  if (set.open !== undefined && isTakenFor(name, set.declared)) return undefined
  return set.open ?? set.whole
}

/** The contract declares a pair of this name, as a parameter or as an object's member. */
export function isDeclaredName(set: QuerySet, name: string): boolean {
  return ownerOf(set, name) !== undefined
}

export function checkQuery(set: QuerySet, pairs: Pairs, rawQuery: string, add: Add): void {
  const given = new Map<LinkedParameter, number[]>()
  for (let index = 0; index < pairs.length; index++) {
    const [name, value] = pairs[index] ?? ['', '']
    const owner = ownerOf(set, name)
    if (owner === undefined) {
      const shown = shortPointer(name)
      const type = sightOfTexts([value], name)
      add(contractFinding('parameter-undeclared', { in: 'query', name: shown, type }, `query ${shown}`))
      continue
    }
    const known = given.get(owner)
    if (known === undefined) given.set(owner, [index])
    else known.push(index)
  }
  let raw: readonly string[] | undefined
  for (const parameter of set.all) {
    const indexes = given.get(parameter)
    if (parameter === set.whole) checkWhole(parameter, rawQuery, add)
    else if (indexes === undefined) {
      if (parameter.required) add(missing(parameter))
    } else if (isDelimited(parameter)) {
      raw ??= rawValues(rawQuery)
      checkDelimited(parameter, indexes, pairs, raw, add)
    } else
      checkGiven(
        parameter,
        indexes.map((index) => pairs[index] ?? ['', '']),
        add,
      )
  }
}

/** Its text is taken apart at delimiters, which only the text as received tells from data. */
const isDelimited = ({ writing, explode, text }: LinkedParameter): boolean =>
  !explode &&
  (writing === 'form' || writing === 'spaceDelimited' || writing === 'pipeDelimited') &&
  (text.items !== undefined || text.members !== undefined)

function checkDelimited(
  parameter: LinkedParameter,
  indexes: readonly number[],
  pairs: Pairs,
  raw: readonly string[],
  add: Add,
): void {
  const [index = 0] = indexes
  const text = raw[index]
  if (indexes.length > 1) add(repeated(parameter))
  else if (text === undefined || raw.length !== pairs.length) add(invalid(parameter, 'style'))
  else if (text !== '' || !parameter.allowEmpty) {
    judgeNodes(parameter, readDelimited(parameter, text, decodeForm), text.length, add)
  }
}

function checkGiven(parameter: LinkedParameter, given: Pairs, add: Add): void {
  const { name, text, writing } = parameter
  if (parameter.in === 'querystring') return judgePairs(parameter, given, add)
  const values: string[] = []
  for (const [each, value] of given) if (each === name) values.push(value)
  const others = values.length === 0 ? given : given.filter(([each]) => each !== name)
  // One value beside members of the same object: readers differ on which of them counts.
  if (values.length > 0 && others.length > 0) return add(repeated(parameter))
  if (others.length > 0) {
    return writing === 'deepObject' ? checkDeep(parameter, others, add) : judgePairs(parameter, others, add)
  }
  const [value = ''] = values
  if (values.length === 1) {
    if (value === '' && parameter.allowEmpty) return
    if (writing === 'json' || writing === 'urlencoded') return judgeContent(parameter, value, add)
  }
  if (values.length > 1 && (text.items === undefined || writing === 'json' || writing === 'urlencoded')) {
    return add(repeated(parameter))
  }
  const nodes: TextNode[] = []
  if (values.length === 1 && text.types.length > 0) nodes.push(value)
  if (text.items !== undefined) nodes.push(values)
  let bytes = 0
  for (const each of values) bytes += each.length
  judgeNodes(parameter, nodes.length === 0 ? [value] : nodes, bytes, add)
}

function checkDeep(parameter: LinkedParameter, given: Pairs, add: Add): void {
  const pairs: { path: DeepPath; value: string }[] = []
  let bytes = 0
  for (const [name, value] of given) {
    bytes += name.length + value.length
    const path = deepPath(name.slice(parameter.name.length))
    if (path !== null) pairs.push({ path, value })
  }
  const node = readDeep(parameter.text, pairs)
  if (node === 'repeated') add(repeated(parameter))
  else if (node === 'nested') add(invalid(parameter, 'style'))
  else judgeNodes(parameter, [node], bytes, add)
}

/** OpenAPI 3.2 §4.12.2, `in: querystring`: decoded as a URI's query is, where `+` is itself. */
function checkWhole(parameter: LinkedParameter, rawQuery: string, add: Add): void {
  if (rawQuery === '') {
    if (parameter.required) add(missing(parameter))
    return
  }
  let text: string
  try {
    text = decodeURIComponent(rawQuery)
  } catch {
    return add(invalid(parameter, 'percent-encoding'))
  }
  judgeContent(parameter, text, add)
}
