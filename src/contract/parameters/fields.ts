import type { RawFields } from '../../model/exchange.ts'
import { parseCookies } from '../../syntax/cookie.ts'
import { contractFinding } from '../findings.ts'
import { foldedName } from '../media/folded-names.ts'
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

const trimmed = (text: string): string => text.trim()

/** Style simple; fields are not percent-encoded (OpenAPI 3.2 §4.12.4, RFC 9110 §5.5). */
export function checkHeader(parameter: LinkedParameter, fields: RawFields, add: Add): void {
  const given = linesOf(fields, parameter.name)
  const [value] = given
  if (value === undefined) {
    if (parameter.required) add(missing(parameter))
    return
  }
  const { writing, text } = parameter
  // RFC 9110 §5.3: lines of one list field are one list.
  const list = writing === 'simple' && (text.items !== undefined || text.members !== undefined)
  if (given.length > 1 && !list) return add(repeated(parameter))
  if (writing !== 'simple') return judgeContent(parameter, value, add)
  const whole = given.length === 1 ? value : given.join()
  judgeNodes(parameter, readDelimited(parameter, whole, trimmed), whole.length, add)
}

/**
 * Cookies the operation declares. Others are let through: browsers and what stands before the gate add them. But the
 * field must be a cookie-string throughout, so that no reader finds a declared cookie where the gate sees none.
 */
export function checkCookies(parameters: readonly LinkedParameter[], fields: RawFields, add: Add): void {
  const lines = linesOf(fields, 'cookie')
  const [line] = lines
  const pairs =
    line === undefined ? [] : lines.length > 1 ? null : parseCookies(line, parameters.some(hasCommas))
  if (pairs === null) {
    const rule = lines.length > 1 ? 'cookie-lines' : 'cookie-syntax'
    add(contractFinding('parameter-invalid', { in: 'cookie', name: 'Cookie', rule }, `cookie: ${rule}`))
    return
  }
  for (const parameter of parameters) {
    if (pairs.some(([name]) => isTwinOf(name, parameter, parameters))) add(invalid(parameter, 'name'))
    else checkCookie(parameter, pairs, parameters, add)
  }
}

/** Undeclared, and the declared cookie to some readers: PHP makes `user.id` `user_id`, ASP.NET has no eye for case. */
const isTwinOf = (
  name: string,
  { name: own }: LinkedParameter,
  parameters: readonly LinkedParameter[],
): boolean =>
  name !== own &&
  name.length === own.length &&
  foldedName(name) === foldedName(own) &&
  !parameters.some((each) => each.name === name)

/** A list or object in one cookie. */
const hasCommas = ({ explode, text }: LinkedParameter): boolean =>
  !explode && (text.items !== undefined || text.members !== undefined)

function checkCookie(
  parameter: LinkedParameter,
  pairs: readonly (readonly [string, string])[],
  parameters: readonly LinkedParameter[],
  add: Add,
): void {
  const { name, writing, explode, text } = parameter
  // Style form percent-encodes (RFC 6570), style cookie leaves values as they are (OpenAPI 3.2 §4.12.4).
  const decode = writing === 'cookie' ? (value: string): string => value : decodeURIComponent
  try {
    const own = pairs.filter(([each]) => each === name).map(([, value]) => value)
    const members =
      explode && text.members !== undefined && writing !== 'json' && writing !== 'urlencoded'
        ? pairs.filter(([each]) => isMember(parameter, each, parameters))
        : []
    const [value] = own
    if (own.length > 0 && members.length > 0) return add(repeated(parameter))
    if (members.length > 0) {
      return judgePairs(
        parameter,
        members.map(([each, raw]) => [each, decode(raw)] as const),
        add,
      )
    }
    if (value === undefined) {
      if (parameter.required) add(missing(parameter))
      return
    }
    const list = explode && text.items !== undefined && (writing === 'form' || writing === 'cookie')
    if (own.length > 1 && !list) return add(repeated(parameter))
    if (writing !== 'form' && writing !== 'cookie') return judgeContent(parameter, decode(value), add)
    const nodes: TextNode[] = []
    if (!explode) nodes.push(...readDelimited(parameter, value, decode))
    else if (own.length === 1 && text.types.length > 0) nodes.push(decode(value))
    if (list) nodes.push(own.map(decode))
    judgeNodes(parameter, nodes, value.length, add)
  } catch {
    add(invalid(parameter, 'percent-encoding'))
  }
}

/** Only declared members: what else a browser sends is no member of a free-form object. */
const isMember = (
  parameter: LinkedParameter,
  name: string,
  parameters: readonly LinkedParameter[],
): boolean =>
  parameter.text.members !== undefined &&
  Object.hasOwn(parameter.text.members, name) &&
  !parameters.some((other) => other !== parameter && other.name === name)

function linesOf(fields: RawFields, name: string): readonly string[] {
  const given: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const each = fields[i] ?? ''
    if (each.length === name.length && each.toLowerCase() === name) given.push(fields[i + 1] ?? '')
  }
  return given
}
