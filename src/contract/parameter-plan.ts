import { escapePointer } from '../syntax/json-pointer.ts'
import type { ContractWarning, ParameterDetail, ParameterType } from './detail.ts'
import { faultAt, type OpenApiDocument } from './document.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt, textAt } from './json-value.ts'
import { follow } from './reference.ts'
import type { Schema, SchemaConverter } from './schema.ts'

/** A parameter before its schema has a check. */
export interface ParameterPlan extends Omit<ParameterDetail, 'check'> {
  readonly schema: Schema
}

export interface ParameterPlans {
  readonly parameters: readonly ParameterPlan[]
  readonly queryPrefixes: readonly string[]
  readonly queryOpen: boolean
}

interface Context {
  readonly document: OpenApiDocument
  readonly converter: SchemaConverter
  readonly warn: (warning: ContractWarning) => void
}

/** OpenAPI 3.1 §4.8.12.1: ignored, because they say what other parts of the contract say. */
const IGNORED_HEADERS = new Set(['accept', 'content-type', 'authorization'])
const DEFAULT_STYLE: Readonly<Record<string, string>> = { path: 'simple', header: 'simple', query: 'form' }

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
  const out = { parameters: [] as ParameterPlan[], queryPrefixes: [] as string[], queryOpen: false }
  for (const { value, pointer } of located.values()) readParameter(context, value, pointer, out)
  for (const name of apiKeys) {
    const known = out.parameters.some((plan) => plan.in === 'query' && plan.name === name)
    if (!known) out.parameters.push(uncheckedQuery(name, false))
  }
  return out
}

function readParameter(
  context: Context,
  value: JsonRecord,
  pointer: string,
  out: { parameters: ParameterPlan[]; queryPrefixes: string[]; queryOpen: boolean },
): void {
  const name = textAt(value, 'name')
  const place = textAt(value, 'in')
  const warn = (code: ContractWarning['code'], message: string): void =>
    context.warn({ code, pointer, message })
  if (place === 'cookie') {
    warn('parameter-cookie', `cookie ${name ?? ''} is not checked`)
    return
  }
  if (name === undefined || (place !== 'path' && place !== 'query' && place !== 'header')) {
    warn('parameter-invalid', 'the parameter has no usable name and place and is not checked')
    return
  }
  if (place === 'header' && IGNORED_HEADERS.has(name.toLowerCase())) return
  const common: Pick<ParameterPlan, 'name' | 'in' | 'required' | 'allowEmpty'> = {
    name: place === 'header' ? name.toLowerCase() : name,
    in: place,
    required: value['required'] === true || place === 'path',
    allowEmpty: value['allowEmptyValue'] === true,
  }
  const unchecked: ParameterPlan = { ...common, form: 'unchecked', types: ['string'], schema: true }
  const stated = own(value, 'schema')
  if (stated === undefined) {
    warn(
      'parameter-style',
      `parameter ${name} has no schema (content is not read yet): its value is not checked`,
    )
    out.parameters.push(unchecked)
    return
  }
  const schema = context.converter.convert(stated, `${pointer}/schema`)
  const kinds = possibleTypes(schema, context.converter.components)
  const style = textAt(value, 'style') ?? DEFAULT_STYLE[place]
  const explode = typeof value['explode'] === 'boolean' ? value['explode'] : style === 'form'
  const plain = style === DEFAULT_STYLE[place]
  if (kinds.has('object') && kinds.size === 1) {
    warn('parameter-style', `parameter ${name} is an object (style ${style}): its value is not checked`)
    if (place === 'query') objectNames(context, name, style, explode, schema, common.required, out)
    else out.parameters.push(unchecked)
    return
  }
  const form = formOf(kinds)
  const array = form !== 'one'
  if (!plain || (array && place === 'query' && !explode)) {
    const how = `style ${style}${explode ? ', exploded' : ''}`
    warn('parameter-style', `parameter ${name} has ${how}, which is not read yet: its value is not checked`)
    out.parameters.push(unchecked)
    return
  }
  const items = form === 'list' ? itemTypes(schema, context.converter.components) : kinds
  out.parameters.push({ ...common, form, types: readable(items), schema })
}

