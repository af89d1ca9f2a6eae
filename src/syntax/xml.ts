/**
 * XML 1.0 (fifth edition) with namespaces, the part of it that carries data: no DTD, no entities but the five
 * predefined ones and character references, no processing instructions, no XInclude (standards 7.16). What is left
 * has no way to fetch, to grow or to be cut differently by two readers. Well-formedness is held to the full.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import {
  type Attribute,
  CDATA_END,
  COMMENT_END,
  DECLARATION,
  expand,
  NAME,
  NOT_CHARACTER,
  readStartTag,
  type StartTag,
} from './xml-tokens.ts'

export interface XmlElement {
  readonly local: string
  readonly prefix: string
  /** Namespace name; empty: in none. */
  readonly namespace: string
  readonly attributes: readonly XmlAttribute[]
  readonly children: readonly XmlElement[]
  /** Character data directly in it, references and CDATA undone, line ends as `\n`. */
  readonly text: string
  /** The whole element, in UTF-16 units of the text. */
  readonly from: number
  readonly to: number
}

export interface XmlAttribute extends Attribute {
  readonly local: string
  readonly prefix: string
  readonly namespace: string
}

export type XmlFault =
  | 'invalid-utf8'
  | 'character'
  | 'declaration'
  | 'doctype'
  | 'processing-instruction'
  | 'entity'
  | 'syntax'
  | 'tags-differ'
  | 'unfinished'
  | 'trailing'
  | 'duplicate-attribute'
  | 'namespace'
  | 'xinclude'
  | 'split-text'
  | 'depth'
  | 'elements'
  | 'attributes'
  | 'name-size'

export type Xml =
  | { readonly ok: true; readonly root: XmlElement; readonly text: string }
  /** `offset` in UTF-16 units. */
  | { readonly ok: false; readonly rule: XmlFault; readonly offset: number }

export interface XmlLimits {
  readonly maxDepth: number
  readonly maxElements: number
}

/** As for JSON: deeper than what APIs send, safe for recursive readers; and what the values weigh in memory. */
export const DEFAULT_XML_LIMITS: XmlLimits = Object.freeze({ maxDepth: 64, maxElements: 65_536 })

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'
const XINCLUDE = /^http:\/\/www\.w3\.org\/200[13]\/XInclude$/

/** Prefixes declared at one element; others are looked for further out. */
interface Scope {
  readonly declared: ReadonlyMap<string, string>
  readonly outer: Scope | null
}

/** An element whose end was not seen yet. */
interface Open {
  readonly raw: string
  readonly element: { -readonly [K in keyof XmlElement]: XmlElement[K] } & { children: XmlElement[] }
  readonly scope: Scope
  /** Pieces of character data, and whether something stood between them. */
  pieces: number
}

const OUTERMOST: Scope = {
  declared: new Map([
    ['', ''],
    ['xml', XML_NAMESPACE],
  ]),
  outer: null,
}

class Fault extends Error {
  readonly rule: XmlFault
  readonly offset: number

  constructor(rule: XmlFault, offset: number) {
    super(rule)
    this.rule = rule
    this.offset = offset
  }
}

/** Reads one document. Never throws; time is linear in the bytes. */
export function parseXml(bytes: Uint8Array, limits: XmlLimits = DEFAULT_XML_LIMITS): Xml {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!isUtf8(source)) return { ok: false, rule: 'invalid-utf8', offset: 0 }
  const text = source.toString('utf8')
  const from = text.charCodeAt(0) === 0xfeff ? 1 : 0
  const wrong = text.slice(from).search(NOT_CHARACTER)
  if (wrong >= 0) return { ok: false, rule: 'character', offset: wrong + from }
  try {
    return { ok: true, root: new Reader(text, limits).document(from), text }
  } catch (error) {
    if (error instanceof Fault) return { ok: false, rule: error.rule, offset: error.offset }
    return { ok: false, rule: 'syntax', offset: 0 }
  }
}

class Reader {
  readonly #text: string
  readonly #limits: XmlLimits
  readonly #stack: Open[] = []
  #root: XmlElement | null = null
  #elements = 0

  constructor(text: string, limits: XmlLimits) {
    this.#text = text
    this.#limits = limits
  }

  document(from: number): XmlElement {
    const text = this.#text
    let at = from
    if (text.startsWith('<?xml', at) && /[\t\n\r ]/.test(text[at + 5] ?? '')) {
      DECLARATION.lastIndex = at
      if (!DECLARATION.test(text)) throw new Fault('declaration', at)
      at = DECLARATION.lastIndex
    }
    while (at < text.length) {
      const next = text.indexOf('<', at)
      const end = next < 0 ? text.length : next
      if (end > at) this.#characters(at, end)
      at = next < 0 ? text.length : this.#markup(next)
    }
    if (this.#stack.length > 0 || this.#root === null) throw new Fault('unfinished', text.length)
    return this.#root
  }

  #characters(from: number, to: number): void {
    const raw = this.#text.slice(from, to)
    const open = this.#stack.at(-1)
    if (open === undefined) {
      if (/[^\t\n\r ]/.test(raw)) throw new Fault(this.#root === null ? 'syntax' : 'trailing', from)
      return
    }
    if (raw.includes(CDATA_END)) throw new Fault('syntax', from)
    const value = expand(raw)
    if (value === null) throw new Fault('entity', from)
    this.#add(open, value)
  }

  #add(open: Open, value: string): void {
    open.pieces += 1
    open.element.text += value
  }

