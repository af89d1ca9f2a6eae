import { describe, expect, it } from 'vitest'
import { isFault } from '../../model/errors.ts'
import type { Question, Search } from '../../syntax/authzen.ts'
import { compileDomain, type DomainInput } from './compile.ts'
import { Domain, entityStatements } from './domain.ts'

const SCHEMA = `
type Address = { street: String, number?: Long };
entity Team, Group in [Team];
entity Person in [Group, Team] { roles?: Set<String>, manager?: Person, home?: Address, born?: datetime } tags String;
entity Doc in [Team] { owner?: Person, level?: Long, price?: decimal, from?: ipaddr, ttl?: duration };
action all;
action read, write in [all] appliesTo { principal: Person, resource: Doc, context: { at?: datetime, ip?: ipaddr, action?: { deep?: Bool } } };
action greet appliesTo { principal: Person, resource: Person };
namespace Shop { entity Order; action pay appliesTo { principal: Person, resource: Order }; }
`
const POLICIES = `
@id("own") permit (principal, action in Action::"all", resource) when { resource has owner && resource.owner == principal };
@id("manager") permit (principal, action == Action::"read", resource) when { resource has owner && resource.owner has manager && resource.owner.manager == principal };
@id("team") permit (principal in Team::"blue", action == Action::"read", resource in Team::"blue");
@id("deep") permit (principal, action == Action::"write", resource) when { context has action && context.action has deep && context.action.deep };
@id("inside") permit (principal, action == Action::"read", resource) when { context has ip && context.ip.isInRange(ip("10.0.0.0/8")) };
@id("old") permit (principal, action == Action::"read", resource) when { principal has born && principal.born < datetime("1950-01-01") };
@id("home") permit (principal, action == Action::"greet", resource) when { principal has home && resource has home && principal.home == resource.home };
@id("pay") permit (principal, action == Shop::Action::"pay", resource) when { principal.hasTag("card") };
@id("never high") forbid (principal, action, resource is Doc) when { resource has level && resource.level + 9223372036854775800 > 0 };
`
const ENTITIES = [
  { uid: { type: 'Team', id: 'blue' }, attrs: {}, parents: [] },
  { uid: { type: 'Group', id: 'a' }, attrs: {}, parents: [{ type: 'Team', id: 'blue' }] },
  {
    uid: { type: 'Person', id: 'ana' },
    attrs: {},
    tags: { card: 'gold' },
    parents: [{ type: 'Group', id: 'a' }],
  },
  {
    uid: { type: 'Person', id: 'ben' },
    attrs: { manager: { __entity: { type: 'Person', id: 'ana' } } },
    parents: [],
  },
  {
    uid: { type: 'Doc', id: 'd1' },
    attrs: { owner: { __entity: { type: 'Person', id: 'ben' } } },
    parents: [],
  },
  { uid: { type: 'Doc', id: 'd2' }, attrs: {}, parents: [{ type: 'Team', id: 'blue' }] },
]

const file = (name: string, text: string) => ({ file: name, text })
function input(
  over: Partial<Record<'policies' | 'schema' | 'entities', string>> = {},
  types: DomainInput['types'] = null,
): DomainInput {
  return {
    name: 'docs',
    policies: [file('docs.cedar', over.policies ?? POLICIES)],
    schema: file('docs.cedarschema', over.schema ?? SCHEMA),
    entities: file('entities.json', over.entities ?? JSON.stringify(ENTITIES)),
    types,
  }
}
// As a gate thread has it: through the bundle's JSON.
const made = (from: DomainInput): Domain => {
  const { plan, entities } = JSON.parse(JSON.stringify(compileDomain(from)))
  return new Domain(plan, entityStatements(entities))
}
const domain = made(input())

function ask(
  subject: string,
  name: string,
  resource: string,
  stated: { subject?: object; action?: object; resource?: object; context?: object } = {},
) {
  const entity = (text: string, properties = {}) => {
    const [type = '', id = ''] = text.split('/')
    return { type, id, properties: { ...properties } }
  }
  const question: Question = {
    subject: entity(subject, stated.subject),
    action: { name, properties: { ...stated.action } },
    resource: entity(resource, stated.resource),
    context: { ...stated.context },
  }
  const { decision, reasons } = domain.decide(question)
  return decision
    ? 'yes'
    : `${reasons[0].code}${reasons[0].forCaller === undefined ? '' : ` ${reasons[0].forCaller}`}`
}

