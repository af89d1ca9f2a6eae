import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConfigFolder, configFolder } from '../../test/config-folder.ts'
import { ConfigError } from './place.ts'
import { toPlans } from './plan.ts'
import { readConfig } from './read.ts'

let folder: ConfigFolder
beforeEach(() => {
  folder = configFolder()
})
afterEach(() => folder.remove())

const API = 'upstream: "http://127.0.0.1:3000"'

function written(zones: string, apis = `shop: { ${API}, zone: a }`): string {
  return folder.write({
    'sallyport.yaml': `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
networks: { office: [10.1.0.0/16], home: [192.0.2.0/24] }
apis: { ${apis} }
${zones}
`,
  })
}

/** Problems as line, message and hint. */
function problems(zones: string, apis?: string): readonly string[] {
  try {
    readConfig(written(zones, apis))
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map(({ line, message, hint }) => `${line}: ${message} (${hint})`)
    throw error
  }
  return []
}

describe('zones and flows', () => {
  it('become plans, sorted', () => {
    const read = readConfig(
      written(`zones:
  b: { workloads: ["corp/spiffe://x/b/*", corp/a], clients: [corp/z, corp/a], networks: [office, "::/0"] }
  a: {}
flows:
  - { from: b, to: a, operations: [shop/write, shop/read] }
  - { from: a, to: a }`),
    )
    const { head, apis } = toPlans(read, '1')
    expect(head.zones).toEqual([
      { name: 'a', networks: [], clients: [], workloads: [] },
      {
        name: 'b',
        networks: ['::/0', 'office'],
        clients: ['corp/a', 'corp/z'],
        workloads: ['corp/a', 'corp/spiffe://x/b/*'],
      },
    ])
    expect(head.flows).toEqual([
      { from: 'a', to: 'a', operations: [] },
      { from: 'b', to: 'a', operations: ['shop/read', 'shop/write'] },
    ])
    expect(apis[0]?.zone).toBe('a')
    expect(read.warnings.map(({ message }) => message)).toEqual([
      'nobody is in the zone "a": the flow allows no call',
    ])
  })

  it.each<readonly [string, string, string | undefined, readonly string[]]>([
    [
      'an API in no zone',
      'zones: { a: {} }',
      `shop: { ${API}, zone: a }, pay: { ${API}, basePath: /pay }`,
      ['3: zones are declared, and the API "pay" stands in none (Add zone: with one of a.)'],
    ],
    [
      'an unknown zone of an API',
      'zones: { payments: {} }',
      `shop: { ${API}, zone: paymens }`,
      ['3: there is no zone "paymens" (Did you mean "payments"?)'],
    ],
    ['a zone without zones', '', undefined, ['3: there is no zone "a" (Add it under zones.)']],
    [
      'unknown zones of a flow',
      'zones: { a: { networks: [office] } }\nflows: [{ from: b, to: a }, { from: a, to: zz }]',
      undefined,
      ['5: there is no zone "b" (Did you mean "a"?)', '5: there is no zone "zz" (Under zones stand: a.)'],
    ],
    [
      'a client of two zones',
      'zones: { a: { clients: [corp/x] }, b: { clients: [corp/y, corp/x] } }',
      undefined,
      ['4: is in the zone "a" already (A caller is in one zone: leave it in one.)'],
    ],
    [
      'a workload of two zones',
      'zones: { a: { workloads: ["corp/s/*"] }, b: { workloads: ["corp/s/*"] } }',
      undefined,
      ['4: is in the zone "a" already (A caller is in one zone: leave it in one.)'],
    ],
    [
      'a network of two zones, by name and as written',
      'zones: { a: { networks: [office] }, b: { networks: [10.1.0.0/16] } }',
      undefined,
      ['4: 10.1.0.0/16 is in the zone "a" already (A caller is in one zone: leave it in one.)'],
    ],
    [
      'an unknown network',
      'zones: { a: { networks: [ofice] } }',
      undefined,
      ['4: there is no network "ofice" (Did you mean "office"?)'],
    ],
    [
      'an unknown issuer',
      'zones: { a: { clients: [crop/x] } }',
      undefined,
      ['4: the issuer "crop" is not configured (Did you mean "corp"?)'],
    ],
  ])('refuses %s', (_, zones, apis, expected) => {
    expect(problems(zones, apis)).toEqual(expected)
  })

  it.each(['10.1.2.3/16', '10.0.0.0/33', '::ffff:10.0.0.0/104', 'fe80::1%eth0', 'Office', '10.1', '*'])(
    'refuses the network %s',
    (network) => {
      expect(problems(`zones: { a: { networks: ["${network}"] } }`)).toHaveLength(1)
    },
  )

  it.each(['corp/spiffe://x/bill*', 'corp/*/x', 'corp/', '*', 'nobody', '/x'])(
    'refuses the workload %s',
    (workload) => {
      expect(problems(`zones: { a: { workloads: ["${workload}"] } }`)).toHaveLength(1)
    },
  )

  it('lets a network narrow one zone and be another', () => {
    expect(
      problems('zones: { a: { networks: [office], clients: [corp/x] }, b: { networks: [office] } }'),
    ).toEqual([])
  })

  it('refuses unknown keys by the nearest', () => {
    expect(problems('zones: { a: { network: [office] } }')).toEqual([
      '4: unknown key "network" (Did you mean "networks"?)',
    ])
  })
})
