import { _, type CodeKeywordDefinition, type KeywordCxt, str, stringify } from 'ajv'
import names from 'ajv/dist/compile/names.js'
import { unwrap } from '../commonjs.ts'

const N = unwrap(names)

/** Marks a place that holds URLs; every value fits it, and what is wrong with one is gathered (url-guard.ts). */
export const URL_KEYWORD: CodeKeywordDefinition = {
  keyword: 'x-url',
  type: 'string',
  code: ({ gen, data, schema, it }: KeywordCxt) => {
    const place = gen.scopeValue('keyword', {
      key: `url:${JSON.stringify(schema)}`,
      ref: schema,
      code: stringify(schema),
    })
    const path = str`${N.instancePath}${it.errorPath}`
    gen.if(_`rt.urls.guard !== null`, () => gen.code(_`rt.url(${data}, ${path}, ${place})`))
  },
}