describe('a domain', () => {
  it('judges by what its file states: owners, hierarchy at any distance, other entities, tags, namespaces', () => {
    expect(ask('Person/ben', 'write', 'Doc/d1')).toBe('yes')
    expect(ask('Person/ana', 'read', 'Doc/d1')).toBe('yes')
    expect(ask('Person/ana', 'write', 'Doc/d1')).toBe('policy-missing')
    expect(ask('Person/ana', 'read', 'Doc/d2')).toBe('yes')
    expect(ask('Person/ben', 'read', 'Doc/d2')).toBe('policy-missing')
    expect(ask('Person/ana', 'pay', 'Shop::Order/1')).toBe('yes')
    expect(ask('Person/ben', 'pay', 'Shop::Order/1')).toBe('policy-missing')
  })

  it('joins what the question states, which counts first', () => {
    expect(ask('Person/eve', 'write', 'Doc/new', { resource: { owner: 'eve' } })).toBe('yes')
    expect(ask('Person/ben', 'write', 'Doc/d1', { resource: { owner: 'eve' } })).toBe('policy-missing')
    expect(ask('Person/ana', 'read', 'Doc/d9', { resource: { owner: 'ben' } })).toBe('yes')
    expect(ask('Person/ana', 'write', 'Doc/d1', { action: { deep: true } })).toBe('yes')
    expect(ask('Person/ana', 'write', 'Doc/d1', { action: { deep: false } })).toBe('policy-missing')
    const home = { home: { street: 'Main', number: 7 } }
    expect(ask('Person/eve', 'greet', 'Person/ida', { subject: home, resource: home })).toBe('yes')
    expect(ask('Person/eve', 'greet', 'Person/eve', { subject: home })).toBe('yes')
    expect(ask('Person/eve', 'greet', 'Person/ida', { subject: home })).toBe('policy-missing')
  })

  it('reads addresses and times of their text', () => {
    expect(ask('Person/eve', 'read', 'Doc/x', { context: { ip: '10.1.1.1' } })).toBe('yes')
    expect(ask('Person/eve', 'read', 'Doc/x', { context: { ip: '192.0.2.1' } })).toBe('policy-missing')
    expect(ask('Person/eve', 'read', 'Doc/x', { subject: { born: '1940-05-05' } })).toBe('yes')
    expect(ask('Person/eve', 'read', 'Doc/x', { context: { time: 'ignored', more: [{}] } })).toBe(
      'policy-missing',
    )
  })

  it.each([
    [{ context: { ip: 'here' } }, 'context.ip'],
    [{ context: { ip: 7 } }, 'context.ip'],
    [{ context: { at: 'soon' } }, 'context.at'],
    [{ subject: { roles: 'editor' } }, 'subject.roles'],
    [{ subject: { roles: ['editor', 7] } }, 'subject.roles'],
    [{ subject: { manager: { type: 'Person', id: 'ana' } } }, 'subject.manager'],
    [{ subject: { home: { street: 7 } } }, 'subject.home.street'],
    [{ subject: { home: null } }, 'subject.home'],
    [{ resource: { level: 1.5 } }, 'resource.level'],
    [{ resource: { level: '1' } }, 'resource.level'],
    [{ resource: { price: '1.23456' } }, 'resource.price'],
    [{ resource: { ttl: 'long' } }, 'resource.ttl'],
  ])('denies what is of another type: %j', (stated, at) => {
    expect(ask('Person/ben', 'write', 'Doc/d1', stated)).toBe(`question-mistyped ${at}`)
    expect(ask('Person/ana', 'read', 'Doc/d2', stated)).toBe(`question-mistyped ${at}`)
  })

  it('denies where a forbid fails, and what it does not know', () => {
    expect(ask('Person/ben', 'write', 'Doc/d1', { resource: { level: 100 } })).toBe('policy-failed')
    expect(ask('Person/ben', 'all', 'Doc/d1')).toBe('question-unknown combination')
    expect(ask('Person/ben', 'greet', 'Doc/d1')).toBe('question-unknown combination')
    expect(ask('Robot/ben', 'read', 'Doc/d1')).toBe('question-unknown subject')
    expect(ask('Person/ben', 'read', 'constructor/d1')).toBe('question-unknown resource')
    expect(ask('Person/ben', '__proto__', 'Doc/d1')).toBe('question-unknown action')
  })

  it('searches place by place, as far as it is told', () => {
    const search: Search = {
      target: 'resource',
      subject: { type: 'Person', id: 'ana', properties: {} },
      action: { name: 'read', properties: {} },
      resource: { type: 'Doc', id: '', properties: {} },
      context: {},
      page: null,
    }
    const both = [
      { kind: 'entity', type: 'Doc', id: 'd1' },
      { kind: 'entity', type: 'Doc', id: 'd2' },
    ]
    expect(domain.search(search, 0, 10, 10)).toEqual({ found: both, judged: 2, next: null })
    expect(domain.search(search, 0, 1, 10)).toEqual({ found: both.slice(0, 1), judged: 1, next: 1 })
    expect(domain.search(search, 0, 10, 1)).toEqual({ found: both.slice(0, 1), judged: 1, next: 1 })
    expect(domain.search(search, 2, 10, 10)).toEqual({ found: [], judged: 0, next: null })
    const actions = {
      ...search,
      target: 'action',
      action: null,
      resource: { ...search.resource, id: 'd1' },
    } as const
    expect(domain.search(actions, 0, 10, 10).found).toEqual([{ kind: 'action', name: 'read' }])
  })
})

