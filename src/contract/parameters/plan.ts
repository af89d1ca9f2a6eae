import { escapePointer } from '../../syntax/json-pointer.ts'
import { isJson, parseMediaType } from '../../syntax/media-type.ts'
import type { ContractWarning, ParameterDetail, ParameterWriting } from '../detail.ts'
import { faultAt, type OpenApiDocument } from '../document.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt, textAt } from '../json-value.ts'
import { follow } from '../reference.ts'
import type { Schema, SchemaConverter } from '../schema.ts'
import { ONE_TEXT } from './one-text.ts'
import { isSpread } from './spread.ts'
import { textShape } from './text-shape.ts'

/** A parameter before its schema has a check and a shape. */
export interface ParameterPlan extends Omit<ParameterDetail, 'check' | 'shape'> {
  readonly schema: Schema
  readonly pointer: string
}

export interface ParameterPlans {
  readonly parameters: readonly ParameterPlan[]
}

interface Context {
  readonly document: OpenApiDocument
  readonly converter: SchemaConverter
  readonly warn: (warning: ContractWarning) => void
}

type Place = ParameterDetail['in']

/** OpenAPI 3.1 §4.8.12.1: ignored, because they say what other parts of the contract say. */
const IGNORED_HEADERS = new Set(['accept', 'content-type', 'authorization'])
/** OpenAPI 3.2 §4.12.2: the first is the default. */
const STYLES: Readonly<Record<Exclude<Place, 'querystring'>, readonly ParameterWriting[]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form', 'cookie'],
}
/** Levels of an object's members that a style can write: what OpenAPI defines, and for deepObject what clients do. */
const REACH: Readonly<Partial<Record<ParameterWriting, number>>> = {
  deepObject: 5,
  form: 2,
  cookie: 2,
  urlencoded: 2,
}

/**
 * The path item's parameters and the operation's, which replace those of equal name and place; `apiKeys` are query
 * names that security schemes declare.
 */
export function parameterPlans(
  context: Context,
  item: { readonly value: JsonRecord; readonly pointer: string },
  operation: { readonly value: JsonRecord; readonly pointer: string },
  apiKeys: readonly string[],
): ParameterPlans {
  const located = new Map<string, { value: JsonRecord; pointer: string }>()
  for (const holder of [item, operation]) {
    const stated = own(holder.value, 'parameters')
    if (stated !== undefined && !Array.isArray(stated)) {
      throw faultAt(context.document, `${holder.pointer}/parameters`, 'a list is expected here')
    }
    listAt(holder.value, 'parameters').forEach((member, index) => {
      const at = follow(context.document, member, `${holder.pointer}/parameters/${index}`)
      located.set(`${String(at.value['in'])}:${String(at.value['name'])}`, at)
    })
  }
  const parameters: ParameterPlan[] = []
  for (const { value, pointer } of located.values()) {
    const plan = readParameter(context, value, pointer)
    if (plan !== null) parameters.push(plan)
  }
  for (const name of apiKeys) {
    if (parameters.some((plan) => plan.in === 'query' && plan.name === name)) continue
    parameters.push({ ...ONE_TEXT, name, in: 'query', required: false, allowEmpty: true, pointer: '' })
  }
  warnTwice(parameters, context.warn)
  return { parameters }
}

/** A field of an answer, which is described as a header parameter is (OpenAPI 3.1 §4.8.21). */
export function headerPlan(
  context: Context,
  name: string,
  value: JsonRecord,
  pointer: string,
): ParameterPlan | null {
  return readParameter(context, { ...value, name, in: 'header' }, pointer)
}

function readParameter(context: Context, value: JsonRecord, pointer: string): ParameterPlan | null {
  const name = textAt(value, 'name')
  const place = textAt(value, 'in')
  const warn = (code: ContractWarning['code'], message: string): void =>
    context.warn({ code, pointer, message })
  if (name === undefined || !isPlace(place)) {
    warn('parameter-invalid', 'the parameter has no usable name and place and is not checked')
    return null
  }
  if (place === 'header' && IGNORED_HEADERS.has(name.toLowerCase())) return null
  const common = {
    name: place === 'header' ? name.toLowerCase() : name,
    in: place,
    required: value['required'] === true || place === 'path',
    allowEmpty: value['allowEmptyValue'] === true && place === 'query',
    pointer,
  }
  if (own(recordAt(value, 'x-sallyport'), 'url') !== undefined) {
    throw faultAt(context.document, `${pointer}/x-sallyport/url`, 'this belongs into the parameter’s schema')
  }
  const content = Object.entries(recordAt(value, 'content'))
  const [only] = content
  if (only !== undefined) {
    if (content.length > 1)
      warn('parameter-invalid', `${name} has more than one content: the first one holds`)
    return { ...common, ...contentWriting(context, only, pointer, warn) }
  }
  const stated = own(value, 'schema')
  if (stated === undefined) {
    warn('parameter-invalid', `parameter ${name} has neither schema nor content: any one text is taken`)
    return { ...common, ...ONE_TEXT }
  }
  if (place === 'querystring') {
    warn('parameter-invalid', `${name} is the query string and needs content: any query is taken`)
    return { ...common, ...ONE_TEXT }
  }
  const schema = context.converter.convert(stated, `${pointer}/schema`)
  return { ...common, ...styled(context, name, place, value, schema, warn) }
}

