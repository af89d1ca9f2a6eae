import type { TextShape } from '../detail.ts'
import type { OpenApiDocument } from '../document.ts'
import { isRecord, type JsonRecord, own, textAt } from '../json-value.ts'
import { textShape } from '../parameters/text-shape.ts'
import type { Located } from '../reference.ts'
import type { SchemaConverter } from '../schema.ts'
import { type Described, described, firstStated } from './described.ts'
import type { XmlDetail, XmlMember, XmlName, XmlNode } from './detail.ts'

/** Of one content. Contracts written for XML have some hundred. */
const MAX_NODES = 2_000

/** How XML becomes the schema's value (OpenAPI 3.2 §4.26 XML Object); null where it would take too much to say. */
export function xmlPlan(
  document: OpenApiDocument,
  converter: SchemaConverter,
  root: Located,
): XmlDetail | null {
  const compiler = new XmlCompiler(document, converter)
  const at = described(document, [root])
  const xml = xmlOf(at)
  const component = at.stated.map(({ pointer }) => /\/(?:schemas|definitions)\/([^/]+)$/.exec(pointer)?.[1])
  const name = textAt(xml, 'name') ?? component.find((each) => each !== undefined) ?? null
  const node = compiler.node([root], name ?? 'item')
  if (compiler.nodes.length > MAX_NODES) return null
  return { root: node, name, namespace: textAt(xml, 'namespace') ?? null, nodes: compiler.nodes }
}

class XmlCompiler {
  readonly nodes: XmlNode[] = []
  readonly #document: OpenApiDocument
  readonly #converter: SchemaConverter
  readonly #numbers = new Map<unknown, number>()
  readonly #known = new Map<string, number>()

  constructor(document: OpenApiDocument, converter: SchemaConverter) {
    this.#document = document
    this.#converter = converter
  }

  /** `local`: what items of a list here are called, unless they say. */
  node(places: readonly Located[], local: string): number {
    const at = described(this.#document, places)
    const key = `${at.stated.map(({ value }) => this.#number(value)).join()} ${local}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const id = this.nodes.length
    this.#known.set(key, id)
    this.nodes.push({ types: ['string'] })
    if (id >= MAX_NODES) return id
    const shape = this.#shape(places)
    const { types } = shape
    this.nodes[id] = {
      types,
      ...(shape.members === undefined ? {} : { members: this.#members(at) }),
      ...(shape.items === undefined ? {} : { items: this.#items(at, local) }),
    }
    return id
  }

  #members(at: Described): readonly XmlMember[] {
    return [...at.members].map(([property, places]) => this.#member(property, places))
  }

  #member(property: string, places: readonly Located[]): XmlMember {
    const at = described(this.#document, places)
    const xml = xmlOf(at)
    const name: XmlName = {
      local: textAt(xml, 'name') ?? property,
      namespace: textAt(xml, 'namespace') ?? null,
    }
    const nodeType = textAt(xml, 'nodeType')
    if (own(xml, 'attribute') === true || nodeType === 'attribute')
      return { ...name, property, at: 'attribute', node: this.node(places, name.local), list: false }
    if (nodeType === 'text' || nodeType === 'cdata')
      return { ...name, property, at: 'text', node: this.node(places, name.local), list: false }
    const { items, members, types } = this.#shape(places)
    if (items === undefined || members !== undefined || types.some((type) => type !== 'null'))
      return { ...name, property, at: 'element', node: this.node(places, name.local), list: false }
    const wrapped = own(xml, 'wrapped') === true || nodeType === 'element'
    // Without a wrapper the list's own name says nothing (OpenAPI 3.1 §4.8.26.1).
    const inner = this.#items(at, wrapped ? name.local : property)
    return { ...inner, property, at: 'element', list: true, ...(wrapped ? { wrapper: name } : {}) }
  }

  #items({ items }: Described, local: string): XmlName & { readonly node: number } {
    const xml = xmlOf(described(this.#document, items))
    const own = textAt(xml, 'name') ?? local
    return { local: own, namespace: textAt(xml, 'namespace') ?? null, node: this.node(items, own) }
  }

  #shape(places: readonly Located[]): TextShape {
    const anyOf = places.map(({ value, pointer }) => this.#converter.convert(value, pointer))
    return textShape(anyOf.length === 0 ? true : { anyOf }, this.#converter.components, 1)
  }

  #number(value: unknown): number {
    let number = this.#numbers.get(value)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(value, number)
    }
    return number
  }
}

function xmlOf(at: Described): JsonRecord {
  const xml = firstStated(at, 'xml')
  return isRecord(xml) ? xml : {}
}
