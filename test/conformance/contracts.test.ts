import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type CompiledContract, compileContract } from '../../src/contract/compile.ts'
import { ContractBuilder } from '../../src/contract/instantiate.ts'
import { parseTarget } from '../../src/syntax/uri.ts'
import { API } from '../contract-instance.ts'
import { fixturesDir } from '../fixtures.ts'
import { surroundingWarnings } from './contract-warnings.ts'

const dir = fixturesDir()

interface Entry {
  readonly name: string
  readonly file: string
  readonly operations: number
}

const read = (path: string): string => {
  const content = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(content) : content).toString('utf8')
}

const entries: readonly Entry[] =
  dir === null
    ? []
    : [
        ...(JSON.parse(read(join(dir, 'openapi-specs/INDEX.json'))) as Entry[]).map((entry) => ({
          ...entry,
          file: `openapi-specs/${entry.file}`,
        })),
        { name: 'VAmPI', file: 'vulnerable-api-specs/vampi/openapi3.yml', operations: 14 },
        { name: 'crAPI', file: 'vulnerable-api-specs/crapi/crapi-openapi-spec.json', operations: 44 },
      ]

/** As a gate thread does it; gives the longest step in milliseconds. */
function instantiate(compiled: CompiledContract): {
  contract: ReturnType<ContractBuilder['finish']>
  longest: number
} {
  const builder = new ContractBuilder(API)
  let longest = 0
  const step = <T>(run: () => T): T => {
    const start = performance.now()
    const result = run()
    longest = Math.max(longest, performance.now() - start)
    return result
  }
  for (const { name, source } of compiled.modules) step(() => builder.addModule(name, source))
  for (const operation of compiled.operations) step(() => builder.addOperation(operation))
  return { contract: step(() => builder.finish()), longest }
}

describe.skipIf(dir === null)('real contracts', () => {
  it.each(entries)('$name compiles, instantiates, routes and judges', ({ name, file, operations }) => {
    const text = read(join(dir ?? '', file))
    const start = performance.now()
    const compiled = compileContract({ api: 'api', text, file, objects: {}, credential: 'replace' })
    const compileMs = performance.now() - start
    expect(compiled.operations).toHaveLength(operations)
    for (const { code, pointer, message } of compiled.warnings) {
      expect(code && message).not.toBe('')
      expect(pointer).toMatch(/^\//)
    }
    const surroundings = surroundingWarnings(file, compiled.warnings)
    expect(surroundings.found).toEqual(surroundings.expected)
    const { contract, longest } = instantiate(compiled)
    expect(contract.operations.size).toBe(operations)

    const unroutable = new Set(
      compiled.warnings
        .filter((warning) => warning.code === 'path-unroutable')
        .map((warning) => warning.pointer),
    )
    let unmatched = 0
    for (const operation of contract.operations.values()) {
      const { method, template } = operation.plan
      // What a template states after `?` or `#` is stated as query and as fields: one of both is meant.
      const [path = '', ...members] = template.split(/[?#&]/)
      const query = members.map((member) => [member.split('=')[0] ?? '', member.split('=')[1] ?? ''] as const)
      const target = parseTarget(encodeURI(path.replace(/\{[^{}]*\}/g, 'x7')).replaceAll('%25', '%'))
      const found = target.ok ? contract.match(method, target.segments, query, query.flat()) : null
      if (found?.kind !== 'match' || found.operation.plan.template !== template) unmatched++
      operation.checkParameters({
        params: {},
        segments: [],
        query: [['x', 'y']],
        rawQuery: 'x=y',
        fields: [],
      })
      operation.checkBody('application/json', new TextEncoder().encode('{"x":[1,{"y":null}]}'))
      for (const status of [200, 201, 404]) {
        operation.checkAnswer(status, 'application/json', new TextEncoder().encode('{"x":[1,{"y":null}]}'))
      }
    }
    // Only what a warning named cannot be reached.
    expect(unmatched).toBeLessThanOrEqual(unroutable.size)

    const kilobytes = Math.round(
      compiled.modules.reduce((sum, module) => sum + module.source.length, 0) / 1024,
    )
    console.log(
      `${name}: ${operations} operations, ${compiled.warnings.length} warnings, compiled in ${compileMs.toFixed(0)} ms to ${kilobytes} KiB in ${compiled.modules.length} modules, longest step ${longest.toFixed(1)} ms`,
    )
  })
})
