import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixturesDir } from '../fixtures.ts'
import { checkOf, readGroups, remoteDocuments, suiteCheck } from '../json-schema-suite.ts'

/**
 * JSON-Schema-Test-Suite through the way of every schema of a contract. What fails is listed by name and reason in
 * docs/reference/json-schema.md: a case that fails and is not listed fails here, and so does a listed one that passes.
 */
const dir = fixturesDir()
const suite = join(dir ?? '', 'json-schema-test-suite')
const DIALECTS: Readonly<Record<string, string>> = {
  'draft2020-12': 'https://json-schema.org/draft/2020-12/schema',
  draft7: 'http://json-schema.org/draft-07/schema#',
  draft4: 'http://json-schema.org/draft-04/schema#',
}
const listed = new Set(
  readFileSync(join(import.meta.dirname, '../../docs/reference/json-schema.md'), 'utf8')
    .split('\n')
    .flatMap((line) => /^- `(.+)`$/.exec(line)?.[1] ?? []),
)

const filesOf = (draft: string, folder: string): readonly string[] =>
  readdirSync(join(suite, 'tests', draft, folder))
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(folder, name.slice(0, -5)))

const files =
  dir === null
    ? []
    : Object.keys(DIALECTS).flatMap((draft) =>
        ['', 'optional', 'optional/format'].flatMap((folder) =>
          filesOf(draft, folder).map((file) => ({ draft, file })),
        ),
      )
const remotes = dir === null ? new Map<string, unknown>() : remoteDocuments(suite)
const counted = new Map<string, { passed: number; all: number }>()

describe.skipIf(dir === null)('JSON-Schema-Test-Suite', () => {
  it.each(files)('$draft/$file', ({ draft, file }) => {
    const kind = `${draft} ${file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : 'mandatory'}`
    const count = counted.get(kind) ?? { passed: 0, all: 0 }
    counted.set(kind, count)
    const wrong: string[] = []
    for (const { description, schema, tests } of readGroups(join(suite, 'tests', draft, `${file}.json`))) {
      const check = suiteCheck(schema, DIALECTS[draft] ?? '', remotes)
      for (const test of tests) {
        const name = `${draft}/${file}: ${description} / ${test.description}`
        const passes = check(test.data) === test.valid
        count.all++
        if (passes) count.passed++
        if (passes === listed.has(name)) wrong.push(`${passes ? 'passes, but is listed' : 'fails'}: ${name}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('passes at least 98 % of what is mandatory', () => {
    const shares = [...counted].map(([kind, { passed, all }]) => `${kind}: ${passed} of ${all}`)
    console.log(shares.join('\n'))
    for (const [kind, { passed, all }] of counted) {
      if (kind.endsWith('mandatory')) expect(passed / all, kind).toBeGreaterThanOrEqual(0.98)
    }
  })

  it('lists no case that does not exist', () => {
    const names = new Set(
      files.flatMap(({ draft, file }) =>
        readGroups(join(suite, 'tests', draft, `${file}.json`)).flatMap(({ description, tests }) =>
          tests.map((test) => `${draft}/${file}: ${description} / ${test.description}`),
        ),
      ),
    )
    expect([...listed].filter((name) => !names.has(name))).toEqual([])
  })

  it('holds for OpenAPI 3.0 where draft 4 says it in keywords that 3.0 has', () => {
    let cases = 0
    for (const file of filesOf('draft4', '')) {
      for (const { description, schema, tests } of readGroups(join(suite, 'tests/draft4', `${file}.json`))) {
        if (!isOpenApi30(schema)) continue
        const check = checkOf(schema, { openapi: '3.0.3' })
        for (const test of tests) {
          const name = `draft4/${file}: ${description} / ${test.description}`
          expect(check(test.data), name).toBe(test.valid)
          cases++
        }
      }
    }
    expect(cases).toBeGreaterThan(250)
  })
})

/** OpenAPI 3.0.3 §Schema Object: the keywords it takes over from JSON Schema. */
const KEYWORDS = new Set(
  (
    'multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems ' +
    'uniqueItems maxProperties minProperties required enum type allOf oneOf anyOf not items properties ' +
    'additionalProperties description format default $schema'
  ).split(' '),
)

function isOpenApi30(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return false
  return Object.entries(schema).every(([keyword, value]) => {
    if (!KEYWORDS.has(keyword)) return false
    if (keyword === 'type') return typeof value === 'string' && value !== 'null'
    if (keyword === 'items' || keyword === 'not') return isOpenApi30(value)
    if (keyword === 'additionalProperties') return typeof value === 'boolean' || isOpenApi30(value)
    if (keyword === 'properties') return Object.values(value as object).every(isOpenApi30)
    return !['allOf', 'anyOf', 'oneOf'].includes(keyword) || (value as unknown[]).every(isOpenApi30)
  })
}
