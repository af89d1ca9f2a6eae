import type { Finding } from '../../model/fact.ts'
import type { JsonLimits } from '../../syntax/json.ts'
import { DEFAULT_JSON_LIMITS } from '../../syntax/json.ts'
import { DEFAULT_XML_LIMITS, parseXml, type XmlAttribute, type XmlElement } from '../../syntax/xml.ts'
import { withoutRanges } from '../../syntax/xml-tokens.ts'
import type { BodyReading } from '../body.ts'
import { foldCase } from '../twin-names.ts'
import type { XmlDetail, XmlMember, XmlName, XmlNode } from './detail.ts'
import {
  below,
  invalid,
  malformed,
  readCuttable,
  reading,
  typed,
  undeclared,
  type Within,
} from './reading.ts'

const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance'

type Range = readonly [from: number, to: number]
/** Of each object read, where its members stand in the text. */
type Places = Map<object, Map<string, Range[]>>

/** XML as the value its schema describes (OpenAPI 3.1 §4.8.26). */
export function readXmlBody(detail: XmlDetail, bytes: Uint8Array, limits: JsonLimits): BodyReading | Finding {
  return readCuttable(
    bytes,
    limits,
    (from, within) => {
      const read = readTree(detail, from, within, null)
      return 'reason' in read ? read : { value: read.value }
    },
    (kept) => {
      const places: Places = new Map()
      const read = readTree(detail, bytes, reading(limits, true), places)
      if ('reason' in read) return null
      const cuts: Range[] = []
      collect(read.value, kept, places, cuts)
      cuts.sort(([a], [b]) => a - b)
      return Buffer.from(withoutRanges(read.text, cuts))
    },
  )
}

function readTree(
  detail: XmlDetail,
  bytes: Uint8Array,
  within: Within,
  places: Places | null,
): { readonly value: unknown; readonly text: string } | Finding {
  const factor = Math.max(1, within.limits.maxBytes / DEFAULT_JSON_LIMITS.maxBytes)
  const maxElements = Math.ceil(DEFAULT_XML_LIMITS.maxElements * factor)
  const xml = parseXml(bytes, { ...DEFAULT_XML_LIMITS, maxElements })
  if (!xml.ok) return malformed(xml.rule, xml.offset)
  const { root, text } = xml
  if (detail.name !== null && root.local !== detail.name) return invalid('', 'root element')
  if (detail.namespace !== null && root.namespace !== detail.namespace) return invalid('', 'namespace')
  const reader = new ElementReader(detail.nodes, within, places)
  const value = reader.value(root, detail.nodes[detail.root], '')
  return reader.fault ?? { value, text }
}

class ElementReader {
  /** The first thing that no value can say, so that no schema could refuse it. */
  fault: Finding | null = null
  readonly #nodes: readonly XmlNode[]
  readonly #within: Within
  readonly #places: Places | null

  constructor(nodes: readonly XmlNode[], within: Within, places: Places | null) {
    this.#nodes = nodes
    this.#within = within
    this.#places = places
  }

  /** Recursion is bounded by the parser's depth. */
  value(element: XmlElement, node: XmlNode | undefined, pointer: string): unknown {
    if (node === undefined) return generic(element)
    const { members, items, types } = node
    const own = element.attributes.filter((each) => each.namespace !== INSTANCE || each.local !== 'nil')
    const empty = element.children.length === 0 && own.length === 0
    if (own.length < element.attributes.length && empty && element.text === '') {
      const nil = element.attributes[0]?.value
      if (nil === 'true' || nil === '1') return null
    }
    if (own.length < element.attributes.length) return this.#refuse(undeclared(below(pointer, '@nil')))
    if (items !== undefined && own.length === 0 && (types.length === 0 || !empty))
      return this.#list(element, items, pointer)
    if (members !== undefined && !(empty && types.length > 0))
      return this.#object(element, members, own, pointer)
    const extra = own[0] === undefined ? element.children[0]?.local : `@${own[0].local}`
    if (extra !== undefined) return this.#refuse(undeclared(below(pointer, extra)))
    return typed(element.text, types, this.#within)
  }

  #list(element: XmlElement, items: XmlName & { readonly node: number }, pointer: string): unknown {
    if (!isBlank(element.text)) return this.#refuse(invalid(pointer, 'text'))
    return element.children.map((child, index) => {
      if (!isNamed(child, items, element)) return this.#refuse(undeclared(below(pointer, child.local)))
      return this.value(child, this.#nodes[items.node], below(pointer, index))
    })
  }

  #object(
    element: XmlElement,
    members: readonly XmlMember[],
    attributes: readonly XmlAttribute[],
    pointer: string,
  ): unknown {
    const out: Record<string, unknown> = {}
    for (const attribute of attributes) {
      const member = members.find((each) => each.at === 'attribute' && isNamed(attribute, each, null))
      if (member === undefined)
        this.#put(out, `@${attribute.local}`, attribute.value, attribute, members, pointer)
      else {
        out[member.property] = this.#text(attribute.value, member)
        this.#note(out, member.property, attribute)
      }
    }
    const text = members.find(({ at }) => at === 'text')
    if (text !== undefined) out[text.property] = this.#text(element.text, text)
    else if (!isBlank(element.text)) return this.#refuse(invalid(pointer, 'text'))
    for (const child of element.children) {
      const member = members.find(
        (each) => each.at === 'element' && isNamed(child, each.wrapper ?? each, element),
      )
      if (member === undefined) this.#put(out, child.local, generic(child), child, members, pointer)
      else this.#member(out, child, member, pointer)
    }
    return out
  }

