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

/** What a branch costs that does not fit, see fuel.ts: a constant or a type is one look, an object's are errors and calls. */
const SCALAR_FUEL = 1
const SCALAR_WORDS = new Set([
  'type',
  'const',
  'enum',
  'title',
  'description',
  'minimum',
  'maximum',
  'format',
])

/**
 * Takes the branches of a union from the check's fuel, where there are many of them, for each item of a long list.
 * `other`: what a branch costs that looks into objects or lists.
 */
export function chargeBranches({ gen, schema }: KeywordCxt, other = 6): void {
  const branches: readonly unknown[] = Array.isArray(schema) ? schema : []
  if (branches.length <= FREE_BRANCHES) return
  const units = branches.reduce<number>((sum, branch) => sum + (isScalar(branch) ? SCALAR_FUEL : other), 0)
  gen.code(_`if((fuel.left-=${units})<0)rt.spent()`)
}

const isScalar = (branch: unknown): boolean =>
  !isRecord(branch) || Object.keys(branch).every((word) => SCALAR_WORDS.has(word))

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
