import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ConfigFolder, configFolder } from '../../test/config-folder.ts'
import { ConfigError } from './place.ts'
import { type ReadConfig, readConfig } from './read.ts'

let folder: ConfigFolder

beforeEach(() => {
  folder = configFolder()
})
afterEach(() => folder.remove())

/** The configuration of the design document. */
const NEWCOMER = `# sallyport.yaml
listen: { host: 127.0.0.1, port: 8080 }
management: { host: 127.0.0.1, port: 9090 }
identity:
  issuers:
    corp: { issuer: https://idp.example, jwks: https://idp.example/jwks.json }
apis:
  shop:
    contract: ./shop.openapi.yaml
    upstream: http://127.0.0.1:3000
    hosts: [api.shop.example]
    basePath: /v1
    owner: team-shop
    identity: { accept: [corp], audience: shop }
    mode: enforce
    credential: replace
    onAuditFailure: deny
    objects:
      order: { path: "/orders/{orderId}", owner: /customerId, equals: subject, lookup: getOrder, hideAbsent: true }
policies: ./policies
store: ./data
`
const CORP = 'identity: { issuers: { corp: { issuer: https://idp.example } } }'
const CONTRACT = { 'shop.openapi.yaml': 'openapi: 3.1.0\n' }
const POLICIES = { 'policies/shop.cedar': 'permit(principal, action, resource);\n' }

function failure(file: string): ConfigError {
  try {
    readConfig(file)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

/** Problems of a configuration as printed, the folder left out. */
function problemsOf(text: string, others: Readonly<Record<string, string>> = {}): string[] {
  const file = folder.write({ 'sallyport.yaml': text, ...others })
  return failure(file).message.replaceAll(`${folder.path}/`, '').split('\n')
}

function accepted(text: string, others: Readonly<Record<string, string>> = {}): ReadConfig {
  return readConfig(folder.write({ 'sallyport.yaml': text, ...others }))
}

describe('what reads', () => {
  test('the newcomer’s configuration, with all it names', () => {
    const read = accepted(NEWCOMER, {
      ...CONTRACT,
      ...POLICIES,
      'policies/shop.test.yaml': 'tests: [{ given: ann }]\n',
    })
    expect(read.apis.map(({ name, contract }) => [name, contract?.text])).toEqual([
      ['shop', 'openapi: 3.1.0\n'],
    ])
    expect(read.policies).toEqual([
      { file: folder.at('policies/shop.cedar'), text: 'permit(principal, action, resource);\n' },
    ])
    expect(read.policyTests.map(({ data }) => data)).toEqual([{ tests: [{ given: 'ann' }] }])
    expect(read.store).toBe(folder.at('data'))
    expect(read.warnings).toEqual([])
    expect([...read.files].sort()).toEqual(
      [
        'policies/shop.cedar',
        'policies/shop.test.yaml',
        'sallyport.yaml',
        // Not there yet: watched, so that it is seen when it comes.
        'shop.openapi.sallyport.yaml',
        'shop.openapi.yaml',
      ].map(folder.at),
    )
    expect(read.folders).toEqual([folder.at('policies')])
  })

  test('the least configuration, with every default', () => {
    const { config, apis } = accepted('apis: { old: { upstream: "http://127.0.0.1:3000" } }')
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 8080 },
      management: { host: '127.0.0.1', port: 9090 },
      identity: { issuers: {} },
      store: './data',
      durability: 'os',
      limits: { tokenBytes: 8192, fieldBytes: 16_384, fieldCount: 100 },
      audit: { attributes: [] },
      environment: 'default',
    })
    expect(apis[0]?.settings).toMatchObject({
      credential: 'replace',
      onAuditFailure: 'deny',
      tenant: 'default',
    })
    expect(apis[0]?.contract).toBeNull()
  })

  test('JSON, and anchors used once or twice', () => {
    accepted('{"apis": {"old": {"upstream": "http://127.0.0.1:3000"}}}')
    const { apis } = accepted(`
apis:
  one: { upstream: http://127.0.0.1:1, basePath: /one, timeouts: &slow { headMs: 60000 } }
  two: { upstream: http://127.0.0.1:2, basePath: /two, timeouts: *slow }
`)
    expect(apis.map(({ settings }) => settings.timeouts.headMs)).toEqual([60_000, 60_000])
  })

  test('an enforced API without policies, with a warning', () => {
    const { warnings } = accepted(NEWCOMER.replace('policies: ./policies\n', ''), CONTRACT)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.message).toMatch(/no policy/)
  })
})

