import { afterAll, describe, expect, it } from 'vitest'
import { configFolder } from '../../test/config-folder.ts'
import { decisionPointSettings, startOnlyPoints } from './decision-points.ts'
import { ConfigError } from './place.ts'
import { readConfig } from './read.ts'

const folder = configFolder()
afterAll(() => folder.remove())

const FILES = {
  'todo.cedarschema': 'entity User, Todo; action read appliesTo { principal: User, resource: Todo };',
  'todo/todo.cedar': 'permit (principal, action, resource);',
  'todo.json': '[]',
}
const TODO = '{ policies: ./todo, schema: ./todo.cedarschema, entities: ./todo.json }'

function read(authzen: string, files: Readonly<Record<string, string>> = FILES) {
  const main = `apis: { a: { upstream: "http://127.0.0.1:3000", owner: team } }\ndecisionPoints: { authzen: ${authzen} }\n`
  return readConfig(folder.write({ 'sallyport.yaml': main, ...files }))
}

function problem(authzen: string, files: Readonly<Record<string, string>> = FILES): string {
  try {
    read(authzen, files)
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')
    throw error
  }
  return ''
}

describe('decisionPoints.authzen', () => {
  it('reads its domains, by name, with the files they name', () => {
    const config = read(`{ default: todo, domains: { zeta: ${TODO}, todo: ${TODO} } }`)
    expect(config.domains.map(({ name }) => name)).toEqual(['todo', 'zeta'])
    const [todo] = config.domains
    expect(todo).toMatchObject({
      entities: { text: '[]' },
      types: null,
      policies: [{ text: FILES['todo/todo.cedar'] }],
    })
    for (const name of ['todo.cedarschema', 'todo.json', 'todo/todo.cedar'])
      expect(config.files).toContain(folder.at(name))
    expect(config.folders).toContain(folder.at('todo'))
    expect(read('{}').domains).toEqual([])
  })

  it('gives gate threads digests, never secrets, and leaves domains to reloads', () => {
    const { config } = read(`{ credentials: ["env:A"], domains: { todo: ${TODO} } }`)
    const points = decisionPointSettings(config.decisionPoints, (reference) => `digest of ${reference}`)
    expect(points).toEqual([
      {
        kind: 'authzen',
        key: 'decisionPoints.authzen',
        host: '127.0.0.1',
        port: 9194,
        peers: ['127.0.0.0/8', '::1/128'],
        bodies: 'deny',
        origin: 'http://127.0.0.1:9194',
        credentials: ['digest of env:A'],
        defaultDomain: 'apis',
      },
    ])
    expect(JSON.stringify(startOnlyPoints(config.decisionPoints))).not.toContain('todo')
    expect(JSON.stringify(startOnlyPoints(config.decisionPoints))).toContain('env:A')
  })

  it.each([
    ['{ host: 0.0.0.0 }', '/decisionPoints/authzen/host questions from other machines need credentials'],
    ['{ host: pdp.internal }', 'need credentials'],
    ['{ origin: "http://pdp.example" }', '/decisionPoints/authzen/origin origin must be https'],
    ['{ origin: "https://pdp.example/base" }', 'must be scheme, host and port alone'],
    ['{ origin: "https://pdp.example/" }', 'must be scheme, host and port alone'],
    ['{ default: todo }', '/decisionPoints/authzen/default there is no domain "todo"'],
    [`{ domains: { apis: ${TODO} } }`, 'is the gate’s own APIs'],
    [
      '{ domains: { x: { policies: ./todo, schema: ./nothing } } }',
      '/decisionPoints/authzen/domains/x/schema the file does not exist',
    ],
    [
      '{ domains: { x: { policies: ./nothing, schema: ./todo.cedarschema } } }',
      '/decisionPoints/authzen/domains/x/policies the folder',
    ],
    [`{ domains: { Todo: ${TODO} } }`, 'cannot be a name'],
    ['{ credentials: [secret] }', 'must refer to a secret'],
    [
      '{ domains: { x: { policies: ./todo, schema: ./todo.cedarschema, types: { user: "User;" } } } }',
      'must be an entity type',
    ],
  ])('refuses %s', (written, expected) => {
    expect(problem(written)).toContain(expected)
  })

  it('takes what is beyond this machine with credentials and TLS', () => {
    expect(problem('{ host: 0.0.0.0, origin: "https://pdp.example", credentials: ["env:A"] }')).toBe('')
    expect(problem('{ host: "::1" }')).toBe('')
  })

  it('refuses links of templates, which no domain takes, by their file', () => {
    const links = [{ template_id: 'share', link_id: 'l', args: { '?principal': 'User::"ana"' } }]
    const files = { ...FILES, 'linked/x.links.json': JSON.stringify(links) }
    expect(problem(`{ domains: { todo: ${TODO.replace('./todo,', './linked,')} } }`, files)).toMatch(
      /\/domains\/todo\/policies a domain’s policies take no links of templates: .*linked\/x\.links\.json/,
    )
  })

  it('warns of tests that are not run, and of a domain without policies', () => {
    const { warnings } = read(
      `{ domains: { todo: ${TODO}, empty: { policies: ./empty, schema: ./todo.cedarschema } } }`,
      {
        ...FILES,
        'todo/todo.test.yaml': 'tests: []',
        'empty/README.md': '',
      },
    )
    const said = warnings.map(({ message }) => message).join('; ')
    expect(said).toContain('tests in a domain’s folder are not run')
    expect(said).toContain('the domain has no policy')
  })
})

describe('signals', () => {
  const written = (api: string, signals: string): string => {
    try {
      readConfig(
        folder.write({
          'sallyport.yaml': `apis: { a: { upstream: "http://127.0.0.1:3000", owner: team${api} } }\nsignals: ${signals}\n`,
        }),
      )
    } catch (error) {
      if (error instanceof ConfigError)
        return error.problems.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')
      throw error
    }
    return ''
  }

  it('are known, reached over TLS, and asked about operations', () => {
    const pdp = '{ pdp: { kind: authzen, url: "https://pdp.example" } }'
    expect(written('', pdp)).toBe('')
    expect(written(', signals: [other]', pdp)).toContain('/apis/a/signals/0 there is no signal "other"')
    expect(written(', signals: [pdp]', pdp)).toContain('signals need a contract')
    expect(written('', '{ pdp: { kind: authzen, url: "http://pdp.example" } }')).toContain(
      '/signals/pdp/url url uses plain http:',
    )
    expect(written('', '{ pdp: { kind: authzen, url: "http://pdp.example", allowPlainHttp: true } }')).toBe(
      '',
    )
    expect(written('', '{ pdp: { kind: opa, url: "https://pdp.example" } }')).not.toBe('')
    expect(written('', '{ pdp: { kind: authzen, url: "https://a:b@pdp.example" } }')).toContain(
      'must not hold credentials',
    )
  })
})