  #member(out: Record<string, unknown>, child: XmlElement, member: XmlMember, pointer: string): void {
    const { property, list, wrapper, node } = member
    const at = below(pointer, property)
    const given = Object.hasOwn(out, property)
    if (list && wrapper === undefined) {
      const known = given ? (out[property] as unknown[]) : []
      known.push(this.value(child, this.#nodes[node], below(at, known.length)))
      out[property] = known
    } else if (given) this.#refuse(invalid(at, 'repeated'))
    else if (list) {
      if (child.attributes.length > 0)
        this.#refuse(undeclared(below(at, `@${child.attributes[0]?.local ?? ''}`)))
      out[property] = this.#list(child, member, at)
    } else out[property] = this.value(child, this.#nodes[node], at)
    this.#note(out, property, child)
  }

  /** Something undeclared takes a name of its own: sealing refuses it, or it is one that the schema welcomes. */
  #put(
    out: Record<string, unknown>,
    name: string,
    value: unknown,
    { from, to }: { readonly from: number; readonly to: number },
    members: readonly XmlMember[],
    pointer: string,
  ): void {
    if (name === '__proto__' || isTaken(name, members)) {
      this.#refuse(undeclared(below(pointer, name)))
      return
    }
    add(out, name, value)
    this.#note(out, name, { from, to })
  }

  #text(text: string, { node }: XmlMember): unknown {
    return typed(text, this.#nodes[node]?.types ?? ['string'], this.#within)
  }

  #note(out: object, name: string, { from, to }: { readonly from: number; readonly to: number }): void {
    if (this.#places === null) return
    let own = this.#places.get(out)
    if (own === undefined) {
      own = new Map()
      this.#places.set(out, own)
    }
    const ranges = own.get(name)
    if (ranges === undefined) own.set(name, [[from, to]])
    else ranges.push([from, to])
  }

  #refuse(fault: Finding): undefined {
    this.fault ??= fault
    return undefined
  }
}

function isNamed(
  { local, namespace }: { readonly local: string; readonly namespace: string },
  name: XmlName,
  parent: XmlElement | null,
): boolean {
  if (local !== name.local) return false
  if (name.namespace !== null) return namespace === name.namespace
  // Where the contract says nothing of it: none, or that of the element around (a default declared once).
  return namespace === '' || (parent !== null && namespace === parent.namespace)
}

const takenBy = new WeakMap<readonly XmlMember[], ReadonlySet<string>>()

/**
 * It stands where a declared member would, or a reader with no eye for namespaces, case, or what is an attribute takes it
 * for one. Of a property's own name in another case, sealing says so.
 */
function isTaken(name: string, members: readonly XmlMember[]): boolean {
  let taken = takenBy.get(members)
  if (taken === undefined) {
    const names = new Set<string>()
    for (const { property, local, wrapper } of members) {
      names.add(property)
      for (const each of [property, local, wrapper?.local ?? local]) {
        names.add(`@${foldCase(each)}`)
        if (foldCase(each) !== foldCase(property)) names.add(`${foldCase(each)}:`)
      }
    }
    taken = names
    takenBy.set(members, names)
  }
  const folded = foldCase(name)
  return taken.has(name) || taken.has(name.startsWith('@') ? folded : `${folded}:`)
}

const isBlank = (text: string): boolean => !/[^\t\n\r ]/.test(text)

/** What no schema describes, so that one that welcomes anything can be held to it. */
function generic(element: XmlElement): unknown {
  if (element.children.length === 0 && element.attributes.length === 0) return element.text
  const out: Record<string, unknown> = {}
  for (const { local, value } of element.attributes) out[`@${local}`] = value
  for (const child of element.children) {
    if (child.local !== '__proto__') add(out, child.local, generic(child))
  }
  return out
}

/** Several of one name are a list; one alone never is. */
function add(out: Record<string, unknown>, name: string, value: unknown): void {
  const known = out[name]
  if (!Object.hasOwn(out, name)) out[name] = value
  else if (Array.isArray(known)) known.push(value)
  else out[name] = [known, value]
}

/** What stood in the text and stands in the value no more. */
function collect(before: unknown, kept: unknown, places: Places, cuts: Range[]): void {
  if (typeof before !== 'object' || before === null || typeof kept !== 'object' || kept === null) return
  if (Array.isArray(before)) {
    before.forEach((item, index) => {
      collect(item, (kept as readonly unknown[])[index], places, cuts)
    })
    return
  }
  const own = places.get(before)
  for (const [name, member] of Object.entries(before)) {
    if (Object.hasOwn(kept, name))
      collect(member, (kept as Readonly<Record<string, unknown>>)[name], places, cuts)
    else cuts.push(...(own?.get(name) ?? []))
  }
}
