import type { ParameterWriting, TextShape } from '../detail.ts'
import type { TextNode } from './read-text.ts'

/** A list longer than this is refused: it could only be there to cost. */
export const MAX_LIST = 1_024

/** Between items, as they stand in the text: an encoded comma is data. Space and bar have no form but an encoded one. */
const DELIMITERS: Readonly<Partial<Record<ParameterWriting, RegExp | string>>> = {
  simple: ',',
  form: ',',
  cookie: ',',
  spaceDelimited: /%20|\+/,
  pipeDelimited: /%7[Cc]|\|/,
}

export interface Delimited {
  readonly name: string
  readonly writing: ParameterWriting
  readonly explode: boolean
  readonly text: TextShape
}

/** The ways a text can be taken apart, in the order they are tried; one that does not follow its style gives none. */
export function readDelimited(
  { name, writing, explode, text }: Delimited,
  raw: string,
  decode: (piece: string) => string,
): readonly TextNode[] {
  const nodes: TextNode[] = []
  const single = withoutPrefix(name, writing, raw)
  if (text.types.length > 0 && single !== null) nodes.push(decode(single))
  if (text.items !== undefined) {
    const pieces = listPieces(name, writing, explode, raw)
    if (pieces !== null && pieces.length <= MAX_LIST) nodes.push(pieces.map(decode))
  }
  if (text.members !== undefined) {
    const members = readPairs(name, writing, explode, raw, decode)
    if (members !== null) nodes.push(members)
  }
  return nodes
}

function withoutPrefix(name: string, writing: ParameterWriting, raw: string): string | null {
  if (writing === 'label') return raw.startsWith('.') ? raw.slice(1) : null
  if (writing !== 'matrix') return raw
  if (raw === `;${name}`) return ''
  return raw.startsWith(`;${name}=`) ? raw.slice(name.length + 2) : null
}

/** RFC 6570 §3.2.5 and §3.2.7: exploded lists repeat the dot, or the name. */
function listPieces(
  name: string,
  writing: ParameterWriting,
  explode: boolean,
  raw: string,
): readonly string[] | null {
  if (explode && writing === 'matrix') {
    const pieces = raw.split(';').slice(1)
    const values = pieces.map((piece) => withoutPrefix(name, 'matrix', `;${piece}`))
    return raw.startsWith(';') && !values.includes(null) ? (values as string[]) : null
  }
  const rest = withoutPrefix(name, writing, raw)
  if (rest === null) return null
  if (writing === 'simple' && rest === '') return []
  return rest.split(explode && writing === 'label' ? '.' : (DELIMITERS[writing] ?? ','), MAX_LIST + 1)
}

/** Exploded members are `name=value` each, others name and value in turn. A name that stands twice makes it none. */
function readPairs(
  name: string,
  writing: ParameterWriting,
  explode: boolean,
  raw: string,
  decode: (piece: string) => string,
): ReadonlyMap<string, TextNode> | null {
  const members = new Map<string, TextNode>()
  const add = (key: string, value: string): boolean => {
    const own = decode(key)
    return !members.has(own) && members.set(own, decode(value)) !== undefined
  }
  if (explode) {
    const separator = writing === 'label' ? '.' : writing === 'matrix' ? ';' : ','
    const rest = writing === 'simple' ? raw : raw.startsWith(separator) ? raw.slice(1) : null
    if (rest === null) return null
    for (const piece of rest === '' ? [] : rest.split(separator, MAX_LIST + 1)) {
      const mark = piece.indexOf('=')
      if (mark < 1 || members.size === MAX_LIST || !add(piece.slice(0, mark), piece.slice(mark + 1)))
        return null
    }
    return members
  }
  const rest = withoutPrefix(name, writing, raw)
  if (rest === null) return null
  const pieces = rest === '' ? [] : rest.split(DELIMITERS[writing] ?? ',', 2 * MAX_LIST + 2)
  if (pieces.length % 2 !== 0 || pieces.length > 2 * MAX_LIST) return null
  for (let i = 0; i < pieces.length; i += 2) if (!add(pieces[i] ?? '', pieces[i + 1] ?? '')) return null
  return members
}