describe('compiling a domain', () => {
  const refused = (from: DomainInput): string => {
    try {
      compileDomain(from)
    } catch (error) {
      if (isFault(error, 'policy-invalid')) return error.message
      throw error
    }
    return ''
  }

  it('refuses policies that do not fit the schema, with their place', () => {
    expect(
      refused(input({ policies: '\npermit (principal, action, resource) when { principal.wage > 7 };' })),
    ).toMatch(/^docs\.cedar:2:\d+: .*wage/)
    expect(refused(input({ policies: 'permit (principal, action == Action::"fly", resource);' }))).toContain(
      'there is no Action::"fly" in the schema',
    )
    expect(refused(input({ policies: 'permit (principal == ?principal, action, resource);' }))).toContain(
      'no templates',
    )
    expect(refused(input({ policies: '@mode("observe") permit (principal, action, resource);' }))).toContain(
      'leave @mode out',
    )
    expect(refused(input({ policies: 'permit (principal, action, resource' }))).toContain('docs.cedar:1')
    expect(
      refused(
        input({
          policies: `permit (principal, action, resource) when { ${'('.repeat(200)}true${')'.repeat(200)} };`,
        }),
      ),
    ).toContain('nested')
  })

  it('refuses schemas and entities that are none', () => {
    expect(refused(input({ schema: 'entity {' }))).toContain('docs.cedarschema: the schema cannot be read')
    expect(
      refused(
        input({
          schema: `${SCHEMA} namespace Other { entity X; action read appliesTo { principal: X, resource: X }; }`,
        }),
      ),
    ).toContain('two namespaces have an action "read"')
    expect(refused(input({}, { person: 'Human' }))).toContain('which the schema does not have')
    expect(refused(input({ entities: '{' }))).toContain('entities.json: the entities are not JSON')
    expect(refused(input({ entities: '{}' }))).toContain('not a list')
    const wrong = [{ uid: { type: 'Person', id: 'x' }, attrs: { roles: 'editor' }, parents: [] }]
    expect(refused(input({ entities: JSON.stringify(wrong) }))).toContain('entities.json: ')
    const stranger = [{ uid: { type: 'Robot', id: 'x' }, attrs: {}, parents: [] }]
    expect(refused(input({ entities: JSON.stringify(stranger) }))).toContain('entities.json: ')
    const twice = [ENTITIES[0], ENTITIES[0]]
    expect(refused(input({ entities: JSON.stringify(twice) }))).not.toBe('')
  })

  it('names types as told', () => {
    const named = made(input({}, { person: 'Person', doc: 'Doc' }))
    const question = {
      subject: { type: 'person', id: 'ben', properties: {} },
      action: { name: 'read', properties: {} },
      resource: { type: 'doc', id: 'd1', properties: {} },
      context: {},
    }
    expect(named.decide(question).decision).toBe(true)
    expect(named.decide({ ...question, subject: { ...question.subject, type: 'Person' } }).decision).toBe(
      false,
    )
  })
})
