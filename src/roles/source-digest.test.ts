import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ConfigFolder } from '../../test/config-folder.ts'
import { settingsFolder } from '../../test/settings-gate.ts'
import { readConfig } from '../config/read.ts'
import { sourceDigest } from './source-digest.ts'

let folder: ConfigFolder
beforeAll(() => {
  folder = settingsFolder()
})
afterAll(() => folder.remove())

it('changes with every file a configuration is written in, and with nothing else', () => {
  const digest = () => sourceDigest(readConfig(join(folder.path, 'plain.yaml')))
  const seen = new Set([digest(), digest()])
  expect(seen.size).toBe(1)
  folder.write({ 'unread.txt': 'x' })
  expect(seen).toContain(digest())
  folder.write({ 'own/more.cedar': '@id("more") forbid (principal, action, resource);' })
  seen.add(digest())
  const contract = readConfig(join(folder.path, 'plain.yaml')).apis[0]?.contract?.text ?? ''
  folder.write({ 'plain.openapi.yaml': `${contract}\n# a word\n` })
  seen.add(digest())
  expect(seen.size).toBe(3)
})
