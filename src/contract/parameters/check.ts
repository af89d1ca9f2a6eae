import type { RawFields } from '../../model/exchange.ts'
import type { Finding } from '../../model/fact.ts'
import type { ParameterDetail } from '../detail.ts'
import { MAX_FINDINGS, NO_FINDINGS } from '../findings.ts'
import { readParameters } from '../router.ts'
import { readDelimited } from './delimited.ts'
import { checkCookies, checkHeader } from './fields.ts'
import { invalid, judgeContent, judgeNodes, type LinkedParameter, missing } from './judge.ts'
import { checkQuery, type Pairs, type QuerySet } from './query.ts'
import { isSpread } from './spread.ts'

/** Of one call: each text both as received and decoded once. */
export interface ParameterSource {
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** The path's segments, canonical and still percent-encoded: the template's are the last of them. */
  readonly segments: readonly string[]
  /** Decoded pairs of `parseQuery(rawQuery)`. */
  readonly query: Pairs
  readonly rawQuery: string
  /** In wire order. */
  readonly fields: RawFields
}

export interface ParameterSet {
  readonly path: readonly LinkedParameter[]
  readonly rawPath: (segments: readonly string[]) => ReadonlyMap<string, string> | null
  readonly query: QuerySet
  readonly header: readonly LinkedParameter[]
  readonly cookie: readonly LinkedParameter[]
}

export function linkParameters(
  template: string,
  details: readonly ParameterDetail[],
  link: (detail: ParameterDetail) => Pick<LinkedParameter, 'check' | 'shape'>,
): ParameterSet {
  const linked = details.map((detail): LinkedParameter => ({ ...detail, ...link(detail) }))
  const at = (place: ParameterDetail['in']): readonly LinkedParameter[] =>
    linked.filter((each) => each.in === place)
  const all = [...at('query'), ...at('querystring')]
  const form = (each: LinkedParameter): boolean => each.in === 'querystring' && each.writing === 'urlencoded'
  const spread = all.filter((each) => isSpread(each) || form(each))
  const own = all.filter(
    (each) =>
      each.in === 'query' &&
      !(isSpread(each) && each.text.types.length === 0 && each.text.items === undefined),
  )
  const members = new Map(
    spread.flatMap((each) => Object.keys(each.text.members ?? {}).map((name) => [name, each] as const)),
  )
  return {
    path: at('path'),
    rawPath: readParameters(template),
    query: {
      all,
      named: new Map(
        own
          .filter(({ writing, text }) => writing !== 'deepObject' || text.types.length > 0)
          .map((each) => [each.name, each]),
      ),
      deep: new Map(own.filter(({ writing }) => writing === 'deepObject').map((each) => [each.name, each])),
      members,
      declared: Object.fromEntries([...own.map((each) => [each.name, each] as const), ...members]),
      open: spread.find(({ text }) => text.others !== undefined),
      whole: all.find((each) => each.in === 'querystring' && !form(each)),
    },
    header: at('header'),
    cookie: at('cookie'),
  }
}

/** Style matrix alone writes `;` into the path (RFC 6570 §3.2.7). */
export function takesPathParameters({ path, rawPath }: ParameterSet, segments: readonly string[]): boolean {
  const raw = rawPath(segments)
  if (raw === null) return false
  for (const [name, text] of raw) {
    if (!text.includes(';')) continue
    if (!path.some((parameter) => parameter.name === name && parameter.writing === 'matrix')) return false
  }
  return true
}

/** At most 20 findings; they name places and rules, never values. */
export function checkParameters(set: ParameterSet, source: ParameterSource): readonly Finding[] {
  let findings: Finding[] | undefined
  const add = (found: Finding): void => {
    findings ??= []
    if (findings.length < MAX_FINDINGS) findings.push(found)
  }
  if (set.path.length > 0) checkPath(set, source, add)
  if (source.query.length > 0 || set.query.all.length > 0)
    checkQuery(set.query, source.query, source.rawQuery, add)
  for (const parameter of set.header) checkHeader(parameter, source.fields, add)
  if (set.cookie.length > 0) checkCookies(set.cookie, source.fields, add)
  return findings ?? NO_FINDINGS
}

function checkPath(
  { path, rawPath }: ParameterSet,
  { params, segments }: ParameterSource,
  add: (found: Finding) => void,
): void {
  let raw: ReadonlyMap<string, string> | null | undefined
  for (const parameter of path) {
    const { writing, text } = parameter
    const value = params[parameter.name]
    if (value === undefined) add(missing(parameter))
    else if (writing === 'json' || writing === 'urlencoded' || writing === 'text')
      judgeContent(parameter, value, add)
    else if (writing === 'simple' && text.items === undefined && text.members === undefined) {
      judgeNodes(parameter, [value], value.length, add)
    } else {
      raw ??= rawPath(segments)
      const received = raw?.get(parameter.name)
      const nodes = received === undefined ? [] : decoded(parameter, received)
      if (nodes === null) add(invalid(parameter, 'percent-encoding'))
      else judgeNodes(parameter, nodes, value.length, add)
    }
  }
}

function decoded(parameter: LinkedParameter, received: string): ReturnType<typeof readDelimited> | null {
  try {
    return readDelimited(parameter, received, decodeURIComponent)
  } catch {
    return null
  }
}
