import { _, type Code, type CodeKeywordDefinition, type KeywordCxt, Name, nil, stringify } from 'ajv'
import type { Schema } from './schema.ts'

/**
 * Keywords of arrays and objects whose code is ours, because Ajv's lets values through: an item that `contains` looked
 * at counts as evaluated only where it fits (JSON Schema core 2020-12 §10.3.1.3), and a member named `constructor` is
 * not evaluated because every object inherits one.
 */
export function evaluationKeywords(component: (ref: string) => Schema): readonly CodeKeywordDefinition[] {
  return [contains, unevaluatedProperties, unevaluatedItems(component)]
}

const contains: CodeKeywordDefinition = {
  keyword: 'contains',
  type: 'array',
  schemaType: ['object', 'boolean'],
  before: 'uniqueItems',
  trackErrors: true,
  code: (context) => {
    const { gen, parentSchema, data } = context
    const min: number = parentSchema['minContains'] ?? 1
    const max: number | undefined = parentSchema['maxContains']
    if (max === undefined && min === 0) return
    const count = gen.let('count', 0)
    const fits = gen.name('_valid')
    gen.forRange('i', 0, _`${data}.length`, (index) => {
      context.subschema({ keyword: 'contains', dataProp: index, dataPropType: 0, compositeRule: true }, fits)
      gen.if(fits, () => {
        gen.code(_`${count}++`)
        gen.if(_`${count} ${max === undefined ? _`>= ${min}` : _`> ${max}`}`, () => gen.break())
      })
    })
    context.result(_`${count} >= ${min}${max === undefined ? nil : _` && ${count} <= ${max}`}`, () =>
      context.reset(),
    )
  },
}

const unevaluatedProperties: CodeKeywordDefinition = {
  keyword: 'unevaluatedProperties',
  type: 'object',
  schemaType: ['boolean', 'object'],
  trackErrors: true,
  error: { message: '', params: ({ params }) => _`{unevaluatedProperty: ${params['name']}}` },
  code: (context) => {
    const { gen, schema, data, it } = context
    const { props } = it
    const valid = gen.var('valid', true)
    const refuse = (name: Name): void => {
      if (schema === false) {
        context.setParams({ name })
        context.error()
        gen.assign(valid, false).break()
      } else if (schema !== true) {
        context.subschema({ keyword: 'unevaluatedProperties', dataProp: name, dataPropType: 1 }, valid)
        gen.if(_`!${valid}`, () => gen.break())
      }
    }
    if (props !== true) {
      const each = (): void => {
        gen.forIn('key', data, (name) => gen.if(_`!(${isEvaluated(props, name)})`, () => refuse(name)))
      }
      if (props instanceof Name) gen.if(_`${props} !== true`, each)
      else each()
    }
    it.props = true
    context.ok(valid)
  },
}

function isEvaluated(props: KeywordCxt['it']['props'], name: Name): Code {
  if (props instanceof Name) return _`${props} && Object.hasOwn(${props}, ${name})`
  const known = Object.entries(typeof props === 'object' ? props : {}).filter(([, known]) => known === true)
  return known.reduce((code, [each]) => _`${code} || ${name} === ${each}`, _`false`)
}

function unevaluatedItems(component: (ref: string) => Schema): CodeKeywordDefinition {
  return {
    keyword: 'unevaluatedItems',
    type: 'array',
    schemaType: ['boolean', 'object'],
    trackErrors: true,
    error: { message: '', params: () => _`{}` },
    code: (context) => {
      const { gen, schema, data, parentSchema, it } = context
      const { items } = it
      it.items = true
      if (items === true) return
      const length = gen.const('len', _`${data}.length`)
      const from =
        items instanceof Name
          ? gen.const('from', _`${items} === true ? ${length} : ${items} || 0`)
          : (items ?? 0)
      const marks = new Marks(context, component)
      const seen = marks.isNeeded(parentSchema) ? gen.const('seen', _`[]`) : undefined
      if (seen !== undefined) {
        marks.emit(parentSchema, from, length, seen)
        context.reset()
      }
      const valid = gen.var('valid', true)
      gen.forRange('i', from, length, (index) => {
        const check = (): void => {
          if (schema === false) gen.assign(valid, false)
          else context.subschema({ keyword: 'unevaluatedItems', dataProp: index, dataPropType: 0 }, valid)
          gen.if(_`!${valid}`, () => gen.break())
        }
        if (seen === undefined) check()
        else gen.if(_`!${seen}[${index}]`, check)
      })
      if (schema === false) context.pass(valid)
      else context.ok(valid)
    },
  }
}

const IN_PLACE = ['allOf', 'anyOf', 'oneOf'] as const
/** References that lead to references in place; more is a circle. */
const MAX_HOPS = 20

/** Marks the items that some `contains` of the same array found to fit, through what applies in place. */
class Marks {
  readonly #context: KeywordCxt
  readonly #component: (ref: string) => Schema

  constructor(context: KeywordCxt, component: (ref: string) => Schema) {
    this.#context = context
    this.#component = component
  }

  isNeeded(schema: Schema, hops = 0): boolean {
    if (typeof schema === 'boolean' || hops > MAX_HOPS) return false
    if (schema['contains'] !== undefined) return true
    const target = this.#target(schema)
    if (target !== undefined && this.isNeeded(target, hops + 1)) return true
    return IN_PLACE.some((keyword) =>
      membersOf(schema, keyword).some((each) => this.isNeeded(each, hops + 1)),
    )
  }

  emit(schema: Schema, from: Code | number, length: Name, seen: Name, hops = 0): void {
    if (typeof schema === 'boolean' || hops > MAX_HOPS) return
    const { gen } = this.#context
    const inner = schema['contains'] as Schema | undefined
    if (inner !== undefined) {
      gen.forRange('i', from as Name, length, (index) => {
        gen.assign(_`${seen}[${index}]`, _`${seen}[${index}] || ${this.#fits(inner, index)}`)
      })
    }
    const target = this.#target(schema)
    if (target !== undefined) this.emit(target, from, length, seen, hops + 1)
    for (const keyword of IN_PLACE) {
      for (const branch of membersOf(schema, keyword)) {
        if (!this.isNeeded(branch, hops + 1)) continue
        const mark = (): void => this.emit(branch, from, length, seen, hops + 1)
        if (keyword === 'allOf') mark()
        else gen.if(this.#fits(branch), mark)
      }
    }
  }

  #target(schema: Readonly<Record<string, unknown>>): Schema | undefined {
    return typeof schema['$ref'] === 'string' ? this.#component(schema['$ref']) : undefined
  }

  /** Whether the array, or one item of it, fits a schema; its errors are nobody's. */
  #fits(schema: Schema, index?: Name): Name {
    const { gen } = this.#context
    const valid = gen.name('_valid')
    const code = stringify(schema)
    const top = gen.scopeValue('schema', { ref: schema, code, key: `part:${JSON.stringify(schema)}` })
    const place = { schema, schemaPath: nil, topSchemaRef: top, errSchemaPath: '#' }
    const quiet = { compositeRule: true, createErrors: false, allErrors: false } as const
    const at = index === undefined ? {} : ({ dataProp: index, dataPropType: 0 } as const)
    this.#context.subschema({ ...place, ...quiet, ...at }, valid)
    return valid
  }
}

function membersOf(schema: Readonly<Record<string, unknown>>, keyword: string): readonly Schema[] {
  const members = schema[keyword]
  return Array.isArray(members) ? members : []
}
