import { describe, expect, test } from 'vitest'
import { isFault } from '../../model/errors.ts'
import type { OperationPlan } from '../../model/operation.ts'
import type { PolicyLink } from '../../model/policy-link.ts'
import { compilePolicies } from './compile.ts'
import { readPlan } from './plan.ts'

function operation(key: string, method: string): OperationPlan {
  return {
    key,
    api: key.slice(0, key.indexOf('.')),
    method,
    template: '/orders/{orderId}',
    tags: ['orders'],
    kind: method === 'GET' ? 'read' : 'write',
    deprecated: false,
    security: { need: 'required', alternatives: [] },
  }
}

const APIS = [
  { api: 'shop', operations: [operation('shop.getOrder', 'GET'), operation('shop.addOrder', 'POST')] },
  { api: 'billing', operations: [operation('billing.getBill', 'GET')] },
]

const TEMPLATE = `@id("reads")
permit(principal in ?principal, action in Action::"shop/read", resource in ?resource) when { context.scopesMet };`
const READS = { '?principal': 'Group::"corp/staff"', '?resource': 'Api::"shop"' }

type Stated = readonly [template: string, id: string, args: PolicyLink['args']]

/** One a line, from the first. */
function links(stated: readonly Stated[]) {
  return stated.map(([template, id, args], index): PolicyLink => {
    const line = index + 1
    const places = { '?principal': { line, column: 40 }, '?resource': { line, column: 50 } }
    const at = {
      link: { line, column: 3 },
      template: { line, column: 20 },
      id: { line, column: 30 },
      args: places,
    }
    return { template, id, args, file: 'a.links.json', at }
  })
}

function compile(text: string, ...stated: readonly Stated[]) {
  return compilePolicies({
    files: [{ file: 'a.cedar', text }],
    links: links(stated),
    apis: APIS,
    zones: ['edge'],
    unstated: new Map([['principal.roles', 'no rolesClaim']]),
  })
}

function faultsOf(text: string, ...stated: readonly Stated[]): readonly string[] {
  try {
    compile(text, ...stated)
  } catch (error) {
    if (!isFault(error, 'policy-invalid')) throw error
    return error.data['errors'] as readonly string[]
  }
  throw new Error('nothing was found wrong')
}