  /** At a `<`; gives where it ends. */
  #markup(at: number): number {
    const text = this.#text
    switch (text[at + 1]) {
      case '/':
        return this.#endTag(at)
      case '?':
        throw new Fault('processing-instruction', at)
      case '!':
        return this.#declared(at)
      default:
        return this.#startTag(at)
    }
  }

  #declared(at: number): number {
    const text = this.#text
    const open = this.#stack.at(-1)
    if (text.startsWith('<!--', at)) {
      const end = text.indexOf('--', at + 4)
      if (end < 0 || text[end + 2] !== '>') throw new Fault('syntax', at)
      // Some readers take what stands before a comment for the whole text.
      if (open !== undefined) open.pieces += 1
      return end + COMMENT_END.length
    }
    if (text.startsWith('<![CDATA[', at)) {
      if (open === undefined) throw new Fault('syntax', at)
      const end = text.indexOf(CDATA_END, at + 9)
      if (end < 0) throw new Fault('unfinished', at)
      this.#add(open, text.slice(at + 9, end).replace(/\r\n?/g, '\n'))
      return end + CDATA_END.length
    }
    throw new Fault(text.startsWith('<!DOCTYPE', at) ? 'doctype' : 'syntax', at)
  }

  #startTag(at: number): number {
    const tag = readStartTag(this.#text, at)
    if (typeof tag === 'string') throw new Fault(tag, at)
    if (this.#root !== null && this.#stack.length === 0) throw new Fault('trailing', at)
    if (this.#stack.length >= this.#limits.maxDepth) throw new Fault('depth', at)
    if (++this.#elements > this.#limits.maxElements) throw new Fault('elements', at)
    const scope = scopeOf(tag, this.#stack.at(-1)?.scope ?? OUTERMOST, at)
    const { prefix, local } = tag
    const namespace = resolve(prefix, scope, at)
    const attributes = namedAttributes(tag, scope, at)
    const element = { local, prefix, namespace, attributes, children: [], text: '', from: at, to: tag.end }
    const open: Open = { raw: tag.raw, element, scope, pieces: 0 }
    if (tag.empty) this.#close(open)
    else this.#stack.push(open)
    return tag.end
  }

  #endTag(at: number): number {
    const text = this.#text
    NAME.lastIndex = at + 2
    const raw = NAME.exec(text)?.[0]
    const open = this.#stack.pop()
    if (raw === undefined || open === undefined) throw new Fault('syntax', at)
    if (raw !== open.raw) throw new Fault('tags-differ', at)
    let end = at + 2 + raw.length
    while (/[\t\n\r ]/.test(text[end] ?? '')) end++
    if (text[end] !== '>') throw new Fault('syntax', at)
    open.element.to = end + 1
    this.#close(open)
    return end + 1
  }

  #close({ element, pieces }: Open): void {
    // Text in pieces (around a comment, CDATA or children) is joined by some readers and cut by others.
    if (pieces > 1 && /[^\t\n\r ]/.test(element.text)) throw new Fault('split-text', element.from)
    const outer = this.#stack.at(-1)
    if (outer === undefined) this.#root = element
    else outer.element.children.push(element)
  }
}

/** The tag's own declarations (Namespaces in XML 1.0 §2.2, §3). */
function scopeOf(tag: StartTag, outer: Scope, at: number): Scope {
  let declared: Map<string, string> | undefined
  for (const { raw, value } of tag.attributes) {
    const isDefault = raw === 'xmlns'
    if (!isDefault && !raw.startsWith('xmlns:')) continue
    const prefix = isDefault ? '' : raw.slice(6)
    if (XINCLUDE.test(value)) throw new Fault('xinclude', at)
    const reserved = prefix === 'xmlns' || value === XMLNS_NAMESPACE
    if (reserved || (prefix === 'xml') !== (value === XML_NAMESPACE) || (!isDefault && value === ''))
      throw new Fault('namespace', at)
    declared ??= new Map()
    declared.set(prefix, value)
  }
  return declared === undefined ? outer : { declared, outer }
}

function resolve(prefix: string, scope: Scope, at: number): string {
  for (let from: Scope | null = scope; from !== null; from = from.outer) {
    const namespace = from.declared.get(prefix)
    if (namespace !== undefined) return namespace
  }
  throw new Fault('namespace', at)
}

function namedAttributes(tag: StartTag, scope: Scope, at: number): readonly XmlAttribute[] {
  const attributes: XmlAttribute[] = []
  const seen = new Set<string>()
  for (const attribute of tag.attributes) {
    const { raw } = attribute
    if (raw === 'xmlns' || raw.startsWith('xmlns:')) continue
    const colon = raw.indexOf(':')
    const prefix = colon < 0 ? '' : raw.slice(0, colon)
    const local = raw.slice(colon + 1)
    // Namespaces in XML 1.0 §6.2: the default namespace is not that of attributes.
    const namespace = prefix === '' ? '' : resolve(prefix, scope, at)
    const key = `${namespace}\n${local}`
    if (seen.has(key)) throw new Fault('duplicate-attribute', at)
    seen.add(key)
    attributes.push({ ...attribute, local, prefix, namespace })
  }
  return attributes
}
