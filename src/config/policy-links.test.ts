import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ConfigFolder, configFolder } from '../../test/config-folder.ts'
import { ConfigError } from './place.ts'
import { readConfig } from './read.ts'

let folder: ConfigFolder
beforeEach(() => {
  folder = configFolder()
})
afterEach(() => folder.remove())

const MAIN = 'apis: { old: { upstream: "http://127.0.0.1:3000" } }\npolicies: ./policies\n'

function read(files: Readonly<Record<string, string>>) {
  return readConfig(folder.write({ 'sallyport.yaml': MAIN, ...files }))
}

function problems(text: string): readonly string[] {
  try {
    read({ 'policies/a.links.json': text })
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(`${folder.path}/`, '').split('\n')
    throw error
  }
  throw new Error('nothing was found wrong')
}

test('links in Cedar’s own form, with the place of each part; JSON and YAML, watched like policies', () => {
  const { policyLinks, files } = read({
    'policies/a.links.json': `[
  { "template_id": "t", "link_id": "l",
    "args": { "?principal": "User::\\"corp/ana\\"" } }
]`,
    'policies/team/links.yaml': `- template_id: t\n  link_id: m\n  args: { "?resource": 'Api::"shop"' }\n`,
  })
  expect(policyLinks).toEqual([
    {
      template: 't',
      id: 'l',
      args: { '?principal': 'User::"corp/ana"' },
      file: folder.at('policies/a.links.json'),
      at: {
        link: { line: 2, column: 3 },
        template: { line: 2, column: 20 },
        id: { line: 2, column: 36 },
        args: { '?principal': { line: 3, column: 29 } },
      },
    },
    expect.objectContaining({ id: 'm', args: { '?resource': 'Api::"shop"' } }),
  ])
  expect(files).toEqual(
    expect.arrayContaining(['policies/a.links.json', 'policies/team/links.yaml'].map(folder.at)),
  )
})

test('no links, and none in other files', () => {
  expect(read({ 'policies/a.links.json': '[]', 'policies/weblinks.json': 'x: [' }).policyLinks).toEqual([])
})

test.each([
  ['{}', 'a.links.json:1:1: '],
  ['', 'a.links.json:1:1: '],
  ['[{', 'a.links.json:1:3: broken YAML'],
  ['[\n{ "template_id": "t", "args": {} }]', 'a.links.json:2:1: link_id is missing'],
  [
    '[{ "template_id": "t", "link_id": "l", "args": {}, "arg": {} }]',
    'a.links.json:1:52: unknown key "arg" (Did you mean "args"?)',
  ],
  [
    '[{ "template_id": "t", "link_id": "l", "args": { "?principl": "" } }]',
    'a.links.json:1:50: unknown key "?principl" (Did you mean "?principal"?)',
  ],
  [
    '[{ "template_id": "t", "link_id": "l", "args": { "?principal": 1 } }]',
    'a.links.json:1:64: ?principal must be text, not a number',
  ],
  [
    '[{ "template_id": "t", "link_id": "l", "link_id": "m", "args": {} }]',
    'a.links.json:1:40: the key "link_id" stands twice',
  ],
])('%s is refused with its place', (text, expected) => {
  expect(problems(text)[0]).toContain(`policies/${expected}`)
})

test('a file of links has a bound', () => {
  expect(problems(`[]${' '.repeat(1_048_577)}`)).toEqual([
    expect.stringContaining('a.links.json is larger than 1 MiB'),
  ])
})