const isPlace = (place: string | undefined): place is Place =>
  place === 'querystring' || (place !== undefined && Object.hasOwn(STYLES, place))

type Written = Pick<ParameterPlan, 'writing' | 'explode' | 'text' | 'schema'>
type Say = (code: ContractWarning['code'], message: string) => void

/** OpenAPI 3.2 §4.12.4 with the table's empty cells filled: what a style does not define is read as form, with a warning. */
function styled(
  context: Context,
  name: string,
  place: Exclude<Place, 'querystring'>,
  value: JsonRecord,
  schema: Schema,
  warn: Say,
): Written {
  const [usual = 'simple'] = STYLES[place]
  const stated = textAt(value, 'style') ?? usual
  let writing = STYLES[place].find((style) => style === stated)
  if (writing === undefined) {
    warn(
      'parameter-style',
      `${place} parameter ${name} cannot have style ${stated.slice(0, 40)}: it is read as ${usual}`,
    )
    writing = usual
  }
  const usually = writing === 'form' || writing === 'cookie' || writing === 'deepObject'
  let explode = typeof value['explode'] === 'boolean' ? value['explode'] : usually
  const text = textShape(schema, context.converter.components, REACH[writing] ?? 1)
  if (writing === 'deepObject') {
    explode = true
    if (text.members === undefined && text.items === undefined) {
      warn('parameter-style', `parameter ${name} is no object: style deepObject is read as form`)
      writing = 'form'
    }
  } else if (explode && (writing === 'spaceDelimited' || writing === 'pipeDelimited')) {
    warn(
      'parameter-style',
      `parameter ${name}: style ${writing} is not defined with explode: it is read as form`,
    )
    writing = 'form'
  }
  if (place === 'cookie' && writing === 'form' && explode && (text.items ?? text.members) !== undefined) {
    warn(
      'parameter-style',
      `cookie ${name}: exploded lists and objects are read as in style cookie, a cookie each`,
    )
  }
  return { writing, explode, text, schema }
}

function contentWriting(
  context: Context,
  [range, member]: readonly [string, unknown],
  pointer: string,
  warn: Say,
): Written {
  const at = `${pointer}/content/${escapePointer(range)}`
  const media = parseMediaType(range)
  const stated = isRecord(member) ? own(member, 'schema') : undefined
  const schema = stated === undefined ? true : context.converter.convert(stated, `${at}/schema`)
  const common = { explode: true, schema }
  if (media !== null && isJson(media)) return { ...common, writing: 'json', text: { types: ['string'] } }
  if (media?.essence === 'application/x-www-form-urlencoded') {
    return { ...common, writing: 'urlencoded', text: textShape(schema, context.converter.components, 2) }
  }
  if (media?.type !== 'text') {
    warn(
      'parameter-style',
      `content of ${range.slice(0, 60)} in a parameter is taken as one text and not read further`,
    )
    return ONE_TEXT
  }
  return { ...common, writing: 'text', text: { types: ['string'] } }
}

/** Members of an exploded object stand under their own names, which may be another parameter's. */
function warnTwice(parameters: readonly ParameterPlan[], warn: (warning: ContractWarning) => void): void {
  for (const plan of parameters) {
    const { name, pointer } = plan
    if (plan.in === 'querystring' && parameters.some((other) => other.in === 'query')) {
      const message = `${name} is the whole query: parameters in query beside it are not told apart from it`
      warn({ code: 'parameter-invalid', pointer, message })
    }
    if (!isSpread(plan)) continue
    for (const member of Object.keys(plan.text.members ?? {})) {
      if (
        !parameters.some(
          (other) => other.in === plan.in && other.name === member && other.pointer !== pointer,
        )
      )
        continue
      const message = `member ${member} of ${name} has the name of another parameter, whose value it is`
      warn({ code: 'parameter-style', pointer, message })
    }
  }
}

/** Leaves out path parameters that the template does not name, with a warning wherever the two disagree. */
export function fitTemplate(
  template: string,
  plans: ParameterPlans,
  pointer: string,
  warn: (warning: ContractWarning) => void,
): ParameterPlans {
  const names = new Set([...template.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? ''))
  const declared = new Set(plans.parameters.filter((plan) => plan.in === 'path').map((plan) => plan.name))
  for (const name of names) {
    if (declared.has(name)) continue
    const message = `{${name}} has no parameter: any one segment fits`
    warn({ code: 'path-parameter', pointer: `${pointer}/parameters/${escapePointer(name)}`, message })
  }
  for (const name of declared) {
    if (names.has(name)) continue
    warn({
      code: 'path-parameter',
      pointer,
      message: `path parameter ${name} is not in the template and is left out`,
    })
  }
  const parameters = plans.parameters.filter((plan) => plan.in !== 'path' || names.has(plan.name))
  return { ...plans, parameters }
}