/** An object in the query stands there under other names than its own. */
function objectNames(
  context: Context,
  name: string,
  style: string | undefined,
  explode: boolean,
  schema: Schema,
  required: boolean,
  out: { parameters: ParameterPlan[]; queryPrefixes: string[]; queryOpen: boolean },
): void {
  if (style === 'deepObject') out.queryPrefixes.push(`${name}[`)
  else if (style === 'form' && explode) {
    const target = dereference(schema, context.converter.components)
    const names = typeof target === 'object' ? Object.keys(recordAt(target, 'properties')) : []
    for (const member of names) out.parameters.push(uncheckedQuery(member, false))
    const others = typeof target === 'object' ? target['additionalProperties'] : undefined
    out.queryOpen ||= names.length === 0 || (others !== undefined && others !== false)
  } else out.parameters.push(uncheckedQuery(name, required))
}

const uncheckedQuery = (name: string, required: boolean): ParameterPlan => ({
  name,
  in: 'query',
  required,
  form: 'unchecked',
  types: ['string'],
  schema: true,
  allowEmpty: true,
})

function dereference(schema: Schema, components: readonly Schema[]): Schema {
  let at = schema
  for (let hop = 0; hop < 50 && typeof at === 'object' && typeof at['$ref'] === 'string'; hop++) {
    at = components[Number(at['$ref'].slice(2))] ?? true
  }
  return at
}

/** A schema that says nothing of types takes one value; one that allows arrays beside scalars takes either. */
function formOf(kinds: ReadonlySet<Type>): 'one' | 'list' | 'either' {
  if (!kinds.has('array') || kinds.size === ALL.length) return 'one'
  return ['string', 'number', 'integer', 'boolean'].some((type) => kinds.has(type as Type))
    ? 'either'
    : 'list'
}

const ALL = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'] as const
type Type = (typeof ALL)[number]

/** Types a value may have, read off `type`, `enum` and through references and combinators; all where none is said. */
function possibleTypes(schema: Schema, components: readonly Schema[], depth = 0): Set<Type> {
  if (typeof schema === 'boolean' || depth > 20) return new Set(ALL)
  let types: Set<Type> | undefined
  const narrow = (other: Set<Type>): void => {
    types = types === undefined ? other : new Set(ALL.filter((type) => types?.has(type) && other.has(type)))
  }
  const stated = schema['type']
  if (stated !== undefined) {
    const listed = new Set((Array.isArray(stated) ? stated : [stated]) as Type[])
    if (listed.has('number')) listed.add('integer')
    narrow(listed)
  }
  const values = Array.isArray(schema['enum']) ? schema['enum'] : 'const' in schema ? [schema['const']] : []
  if (values.length > 0) narrow(new Set(values.flatMap(typesOf)))
  if (typeof schema['$ref'] === 'string') {
    narrow(possibleTypes(components[Number(schema['$ref'].slice(2))] ?? true, components, depth + 1))
  }
  for (const member of listAt(schema, 'allOf')) narrow(possibleTypes(member as Schema, components, depth + 1))
  for (const keyword of ['anyOf', 'oneOf']) {
    const branches = listAt(schema, keyword).slice(0, 100)
    if (branches.length === 0) continue
    narrow(new Set(branches.flatMap((branch) => [...possibleTypes(branch as Schema, components, depth + 1)])))
  }
  return types ?? new Set(ALL)
}

function typesOf(value: unknown): Type[] {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  if (isRecord(value)) return ['object']
  return typeof value === 'number'
    ? ['number', 'integer']
    : typeof value === 'boolean'
      ? ['boolean']
      : ['string']
}

function itemTypes(schema: Schema, components: readonly Schema[]): Set<Type> {
  const target = dereference(schema, components)
  const items = typeof target === 'object' ? target['items'] : undefined
  return items === undefined ? new Set(ALL) : possibleTypes(items as Schema, components)
}

/** In which order a text is tried: only what can be written as one scalar. */
function readable(types: ReadonlySet<Type>): readonly ParameterType[] {
  const order: readonly ParameterType[] = ['number', 'integer', 'boolean', 'null', 'string']
  const found = order.filter((type) => types.has(type) && !(type === 'integer' && types.has('number')))
  return found.length === 0 ? ['string'] : found
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
