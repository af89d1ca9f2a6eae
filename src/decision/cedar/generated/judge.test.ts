import { describe, expect, test } from 'vitest'
import { EntityStore } from '../entity-store.ts'
import { Environment } from '../environment.ts'
import { compileConditions, conditionParts } from '../policy-condition.ts'
import { PolicyList } from '../policy-list.ts'
import { parsePolicyText } from '../policy-text.ts'
import { EntityUid, MapRecord, type Value } from '../values.ts'
import { generateJudge, judgeSource, type PolicyParts } from './judge.ts'
import { RUNTIME } from './runtime.ts'

const uid = new EntityUid('User', 'ana')
const store = new EntityStore([{ uid, attributes: new Map<string, Value>([['name', 'Ana']]) }])

function environmentWith(context: readonly (readonly [string, Value])[] = []): Environment {
  return new Environment(
    { principal: uid, action: uid, resource: uid, context: new MapRecord(new Map(context)) },
    store,
  )
}

interface Made extends PolicyParts {
  readonly text: string
}

function made(condition: string): Made {
  const parsed = parsePolicyText(`permit(principal, action, resource) when { ${condition} };`)
  if (!parsed.ok) throw new Error(parsed.errors[0]?.message)
  return {
    text: condition,
    parts: conditionParts(parsed.policy),
    slots: undefined,
    condition: compileConditions(conditionParts(parsed.policy), {}, undefined),
  }
}

const judgedOf = (conditions: readonly string[]) =>
  conditions.map((text) => ({ policy: made(text), principal: null, resource: null }))

/** What is found of each policy, in order: true, or why it failed. */
class Found {
  readonly list: string[] = []

  hold({ text }: Made): void {
    this.list.push(text)
  }

  fail({ text }: Made, error: unknown): void {
    this.list.push(`${text}: ${error instanceof Error ? error.message : ''}`)
  }

  take(policy: Made): void {
    if (policy.condition(environmentWith())) this.list.push(`by closure ${policy.text}`)
  }
}

describe('generated code', () => {
  test('holds no text of a policy, whatever attributes, types and values are called', () => {
    const hostile = '\\"]);globalThis.taken=1//`+globalThis.taken+`\\u{2028}'
    const { source } = judgeSource(
      judgedOf([
        `context["${hostile}"] == "${hostile}"`,
        `context.a["${hostile}"].taken like "${hostile}*"`,
        `principal has "${hostile}" && ["${hostile}"].contains(context.taken)`,
        `principal in taken::Taken::"${hostile}" && principal is taken::Taken`,
        `{"${hostile}": 1}["${hostile}"] == -1`,
      ]),
      (policy) => policy,
    )
    expect(source).not.toMatch(/taken|Taken|\/\/|`|globalThis|\\/)
    const words = new Set(source.match(/[A-Za-z_]\w*/g))
    const known = new Set([
      ...Object.keys(RUNTIME),
      ...'use strict const let runtime constants return if try catch error tally hold fail true false'.split(
        ' ',
      ),
      ...'environment principal action resource context principalEntity resourceEntity'.split(' '),
      ...'get typeof number string undefined type has elements length t'.split(' '),
    ])
    expect([...words].filter((word) => !known.has(word) && !/^[kas]\d+$/.test(word))).toEqual([])
  })

  test('an attribute that is absent fails each policy that asks for it, and only those', () => {
    const judge = generateJudge(
      judgedOf([
        'context.x == 1',
        'context.y == 1',
        'context.x == 2',
        'context has x',
        'principal.name == "Ana"',
      ]),
      (policy) => policy,
    )
    const found = new Found()
    judge(environmentWith([['y', 1]]), found)
    expect(found.list).toEqual([
      'context.x == 1: attribute "x" not found',
      'context.y == 1',
      'context.x == 2: attribute "x" not found',
      'principal.name == "Ana"',
    ])
  })

  test('a condition that several share and that fails, fails each of them', () => {
    const sum = 'context.y + 9223372036854775807 > 0'
    const judge = generateJudge(judgedOf([sum, sum, `true && ${sum}`]), (policy) => policy)
    const found = new Found()
    judge(environmentWith([['y', 1]]), found)
    expect(found.list).toEqual([sum, sum, `true && ${sum}`].map((text) => `${text}: integer overflow`))
  })

  test('what is too long for it is judged by closures within it', () => {
    const long = Array.from({ length: 900 }, (_, i) => `context.y != ${i + 2}`).join(' && ')
    const { source } = judgeSource(judgedOf([long]), (policy) => policy)
    expect(source.length).toBeLessThan(1_000)
    const found = new Found()
    generateJudge(judgedOf([long]), (policy) => policy)(environmentWith([['y', 1]]), found)
    expect(found.list).toEqual([long])
  })
})

describe('a list of policies', () => {
  const conditions = Array.from({ length: 100 }, (_, i) => `principal.name != "${i}"`)

  function listOf(generate: typeof generateJudge<Made>): PolicyList<Made> {
    const list = new PolicyList<Made>({
      generate: (judged) => generate(judged, (policy) => policy),
      after: 5,
      least: 3,
    })
    list.judged.push(...judgedOf(conditions))
    return list
  }

  test('becomes generated code once it is asked for often, a block in an evaluation', () => {
    const generated: number[] = []
    const list = listOf((judged, partsOf) => {
      generated.push(judged.length)
      return generateJudge(judged, partsOf)
    })
    const counts = Array.from({ length: 10 }, () => {
      const found = new Found()
      list.visit(environmentWith(), found)
      expect(found.list.map((text) => text.replace('by closure ', ''))).toEqual(conditions)
      return found.list.filter((text) => text.startsWith('by closure')).length
    })
    expect(counts).toEqual([100, 100, 100, 100, 100, 52, 4, 0, 0, 0])
    expect(generated).toEqual([48, 48, 4])
  })

  test('of a long list a bounded number of blocks becomes code, closures judge the rest', () => {
    let blocks = 0
    const list = new PolicyList<Made>({
      generate: (judged) => {
        blocks++
        return generateJudge(judged, (policy) => policy)
      },
      after: 0,
      least: 3,
    })
    for (let i = 0; i < 12; i++) list.judged.push(...judgedOf(conditions))
    let found = new Found()
    for (let i = 0; i < 30; i++) {
      found = new Found()
      list.visit(environmentWith(), found)
    }
    expect(blocks).toBe(16)
    expect(found.list).toHaveLength(1_200)
    expect(found.list.filter((text) => text.startsWith('by closure'))).toHaveLength(1_200 - 16 * 48)
  })

  test('stays with closures where no code may be generated', () => {
    let asked = 0
    const list = listOf(() => {
      asked++
      throw new EvalError('code generation from strings is disallowed')
    })
    for (let i = 0; i < 20; i++) {
      const found = new Found()
      list.visit(environmentWith(), found)
      expect(found.list).toHaveLength(100)
    }
    expect(asked).toBe(3)
  })
})
