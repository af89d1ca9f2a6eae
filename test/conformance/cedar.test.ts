import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { describe, expect, it } from 'vitest'
import { type EntityStatement, EntityStore } from '../../src/decision/cedar/entity-store.ts'
import { entityOf } from '../../src/decision/cedar/est.ts'
import type { KnownAction, SetMember } from '../../src/decision/cedar/policy-set.ts'
import { parsePolicyText } from '../../src/decision/cedar/policy-text.ts'
import { scanPolicies } from '../../src/decision/cedar/source.ts'
import { valueOfJson } from '../../src/decision/cedar/value-json.ts'
import { CedarRecord, EntityUid, type Value } from '../../src/decision/cedar/values.ts'
import { ExplicitValues } from '../cedar-explicit.ts'
import { fixturesDir } from '../fixtures.ts'
import { JudgedBothWays } from '../judged-both-ways.ts'

/**
 * The official corpus (cedar-integration-tests), evaluated by the gate's own evaluator with the switch on plain Cedar:
 * decision, determining policies and the policies that failed must be the same for every request.
 */
interface CorpusCase {
  readonly policies: string
  readonly schema: string
  readonly entities: readonly CorpusEntity[]
  readonly requests: readonly CorpusRequest[]
}

interface CorpusEntity {
  readonly uid: unknown
  readonly attrs: Readonly<Record<string, unknown>>
  readonly parents: readonly unknown[]
  readonly tags?: Readonly<Record<string, unknown>>
}

interface CorpusRequest {
  readonly description: string
  readonly principal: unknown
  readonly action: unknown
  readonly resource: unknown
  readonly context: unknown
  readonly decision: 'allow' | 'deny'
  readonly reason: readonly string[]
  readonly errors: readonly string[]
}

/** Numbers that JavaScript would round become bigints. */
function parseExactly(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  const exact = (_key: string, value: unknown, { source }: { readonly source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined ? BigInt(source) : value
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown)
}

function uid(json: unknown): EntityUid {
  const name = entityOf(json)
  if (name === null) throw new Error(`no entity: ${JSON.stringify(json)}`)
  return new EntityUid(name.type, name.id)
}

function membersOf(text: string): SetMember[] {
  const scan = scanPolicies(text)
  if (!scan.ok) throw new Error(scan.why)
  return scan.policies.map(({ start, end }, index) => {
    const parsed = parsePolicyText(text.slice(start, end))
    if (!parsed.ok) throw new Error(parsed.errors[0]?.message ?? 'too deep')
    return { id: `policy${index}`, policy: parsed.policy }
  })
}

/** The schema states the actions' groups; an action of the entities states them again, or has none. */
function actionsOf(schema: cedar.SchemaJson<string>): EntityStatement[] {
  return Object.entries(schema).flatMap(([namespace, { actions }]) => {
    const type = namespace === '' ? 'Action' : `${namespace}::Action`
    return Object.entries(actions).map(([id, { memberOf }]) => ({
      uid: new EntityUid(type, id),
      parents: (memberOf ?? []).map((group) => new EntityUid(group.type ?? type, group.id)),
    }))
  })
}

function values(json: Readonly<Record<string, unknown>>): ReadonlyMap<string, Value> {
  return new Map(Object.entries(json).map(([name, value]) => [name, valueOfJson(value)]))
}

interface KnownSchema {
  readonly actions: readonly EntityStatement[]
  readonly explicit: ExplicitValues
}

/** Many tests share a schema, and reading one takes longer than all else. */
const schemas = new Map<string, KnownSchema>()

function known(schema: string): KnownSchema {
  const earlier = schemas.get(schema)
  if (earlier !== undefined) return earlier
  const answer = cedar.schemaToJsonWithResolvedTypes(schema)
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message)
  const read = { actions: actionsOf(answer.json), explicit: new ExplicitValues(answer.json) }
  schemas.set(schema, read)
  return read
}

function compare({ policies, schema, entities, requests }: CorpusCase): readonly string[] {
  const { actions, explicit } = known(schema)
  const named = new Set(actions.map((action) => JSON.stringify(action.uid)))
  const store = new EntityStore([
    ...actions,
    ...entities.flatMap(({ uid: name, attrs, parents, tags }) =>
      named.has(JSON.stringify(uid(name)))
        ? []
        : [
            {
              uid: uid(name),
              attributes: values(explicit.attributes(uid(name).type, attrs)),
              parents: parents.map(uid),
              tags: values(explicit.tags(uid(name).type, tags ?? {})),
            },
          ],
    ),
  ])
  const ancestries: KnownAction[] = actions.map((action) => ({
    uid: action.uid,
    ancestors: store.get(action.uid)?.ancestors() ?? [],
  }))
  const set = new JudgedBothWays(membersOf(policies), ancestries, { erroringForbidDenies: false })
  return requests.flatMap((request) => {
    const action = uid(request.action)
    const context = valueOfJson(explicit.context(action.type, action.id, request.context))
    if (!(context instanceof CedarRecord)) throw new Error('a context is no record')
    const answer = set.authorize(
      {
        principal: uid(request.principal),
        action,
        resource: uid(request.resource),
        context,
      },
      store,
    )
    const expected = [request.decision, [...request.reason].sort(), [...request.errors].sort()]
    const found = [answer.decision, answer.policies, answer.errors.map(({ policy }) => policy)]
    return JSON.stringify(found) === JSON.stringify(expected)
      ? []
      : [`${request.description}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`]
  })
}

function disagreements(name: string, test: CorpusCase): readonly string[] {
  try {
    return compare(test).map((difference) => `${name}: ${difference}`)
  } catch (error) {
    return [`${name}: ${error instanceof Error ? error.message : 'unknown'}`]
  }
}

const fixtures = fixturesDir()

describe.skipIf(fixtures === null)('the official Cedar corpus', () => {
  const root = join(fixtures ?? '', 'cedar')

  it('agrees on every request of the generated tests', () => {
    const lines = gunzipSync(readFileSync(join(root, 'corpus.jsonl.gz')))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
    let requests = 0
    const differences: string[] = []
    for (const line of lines) {
      const test = parseExactly(line) as CorpusCase & { readonly name: string }
      requests += test.requests.length
      differences.push(...disagreements(test.name, test))
    }
    console.log(`cedar corpus: ${requests} requests of ${lines.length} tests compared`)
    expect(differences.slice(0, 20)).toEqual([])
    expect(requests).toBeGreaterThan(0)
  }, 180_000)

  it('agrees on every request of the written examples', () => {
    const files = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.json'),
    )
    let requests = 0
    const differences: string[] = []
    for (const file of files) {
      const test = parseExactly(readFileSync(join(root, 'examples', file), 'utf8')) as {
        readonly policies: string
        readonly entities: string
        readonly schema: string
        readonly requests: readonly CorpusRequest[]
      }
      const text = (path: string): string =>
        readFileSync(join(root, path.replace(/^tests\//, 'examples/')), 'utf8')
      requests += test.requests.length
      differences.push(
        ...disagreements(file, {
          policies: text(test.policies),
          schema: text(test.schema),
          entities: parseExactly(text(test.entities)) as readonly CorpusEntity[],
          requests: test.requests,
        }),
      )
    }
    console.log(`cedar examples: ${requests} requests of ${files.length} tests compared`)
    expect(differences).toEqual([])
    expect(requests).toBeGreaterThan(0)
  })
})
