import { _, type Code, type CodeKeywordDefinition, type KeywordCxt, str, stringify } from 'ajv'
import names from 'ajv/dist/compile/names.js'
import { unwrap } from './commonjs.ts'
import { exactNumber, numberText, type RawNumber } from './exact-json.ts'
import { decimalPlaces } from './exact-number.ts'
import { INTEGER_FORMATS } from './formats.ts'
import { canonical } from './unique.ts'

/**
 * Keywords whose code is ours, because Ajv judges doubles: numbers that a double does not hold are told by their
 * digits. Those stand in `rt.exact.root`, which is undefined where all numbers of a value are doubles; then each
 * check is one comparison.
 */
const N = unwrap(names)

/** Where the checked value stands, as JSON pointer. */
const pathOf = (context: KeywordCxt): Code => str`${N.instancePath}${context.it.errorPath}`

const OPERATORS = { minimum: '>=', maximum: '<=', exclusiveMinimum: '>', exclusiveMaximum: '<' } as const

function bound(keyword: keyof typeof OPERATORS): CodeKeywordDefinition {
  return {
    keyword,
    type: 'number',
    code: (context) => {
      const { data } = context
      const limit = numberText(context.schema as number | RawNumber)
      const exact = _`rt.within(${keyword}, ${data}, ${pathOf(context)}, ${limit})`
      context.pass(
        typeof context.schema === 'number'
          ? _`rt.exact.root === undefined ? ${compared(keyword, data, context.schema)} : ${exact}`
          : exact,
      )
    },
  }
}

function compared(keyword: keyof typeof OPERATORS, data: Code, limit: number): Code {
  if (keyword === 'minimum') return _`${data} >= ${limit}`
  if (keyword === 'maximum') return _`${data} <= ${limit}`
  return keyword === 'exclusiveMinimum' ? _`${data} > ${limit}` : _`${data} < ${limit}`
}

const multipleOf: CodeKeywordDefinition = {
  keyword: 'multipleOf',
  type: 'number',
  code: (context) => {
    const { data } = context
    const schema = context.schema as number | RawNumber
    const text = numberText(schema)
    const exact = _`rt.multiple(${data}, ${pathOf(context)}, ${text})`
    const places = decimalPlaces(text)
    context.pass(
      typeof schema === 'number'
        ? _`rt.exact.root === undefined ? ${places === 0 ? _`${data} % ${schema} === 0` : _`rt.multipleOf(${data}, ${schema}, ${places}, ${text})`} : ${exact}`
        : exact,
    )
  },
}

const integer: CodeKeywordDefinition = {
  keyword: 'integer',
  type: 'number',
  code: (context) => {
    const { data } = context
    const exact = _`rt.whole(${data}, ${pathOf(context)})`
    context.pass(_`rt.exact.root === undefined ? ${data} % 1 === 0 : ${exact}`)
  },
}

const numberFormat: CodeKeywordDefinition = {
  keyword: 'numberFormat',
  type: 'number',
  code: (context) => {
    const { data } = context
    const range = INTEGER_FORMATS.get(String(context.schema))
    if (range === undefined) throw new Error('a format of integers is not known')
    const [least, most] = range
    const exact = _`rt.ranged(${data}, ${pathOf(context)}, ${least}, ${most})`
    // 2^63 and 2^64 are what every too large literal nearby is rounded to.
    const double = exactNumber(most)
    const upper = typeof double === 'number' ? _`${data} <= ${double}` : _`${data} < ${Number(most)}`
    const inside = _`${data} % 1 === 0 && ${data} >= ${Number(least)} && ${upper}`
    context.pass(_`rt.exact.root === undefined ? ${inside} : ${exact}`)
  },
}

const uniqueItems: CodeKeywordDefinition = {
  keyword: 'uniqueItems',
  type: 'array',
  schemaType: 'boolean',
  // Ajv compares each item with each: with 65,000 of them, minutes.
  code: (context) => context.pass(_`rt.unique(${context.data}, ${pathOf(context)})`),
}

/** So many comparisons cost no more than a look-up. */
const MAX_COMPARED = 8

function members(keyword: 'enum' | 'const'): CodeKeywordDefinition {
  return {
    keyword,
    code: (context) => {
      const { data } = context
      const values: readonly unknown[] = keyword === 'const' ? [context.schema] : context.schema
      const isPlain = (value: unknown): boolean =>
        value === null || !['number', 'object'].includes(typeof value)
      if (values.length <= MAX_COMPARED && values.every(isPlain)) {
        context.pass(
          values
            .map((value) => _`${data} === ${stringify(value)}`)
            .reduce((a, b) => _`${a} || ${b}`, _`false`),
        )
        return
      }
      const scalars = values.filter((value) => value === null || typeof value !== 'object')
      const set = setCode(context, scalars)
      if (values.every(isPlain)) {
        context.pass(_`${set}.has(${data})`)
        return
      }
      const texts = setCode(context, values.filter((value) => !isPlain(value)).map(canonical))
      context.pass(_`rt.member(${data}, ${pathOf(context)}, ${set}, ${texts})`)
    },
  }
}

function setCode({ gen }: KeywordCxt, values: readonly unknown[]): Code {
  const key = `set:${JSON.stringify(values)}`
  return gen.scopeValue('keyword', { key, ref: new Set(values), code: _`new Set(${stringify(values)})` })
}

export const EXACT_KEYWORDS: readonly CodeKeywordDefinition[] = [
  ...(Object.keys(OPERATORS) as (keyof typeof OPERATORS)[]).map(bound),
  multipleOf,
  integer,
  numberFormat,
  uniqueItems,
  members('enum'),
  members('const'),
]
