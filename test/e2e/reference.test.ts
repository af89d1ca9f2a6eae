import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { apiFile } from '../../src/config/api-schema.ts'
import { configJsonSchema } from '../../src/config/schema.ts'
import { FAULTS } from '../../src/model/errors.ts'
import { REASONS } from '../../src/model/reason.ts'

const root = join(import.meta.dirname, '../..')
const reference = (file: string) => readFileSync(join(root, 'docs/reference', file), 'utf8')

describe('docs/reference', () => {
  test('is what its sources say', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/gen.ts', '--check'], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  test('has every reason and every fault', () => {
    const reasons = reference('reasons.md')
    for (const code of Object.keys(REASONS)) expect(reasons).toContain(code)
    const errors = reference('errors.md')
    for (const code of Object.keys(FAULTS)) expect(errors).toContain(`## ${code}\n`)
  })

  test('describes every key, in the file and in files of one API', () => {
    expect(undescribed(configJsonSchema(), '')).toEqual([])
    expect(undescribed(configJsonSchema(apiFile), '')).toEqual([])
  })

  test('the JSON Schema takes what the gate takes and refuses what it refuses', () => {
    const ajv = new Ajv2020.default({ strict: false })
    const validate = ajv.compile(JSON.parse(reference('sallyport.schema.json')) as object)
    const good = 'apis: { shop: { upstream: "http://127.0.0.1:3000", timeouts: { connectMs: 100 } } }'
    expect(validate(parse(good))).toBe(true)
    expect(validate(parse('apis: ./apis/*.yaml'))).toBe(true)
    expect(validate(parse('apis: { shop: { upstrem: x } }'))).toBe(false)
    expect(validate(parse('apis: { Shop: { upstream: "http://127.0.0.1:3000" } }'))).toBe(false)
    expect(validate(parse('listen: { port: 8080 }'))).toBe(false)
  })
})

/** Pointers of keys without a description, at any depth. */
function undescribed(node: unknown, at: string): string[] {
  if (typeof node !== 'object' || node === null) return []
  const found: string[] = []
  for (const [key, child] of Object.entries(node)) {
    if (key === 'properties') {
      for (const [name, property] of Object.entries(child as Record<string, { description?: string }>)) {
        if ((property.description ?? '') === '') found.push(`${at}/${name}`)
        found.push(...undescribed(property, `${at}/${name}`))
      }
    } else if (key !== 'default' && key !== 'enum') found.push(...undescribed(child, at))
  }
  return found
}
