import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { writeSchemas } from './schema-files.ts'

const store = mkdtempSync(join(tmpdir(), 'sallyport-schema-'))
const folder = join(store, 'schema')
const shop = (text: string) => () => [{ api: 'shop', text }]
afterEach(() => rmSync(store, { recursive: true, force: true }))

test('each API’s schema is a file of its own, replaced with the bundle', () => {
  writeSchemas(store, 'b1', () => [...shop('one')(), { api: 'billing', text: 'two' }])
  expect(readdirSync(folder).sort()).toEqual(['billing.cedarschema', 'bundle', 'shop.cedarschema'])
  writeSchemas(store, 'b1', () => {
    throw new Error('made anew')
  })
  expect(readFileSync(join(folder, 'shop.cedarschema'), 'utf8')).toBe('one')
  writeSchemas(store, 'b2', shop('three'))
  expect(readFileSync(join(folder, 'shop.cedarschema'), 'utf8')).toBe('three')
  expect(statSync(folder).mode & 0o777).toBe(0o700)
})
