import { _, type CodeKeywordDefinition, type KeywordCxt, Name, stringify } from 'ajv'
import names from 'ajv/dist/compile/names.js'
import oneOf from 'ajv/dist/vocabularies/applicator/oneOf.js'
import { unwrap } from './commonjs.ts'
import type { Branches } from './discriminator.ts'
import { isRecord, type JsonRecord } from './json-value.ts'

const N = unwrap(names)

const plain = unwrap(oneOf) as CodeKeywordDefinition

/** `oneOf`; with `branches` beside it (the converter's), the errors told are those of the branch the value names. */
export const ONE_OF: CodeKeywordDefinition = {
  keyword: 'oneOf',
  schemaType: 'array',
  trackErrors: true,
  code: (context, ruleType) => {
    chargeBranches(context)
    const branches: unknown = context.parentSchema['branches']
    if (isRecord(branches)) discriminated(context, branches)
    else plain.code(context, ruleType)
  },
}

/** Few branches cost no more than a call, which is counted anyway. */
const FREE_BRANCHES = 4

/**
 * Takes the branches of a union from the check's fuel, where there are many of them, for each item of a long list.
 * `share`: of them that are tried as a rule.
 */
export function chargeBranches({ gen, schema }: KeywordCxt, share = 1): void {
  const count = Array.isArray(schema) ? schema.length : 0
  if (count > FREE_BRANCHES) gen.code(_`if((fuel.left-=${Math.ceil(count * share)})<0)rt.spent()`)
}

function discriminated(context: KeywordCxt, branches: JsonRecord): void {
  const { gen, data } = context
  const cases = branches['cases'] as Branches['cases']
  const key = `cases:${JSON.stringify(cases)}`
  const map = gen.scopeValue('keyword', { key, ref: new Map(cases), code: _`new Map(${stringify(cases)})` })
  const named = gen.const('named', _`rt.branch(${data}, ${String(branches['property'])}, ${map})`)
  const [from, to] = [gen.let('from', 0), gen.let('to', 0)]
  const fitting = gen.let('fitting', 0)
  const fits = gen.name('_valid')
  const members = context.schema as readonly unknown[]
  for (const index of members.keys()) {
    gen.if(_`${named} === ${index}`, () => gen.assign(from, N.errors))
    const inner = context.subschema({ keyword: 'oneOf', schemaProp: index, compositeRule: true }, fits)
    gen.if(_`${named} === ${index}`, () => gen.assign(to, N.errors))
    gen.if(fits, () => {
      gen.code(_`${fitting}++`)
      context.mergeEvaluated(inner, Name)
    })
  }
  context.result(
    _`${fitting} === 1`,
    () => context.reset(),
    () => {
      gen.if(_`${N.vErrors} !== null`, () => {
        const told = _`${N.vErrors}.slice(0, ${context.errsCount ?? 0}).concat(${N.vErrors}.slice(${from}, ${to}))`
        gen.assign(N.vErrors, told).assign(N.errors, _`${N.vErrors}.length`)
      })
      context.error(true)
    },
  )
}
