import { _, type Code, type CodeKeywordDefinition, type KeywordCxt } from 'ajv'
import codegen from 'ajv/dist/compile/codegen/index.js'
import vocabularyCode from 'ajv/dist/vocabularies/code.js'
import { chargeBranches } from '../union-keywords.ts'

const { propertyInData, validateUnion } = vocabularyCode
const { or } = codegen

/** `absent: [names]`: an object has none of them. Made by PlaceSealer, never by a contract. */
export const ABSENT: CodeKeywordDefinition = {
  keyword: 'absent',
  type: 'object',
  schemaType: 'array',
  code(context: KeywordCxt) {
    const { gen, data, schema, it } = context
    context.fail(
      anyOf((schema as string[]).map((name) => propertyInData(gen, data, name, it.opts.ownProperties))),
    )
  },
}

interface Cover {
  readonly names: readonly string[]
  readonly branches: readonly number[]
}

/**
 * `anyOf` as JSON Schema has it; with `covers` beside it (PlaceSealer's), every branch is tried, and a name that stands
 * in the instance needs one of the branches that declare it to fit.
 */
export const ANY_OF: CodeKeywordDefinition = {
  keyword: 'anyOf',
  schemaType: 'array',
  trackErrors: true,
  code(context: KeywordCxt) {
    const { gen, data, schema, it, parentSchema } = context
    const covers = parentSchema['covers'] as readonly Cover[] | undefined
    // The first branch that fits ends it, unless all have to be known.
    chargeBranches(context, covers === undefined ? 2 : 6)
    if (covers === undefined) return validateUnion(context)
    const valid = gen.let('valid', false)
    const fits = (schema as unknown[]).map((_branch, index) => {
      const fit = gen.name('_valid')
      const inner = context.subschema({ keyword: 'anyOf', schemaProp: index, compositeRule: true }, fit)
      gen.assign(valid, _`${valid} || ${fit}`)
      context.mergeValidEvaluated(inner, fit)
      return fit
    })
    gen.if(_`${valid} && ${data} && typeof ${data} == "object" && !Array.isArray(${data})`, () => {
      for (const { names, branches } of covers) {
        const present = anyOf(names.map((name) => propertyInData(gen, data, name, it.opts.ownProperties)))
        const fit = anyOf(branches.map((index) => fits[index] ?? _`false`))
        gen.if(_`(${present}) && !(${fit})`, () => gen.assign(valid, false))
      }
    })
    context.result(
      valid,
      () => context.reset(),
      () => context.error(true),
    )
  },
}

const anyOf = (codes: readonly Code[]): Code => or(...codes)