describe('bad input is told with its place and the way out', () => {
  test('missing file', () => {
    const error = failure(folder.at('none.yaml'))
    expect(error.code).toBe('config-missing')
    expect(error.message).toBe(
      `${folder.at('none.yaml')}:1:1: the configuration does not exist (Make one with sallyport init, or name it with --config FILE.)`,
    )
    expect(error.files).toEqual([folder.at('none.yaml')])
  })

  test('broken YAML', () => {
    expect(problemsOf('listen: { port: 8080\napis:\n  shop: {}\n')).toContain(
      'sallyport.yaml:2:1: broken YAML: flow map in block collection must be sufficiently indented and end with a } (Keys of one level begin in the same column; brackets and braces are closed.)',
    )
  })

  test('unknown key, with the nearest known one', () => {
    expect(problemsOf('lisen: {}\napis:\n  old:\n    upstrem: http://127.0.0.1:1\n')).toEqual([
      'sallyport.yaml:1:1: unknown key "lisen" (Did you mean "listen"?)',
      'sallyport.yaml:3:3: upstream is missing (URL of the service.)',
      'sallyport.yaml:4:5: unknown key "upstrem" (Did you mean "upstream"?)',
    ])
  })

  test('a key one level too high', () => {
    expect(problemsOf('apis: { old: { upstream: "http://127.0.0.1:1", audience: x } }')).toEqual([
      'sallyport.yaml:1:48: unknown key "audience" (It belongs under "identity".)',
    ])
  })

  test('wrong types and values, all at once', () => {
    const text = `listen: { port: "8080" }
management: { port: 70000 }
durability: disc
apis:
  old:
    upstream: 3000
    timeouts: { headMs: 1.5 }
    hosts: api.example
    identity: { accept: [], audience: 3 }
`
    expect(problemsOf(text)).toEqual([
      'sallyport.yaml:1:17: port must be a number, not text (TCP port calls come in on; 0 takes a free one.)',
      'sallyport.yaml:2:21: port must be at most 65535 (TCP port of /healthz, /readyz and /metrics; 0 takes a free one.)',
      'sallyport.yaml:3:13: durability must be os or disk (Did you mean "disk"?)',
      'sallyport.yaml:6:15: upstream must be text, not a number (URL of the service.)',
      'sallyport.yaml:7:25: headMs must be a whole number, not a fraction (Milliseconds from the request’s last byte to the head of the upstream’s answer.)',
      'sallyport.yaml:8:12: hosts must be a list, not text (Host names the API answers on.)',
      'sallyport.yaml:9:25: accept must have at least 1 entry (Names under identity.issuers whose tokens the API accepts.)',
      'sallyport.yaml:9:39: audience must be text or a list (The aud that tokens for this API carry, one or several.)',
    ])
  })

  test('an empty file, a list, and no APIs', () => {
    expect(problemsOf('')).toEqual([
      'sallyport.yaml:1:1: apis is missing (The protected APIs by name; or files of one API each, as a pattern such as ./apis/*.yaml or a list of them.)',
    ])
    expect(problemsOf('- a\n')).toEqual(['sallyport.yaml:1:1: the file must be a group of keys, not a list'])
    expect(problemsOf('apis: {}\n')).toEqual([
      'sallyport.yaml:1:7: apis is empty: there is nothing to protect (Add an API by its name.)',
    ])
  })

  test('a name that is none', () => {
    expect(problemsOf('apis: { Shop: { upstream: "http://127.0.0.1:1" } }')).toEqual([
      'sallyport.yaml:1:9: "Shop" cannot be a name (a name has 1 to 63 lower-case letters, digits and hyphens, and begins with a letter: shop, corp-2)',
    ])
  })

  test('what is planned is refused by name', () => {
    const text = `listen: { tls: { cert: a, key: b } }
shared: redis://127.0.0.1
store: postgres://user:secret@db/x
apis: { old: { upstream: "http://127.0.0.1:1" } }
`
    const problems = problemsOf(text)
    expect(problems).toEqual([
      'sallyport.yaml:1:11: "tls" is not available yet (Listen on loopback and let a proxy on this machine end TLS.)',
      'sallyport.yaml:2:1: "shared" is not available yet (Leave it out: one node keeps its state itself.)',
      'sallyport.yaml:3:8: PostgreSQL is not available yet (Name a folder: ./data.)',
    ])
    expect(problems.join()).not.toContain('secret')
  })

  test('two APIs claiming one path', () => {
    const text = `apis:
  one: { upstream: "http://127.0.0.1:1", basePath: /v1 }
  two: { upstream: "http://127.0.0.1:2", basePath: /v1, hosts: [a.example] }
  three: { upstream: "http://127.0.0.1:3", basePath: /v1/more }
`
    expect(problemsOf(text)).toEqual([
      'sallyport.yaml:3:52: the APIs "one" and "two" both claim /v1 on a.example (Give one of them another basePath, or both their own hosts.)',
    ])
  })

  test('plain http beyond loopback, for upstream, issuer and jwks; the key that allows it is named', () => {
    const text = (allow: string) => `identity:
  issuers:
    corp: { issuer: "http://idp.example"${allow} }
    other: { issuer: "https://other.example", jwks: "http://other.example/k"${allow} }
apis:
  old: { upstream: "http://10.0.0.1:80"${allow} }
`
    const hint =
      '(Use https:, or set allowPlainHttp: true beside it to accept that others can read and change it.)'
    expect(problemsOf(text(''))).toEqual([
      `sallyport.yaml:3:21: issuer uses plain http: beyond this machine ${hint}`,
      `sallyport.yaml:4:53: jwks uses plain http: beyond this machine ${hint}`,
      `sallyport.yaml:6:20: upstream uses plain http: beyond this machine ${hint}`,
    ])
    accepted(text(', allowPlainHttp: true'))
    for (const host of ['127.0.0.1', '127.9.9.9', '[::1]', 'localhost', 'LOCALHOST', '0x7f.1']) {
      accepted(`apis: { old: { upstream: "http://${host}:3000" } }`)
    }
    for (const host of [
      '127.0.0.1.example',
      'localhost.example',
      '0.0.0.0',
      '[::]',
      '[::ffff:127.0.0.1]',
      '128.0.0.1',
    ]) {
      expect(problemsOf(`apis: { old: { upstream: "http://${host}:3000" } }`)).toHaveLength(1)
    }
  })

  test('identity that does not add up', () => {
    const text = `${CORP}
apis:
  one:
    basePath: /one
    contract: ./shop.openapi.yaml
    upstream: http://127.0.0.1:1
    identity: { accept: [corp] }
  two:
    upstream: http://127.0.0.1:2
    identity: { accept: [crop], audience: two }
`
    expect(problemsOf(text, CONTRACT)).toEqual([
      'sallyport.yaml:7:5: audience is missing (The aud that tokens for this API carry, one or several.)',
    ])
    expect(problemsOf(text.replace('[corp] }', '[corp], audience: one }'), CONTRACT)).toEqual([
      'sallyport.yaml:10:26: the API "two" accepts the issuer "crop", which is not configured (Under identity.issuers stand: corp.)',
    ])
  })

  test('enforce without contract or identity, objects without contract', () => {
    const text = `apis:
  old:
    upstream: http://127.0.0.1:1
    mode: enforce
    objects: { order: { path: "/o/{id}", owner: /owner } }
`
    expect(problemsOf(text)).toEqual([
      'sallyport.yaml:4:11: mode enforce needs a contract: there is nothing to hold calls against (Add contract:, or set mode: observe.)',
      'sallyport.yaml:5:5: objects need a contract: without one they rule nothing (Add contract:.)',
    ])
  })

  test('object rules that are not decidable', () => {
    const text = `identity: { issuers: { a: { issuer: https://a.example }, b: { issuer: https://b.example } } }
apis:
  shop:
    contract: ./shop.openapi.yaml
    upstream: http://127.0.0.1:1
    identity: { accept: [a, b], audience: shop }
    objects:
      order: { path: "/o/{id}", owner: /owner }
      again: { path: "/o/{other}", tenant: /t }
      none: { path: "/n/{id}" }
      wrong: { path: "/w/{id}", owner: /owner, issuer: c }
`
    expect(problemsOf(text, CONTRACT)).toEqual([
      'sallyport.yaml:8:7: the rule needs issuer: the API accepts several, and the same sub of two issuers is two people (Add issuer: with one of a, b.)',
      'sallyport.yaml:9:7: the rule needs issuer: the API accepts several, and tenants of two issuers that are called alike are two tenants (Add issuer: with one of a, b.)',
      'sallyport.yaml:9:22: path is ruled by "order" already (One object type per path.)',
      'sallyport.yaml:10:7: the rule states neither owner nor tenant (Add owner: /field.)',
      'sallyport.yaml:11:56: issuer is not one the API accepts (Accepted: a, b.)',
    ])
  })

  test('issuers that are one, or cannot be discovered; ports that are one', () => {
    const text = `listen: { port: 9090 }
identity:
  issuers:
    a: { issuer: https://a.example }
    b: { issuer: https://a.example }
    c: { issuer: legacy }
apis: { old: { upstream: "http://127.0.0.1:1" } }
`
    expect(problemsOf(text)).toEqual([
      'sallyport.yaml:1:1: port is taken by listen (Give management a port of its own.)',
      'sallyport.yaml:5:18: issuer is the same as that of "a" (Merge the two, or correct one.)',
      'sallyport.yaml:6:18: issuer must be an https URL without query or fragment, since its keys are found below it (State jwks for an issuer of another form.)',
    ])
  })
})

test('the error carries every problem typed and as text', () => {
  const file = folder.write({ 'sallyport.yaml': 'listen: { prt: 1 }\n' })
  const error = failure(file)
  expect(error.code).toBe('config-invalid')
  expect(error.problems[0]).toEqual({
    file,
    line: 1,
    column: 1,
    pointer: '/apis',
    message: 'apis is missing',
    hint: expect.stringContaining('The protected APIs'),
  })
  expect(error.problems[1]).toMatchObject({ pointer: '/listen/prt', hint: 'Did you mean "port"?' })
  expect(error.data['problems']).toEqual(error.message.split('\n'))
  expect(error.data).toMatchObject({ file, line: 1, column: 1 })
})
