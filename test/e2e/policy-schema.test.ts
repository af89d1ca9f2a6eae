import { readFileSync } from 'node:fs'
import { afterAll, expect, it } from 'vitest'
import { compile } from '../../src/roles/compiler.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { openDataDirectory } from '../../src/store/data-directory.ts'
import { CONTRACT } from '../attacks/open-gate.ts'
import { configFolder } from '../config-folder.ts'
import { shown } from './commands.ts'

const folder = configFolder()
afterAll(() => folder.remove())
const config = folder.write({
  'sallyport.yaml': `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  things:
    contract: ./things.yaml
    upstream: http://127.0.0.1:1
    identity: { accept: [corp], audience: shop }
policies: ./policies
`,
  'things.yaml': CONTRACT,
  'policies/a.cedar': 'permit (principal in Role::"corp/admin", action, resource);',
})

it('the schema that policies are held against is printed', async () => {
  const whole = await shown(['policy', 'schema', '--config', config, '--api', 'things'])
  expect(whole).toMatchObject({ code: 0, err: '' })
  for (const line of ['// things', 'entity Role;', 'action "things.getThing" in'])
    expect(whole.out).toContain(line)
  const { out } = await shown(['policy', 'schema', '--config', config, '--json'])
  expect(JSON.parse(out).schemas).toEqual([
    { api: 'things', text: expect.stringContaining('entity Workload') },
  ])
  const none = await shown(['policy', 'schema', '--config', config, '--api', 'nope'])
  expect(none.code).toBe(2)
  expect(none.err).toContain('there is no API nope; there are things')
})

it('it is written to the store with every bundle, and what can never be known is warned of', () => {
  const store = openDataDirectory(folder.at('data'), systemRandom())
  try {
    const report = compile(config, store.path)
    if (!report.ok) throw new Error(report.message)
    expect(report.summary.warnings.map(({ message }) => message)).toContain(
      'principal.roles is never known: no issuer has a rolesClaim',
    )
    expect(readFileSync(folder.at('data/schema/things.cedarschema'), 'utf8')).toContain('entity Role;')
  } finally {
    store.release()
  }
})
