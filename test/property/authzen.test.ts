import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compileDomain } from '../../src/decision/domain/compile.ts'
import { Domain } from '../../src/decision/domain/domain.ts'
import { readQuestion, readQuestions, readSearch } from '../../src/syntax/authzen.ts'
import { domainFiles } from '../authzen-gate.ts'

/** No JSON throws out of reading or deciding, and no statement but the one that a policy permits is a yes. */
const files = domainFiles('certification')
const text = (name: string) => ({ file: name, text: files[name] ?? '' })
const domain = new Domain(
  compileDomain({
    name: 'certification',
    policies: [text('certification/certification.cedar')],
    schema: text('certification.cedarschema'),
    entities: null,
    types: null,
  }).plan,
  [],
)

const word = fc.constantFrom(
  'user',
  'record',
  'alice',
  'bob',
  'read',
  'write',
  'delete',
  'record-1',
  '__proto__',
  '',
)
const loose = fc.oneof(word, fc.jsonValue())
const properties = fc.dictionary(
  fc.constantFrom('role', 'member', 'status', 'soft', 'action', 'other'),
  fc.oneof(fc.boolean(), fc.constantFrom('admin', 'active', 'archived'), fc.jsonValue()),
)
const entity = fc.record(
  { type: loose, id: loose, properties: fc.oneof(properties, fc.jsonValue()) },
  { requiredKeys: [] },
)
const action = fc.record({ name: loose, properties }, { requiredKeys: [] })
const request = fc.record(
  {
    subject: fc.oneof(entity, loose),
    action: fc.oneof(action, loose),
    resource: fc.oneof(entity, loose),
    context: fc.oneof(properties, loose),
    page: loose,
    options: loose,
    evaluations: fc.oneof(fc.array(fc.oneof(entity, loose)), loose),
  },
  { requiredKeys: [] },
)

it('reads and decides whatever it is asked', () => {
  fc.assert(
    fc.property(fc.oneof(request, fc.jsonValue()), (body) => {
      const question = readQuestion(body)
      if (question.ok) {
        const { decision, reasons } = domain.decide(question.value)
        expect(typeof decision).toBe('boolean')
        expect(reasons.length).toBeGreaterThan(0)
      }
      const several = readQuestions(body, 100)
      if (several?.ok) for (const one of several.value.questions) if (one.ok) domain.decide(one.value)
      for (const target of ['subject', 'resource', 'action'] as const) {
        const search = readSearch(body, target)
        if (search.ok) expect(domain.search(search.value, 0, 10, 10).found).toEqual([])
      }
    }),
    { numRuns: 2_000 },
  )
})

it('says yes exactly where the policies’ words do', () => {
  const clean = (values: fc.Arbitrary<unknown>) =>
    fc.record({
      type: fc.constantFrom('user', 'record'),
      id: fc.constantFrom('alice', 'bob'),
      properties: values,
    })
  const subject = clean(
    fc.record({ role: fc.constantFrom('admin', 'staff'), member: fc.boolean() }, { requiredKeys: [] }),
  )
  const resource = clean(fc.record({ status: fc.constantFrom('active', 'archived') }, { requiredKeys: [] }))
  const act = fc.record({
    name: fc.constantFrom('read', 'write', 'delete', 'fly'),
    properties: fc.record({ soft: fc.boolean() }, { requiredKeys: [] }),
  })
  fc.assert(
    fc.property(subject, act, resource, (who, what, which) => {
      const question = readQuestion({ subject: who, action: what, resource: which })
      if (!question.ok) throw new Error(question.fault)
      const { role, member } = who.properties as { role?: string; member?: boolean }
      const { status } = which.properties as { status?: string }
      const may = {
        read: member === true,
        write: (who.id === 'alice' && status === 'active') || (role === 'admin' && status === 'archived'),
        delete: who.id === 'alice' && what.properties.soft === true,
        fly: false,
      }[what.name]
      const fits = who.type === 'user' && which.type === 'record'
      expect(domain.decide(question.value).decision).toBe(fits && may === true)
    }),
    { numRuns: 2_000 },
  )
})