describe('links of templates', () => {
  test('each is an ordinary policy by its own name, which knows where it comes from', () => {
    const { plan, warnings, places } = compile(
      `${TEMPLATE}\n@id("plain") permit(principal, action, resource);`,
      ['reads', 'staff-read', READS],
      ['reads', 'ana-reads', { ...READS, '?principal': 'User::"corp/ana"' }],
    )
    expect(warnings).toEqual([])
    const [plain, staff, ana] = readPlan(plan).policies
    expect(plain).not.toHaveProperty('link')
    expect(staff).toMatchObject({
      id: 'staff-read',
      apis: ['shop'],
      reads: ['context.scopesMet', 'principal.groups'],
      link: { template: 'reads', args: READS },
      policy: {
        annotations: { id: 'staff-read' },
        principal: { op: 'in', entity: { type: 'Group', id: 'corp/staff' } },
        resource: { op: 'in', entity: { type: 'Api', id: 'shop' } },
      },
    })
    expect(ana?.reads).toEqual(['context.scopesMet'])
    expect([...places]).toEqual([
      ['plain', 'a.cedar:3:1'],
      ['staff-read', 'a.links.json:1:3'],
      ['ana-reads', 'a.links.json:2:3'],
    ])
  })

  test('a link is evaluated as the policy it stands for', () => {
    const template = '@id("t") forbid(principal is User in ?principal, action, resource == ?resource);'
    const args = { '?principal': 'Group::"corp/a\\"b"', '?resource': 'Operation::"shop.getOrder"' }
    const text = `@id("l") forbid(principal is User in ${args['?principal']}, action, resource == ${args['?resource']});`
    const linked = readPlan(compile(template, ['t', 'l', args]).plan).policies
    const written = readPlan(compile(text).plan).policies
    expect(linked.map(({ link, ...rest }) => rest)).toEqual(written)
  })

  test('a template without a link is a warning, and no policy', () => {
    const { plan, warnings } = compile(TEMPLATE)
    expect(readPlan(plan).policies).toEqual([])
    expect(warnings).toMatchObject([{ file: 'a.cedar', line: 1, policy: 'reads' }])
    expect(warnings[0]?.message).toMatch(/^the template has no link: it applies to nothing/)
  })

  test('a template is checked by its own, linked or not', () => {
    const wrong = 'permit(principal == ?principal, action, resource) when { context.nope };'
    for (const stated of [[], [['a.cedar#2', 'l', { '?principal': 'User::"corp/ana"' }]]] as const)
      expect(faultsOf(`permit(principal, action, resource);\n// é\n${wrong}`, ...stated)).toEqual([
        expect.stringMatching(/^a\.cedar:3:58: attribute `nope` in context .* not found/),
      ])
    const narrow = 'permit(principal == ?principal, action == Action::"shop.getOrder", resource)'
    expect(faultsOf(`${narrow} when { context.nope };`)[0]).toMatch(/^a\.cedar:1:85: /)
    expect(faultsOf('permit(principal == ?principal, action == Action::"shop.getOrdr", resource);')[0]).toBe(
      'a.cedar:1:43: there is no Action::"shop.getOrdr"; the nearest is Action::"shop.getOrder"',
    )
  })

  test.each<[string, Stated, string]>([
    ['an unknown template', ['read', 'l', READS], '20: there is no template "read"; the nearest is "reads"'],
    [
      'a policy in place of a template',
      ['plain', 'l', {}],
      '20: the policy "plain" is no template: it has neither ?principal nor ?resource in its scope',
    ],
    [
      'an open slot',
      ['reads', 'l', { '?principal': 'Group::"corp/staff"' }],
      '50: args leaves ?resource of the template reads open: name an entity for it',
    ],
    [
      'a slot there is not',
      ['one', 'l', READS],
      '50: the template one has no ?resource: take it out of args',
    ],
    [
      'an id that is taken',
      ['reads', 'plain', READS],
      '30: the id plain is taken by the policy at a.cedar:3:1',
    ],
    [
      'the template’s own id',
      ['reads', 'reads', READS],
      '30: the id reads is taken by the policy at a.cedar:1:1',
    ],
    ['no id', ['reads', '', READS], '30: link_id holds 1 to 200 printable characters'],
    [
      'an API there is not',
      ['reads', 'l', { ...READS, '?resource': 'Api::"shpo"' }],
      '50: there is no Api::"shpo"; the nearest is Api::"shop"',
    ],
    [
      'a zone there is not',
      ['reads', 'l', { ...READS, '?principal': 'Zone::"edgy"' }],
      '40: there is no Zone::"edgy"; the nearest is Zone::"edge"',
    ],
    [
      'a type there is not',
      ['reads', 'l', { ...READS, '?principal': 'Grp::"corp/staff"' }],
      '3: unrecognized entity type `Grp` (did you mean `Group`?)',
    ],
  ])('%s is refused where it stands', (_, link, expected) => {
    const more = '@id("plain") permit(principal, action, resource);'
    const one = '@id("one") permit(principal in ?principal, action, resource);'
    expect(faultsOf(`${TEMPLATE}\n${more}\n${one}`, link)).toEqual([`a.links.json:1:${expected}`])
  })

  test('two links of one id are refused', () => {
    expect(faultsOf(TEMPLATE, ['reads', 'l', READS], ['reads', 'l', READS])).toEqual([
      'a.links.json:2:30: the id l is taken by the link at a.links.json:1',
    ])
  })

  test.each([
    'corp/staff',
    'Group::corp/staff',
    'Group::"corp/staff',
    'Group::"corp/staff" ',
    'Group::"corp/staff"; forbid(principal, action, resource);',
    'Group::"a", action, resource) when { true }; //"',
    'Group::"\\q"',
    'Group::"\n"',
    'if::"a\\n"',
    '?principal',
    '',
  ])('what fills a slot is one entity and nothing else: %j', (text) => {
    expect(faultsOf(TEMPLATE, ['reads', 'l', { ...READS, '?principal': text }])).toEqual([
      'a.links.json:1:40: ?principal is no entity: write it as in Cedar, User::"corp/ana"',
    ])
  })

  test('what can never apply, or reads what nothing states, is warned of at the link', () => {
    const { warnings } = compile(
      TEMPLATE,
      ['reads', 'never', { ...READS, '?principal': 'Api::"shop"' }],
      ['reads', 'role', { ...READS, '?principal': 'Role::"corp/admin"' }],
    )
    expect(warnings).toMatchObject([
      {
        file: 'a.links.json',
        line: 2,
        policy: 'role',
        message: 'principal.roles is never known: no rolesClaim',
      },
      { file: 'a.links.json', line: 1, policy: 'never' },
    ])
  })

  test('many links of a long template are bounded as their text would be', () => {
    const long = `@id("t") permit(principal == ?principal, action, resource) when { context.method == "${'x'.repeat(500_000)}" };`
    const stated = Array.from(
      { length: 9 },
      (_, index) => ['t', `l${index}`, { '?principal': 'User::"corp/a"' }] as const,
    )
    expect(faultsOf(long, ...stated)[0]).toMatch(/^a\.links\.json:8:3: policies and links are too large/)
  })

  test('thousands of wrong links cost no more than some', () => {
    const text = Array.from({ length: 300 }, (_, at) => `${TEMPLATE.replace('"reads"', `"t${at}"`)}\n`).join(
      '',
    )
    const stated = Array.from(
      { length: 8_000 },
      (_, at): Stated => [`${'x'.repeat(100)}${at}`, `l${at}`, READS],
    )
    expect(faultsOf(text, ...stated)).toHaveLength(50)
  })

  test('a plan whose link is in no form is refused', () => {
    const { plan } = compile(TEMPLATE, ['reads', 'l', READS])
    const damaged = JSON.parse(JSON.stringify(plan).replace('"args":', '"arg":'))
    expect(() => readPlan(plan)).not.toThrow()
    expect(() => readPlan(damaged)).toThrow(expect.objectContaining({ code: 'bundle-corrupt' }))
  })

  test('a link is tried as its template is', () => {
    const template = '@mode("observe") @id("t") permit(principal == ?principal, action, resource);'
    const [link] = readPlan(compile(template, ['t', 'l', { '?principal': 'User::"corp/a"' }]).plan).policies
    expect(link?.policy.annotations).toEqual({ mode: 'observe', id: 'l' })
  })
})
