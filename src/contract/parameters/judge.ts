import type { Finding } from '../../model/fact.ts'
import { DEFAULT_JSON_LIMITS, scanJson } from '../../syntax/json.ts'
import { parseQuery } from '../../syntax/uri.ts'
import type { ParameterDetail, TextShape } from '../detail.ts'
import { parseExact } from '../exact-json.ts'
import { contractFinding, MAX_FINDINGS, urlFinding } from '../findings.ts'
import type { Check, CheckError } from '../runtime.ts'
import { findUndeclared, type LinkedShape } from '../sealed-walk.ts'
import { sightOfTexts } from '../value-sight.ts'
import { readNode, type TextNode, UNREADABLE } from './read-text.ts'

export interface LinkedParameter extends Omit<ParameterDetail, 'check' | 'shape'> {
  readonly check: Check | null
  readonly shape: LinkedShape | null
}

export type Add = (found: Finding) => void

/** As much as a target or a field can hold at all. */
const JSON_LIMITS = { ...DEFAULT_JSON_LIMITS, maxBytes: 65_536 }

/** Holds what a style made of a text against the schema: the first way it fits counts; none: it did not follow its style. */
export function judgeNodes(
  parameter: LinkedParameter,
  nodes: readonly TextNode[],
  bytes: number,
  add: Add,
): void {
  let rule = nodes.length === 0 ? 'style' : 'type'
  for (const node of nodes) {
    let before: unknown = UNREADABLE
    for (const texts of [false, true]) {
      const reading = { texts, exact: false, rounded: false }
      const value = readNode(node, parameter.text, reading)
      if (value === UNREADABLE || value === before) break
      before = value
      const exact = reading.rounded ? readNode(node, parameter.text, { ...reading, exact: true }) : undefined
      const faults = parameter.check === null ? null : parameter.check.faults(value, bytes, exact)
      if (faults === null) {
        seal(parameter, value, add)
        return
      }
      if (faults[0]?.keyword === 'url') return forbid(parameter, faults, add)
      rule = faults[0]?.keyword ?? 'type'
    }
  }
  add(invalid(parameter, rule, nodes[0]))
}

/** A whole text, decoded once, that is JSON, a form, or any text. */
export function judgeContent(parameter: LinkedParameter, text: string, add: Add): void {
  if (parameter.writing === 'json') {
    const bytes = Buffer.from(text)
    const scan = scanJson(bytes, JSON_LIMITS)
    if (!scan.ok) return add(invalid(parameter, `json-${scan.fault.rule}`))
    const exact = scan.exact ? undefined : parseExact(bytes)
    const faults = parameter.check === null ? null : parameter.check.faults(scan.value, bytes.length, exact)
    if (faults?.[0]?.keyword === 'url') return forbid(parameter, faults, add)
    if (faults !== null) return add(invalid(parameter, faults[0]?.keyword ?? 'type'))
    return seal(parameter, scan.value, add)
  }
  if (parameter.writing === 'urlencoded') {
    const query = parseQuery(text)
    if (!query.ok) return add(invalid(parameter, query.why))
    return judgePairs(parameter, query.pairs, add)
  }
  judgeNodes(parameter, [text], text.length, add)
}

/** Members of an object that stand as pairs of their own. */
export function judgePairs(
  parameter: LinkedParameter,
  pairs: readonly (readonly [name: string, value: string])[],
  add: Add,
): void {
  const grouped = new Map<string, string[]>()
  let bytes = 0
  for (const [name, value] of pairs) {
    const known = grouped.get(name)
    if (known === undefined) grouped.set(name, [value])
    else known.push(value)
    bytes += name.length + value.length
  }
  const members = new Map<string, TextNode>()
  for (const [name, values] of grouped) {
    const [only = ''] = values
    const shape = memberShape(parameter.text, name)
    if (shape?.items !== undefined && (values.length > 1 || shape.types.length === 0))
      members.set(name, values)
    else if (values.length > 1) return add(repeated(parameter))
    else members.set(name, only)
  }
  judgeNodes(parameter, [members], bytes, add)
}

export function memberShape({ members, others }: TextShape, name: string): TextShape | undefined {
  return members !== undefined && Object.hasOwn(members, name) ? members[name] : others
}

function forbid(parameter: LinkedParameter, faults: readonly CheckError[], add: Add): void {
  for (const fault of faults) add(urlFinding(fault, { in: parameter.in, name: parameter.name }))
}

/** Undeclared members are named as those of a body are; they cannot be taken out of the text they stand in. */
function seal(parameter: LinkedParameter, value: unknown, add: Add): void {
  if (parameter.shape === null) return
  for (const { pointer, readOnly, type } of findUndeclared(value, parameter.shape, MAX_FINDINGS) ?? []) {
    const evidence = { in: parameter.in, name: parameter.name, pointer, type }
    add(
      contractFinding(
        readOnly ? 'field-read-only' : 'field-undeclared',
        evidence,
        `${label(parameter)}${pointer}`,
      ),
    )
  }
}

const label = (parameter: LinkedParameter): string => `${parameter.in} ${parameter.name}`

export const missing = (parameter: LinkedParameter): Finding =>
  contractFinding('parameter-missing', { in: parameter.in, name: parameter.name }, label(parameter))

export const repeated = (parameter: LinkedParameter): Finding =>
  contractFinding('parameter-repeated', { in: parameter.in, name: parameter.name }, label(parameter))

/** @param node What it was written as, told by its type where that is what is wrong. */
export function invalid(parameter: LinkedParameter, rule: string, node?: TextNode): Finding {
  const seen =
    rule === 'type' && typeof node === 'string' ? { type: sightOfTexts([node], parameter.name) } : {}
  const evidence = { in: parameter.in, name: parameter.name, rule, ...seen }
  return contractFinding('parameter-invalid', evidence, `${label(parameter)}: ${rule}`)
}
