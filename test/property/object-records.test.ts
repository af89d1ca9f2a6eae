import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RecordedDecision, reevaluate } from '../../src/decision/explain.ts'
import type { Decision, ItemInput, PolicyEngine } from '../../src/model/decision.ts'
import { opposes } from '../../src/model/reason.ts'
import type { ExchangeRecord, RecordedInput } from '../../src/model/record.ts'
import { recordsIn, temporaryFolder, writerIn } from '../audit-entries.ts'
import { answerOf, type ObjectGate, objectGate, SHOP } from '../object-gate.ts'

// Whatever stated whose an object is, its record is judged again to the same decision; and a record that says something
// else, or less, never passes for the same where the decision would have been another.

const who = fc.constantFrom('ana', 'ben', 'eve')
const owner = fc.oneof(who, fc.constantFrom(7, null, ['ana'], { id: 'ana' }, 1.5, '', undefined))
const region = fc.constantFrom('north', 'south', undefined, 3)
const order = fc.record({
  id: fc.constantFrom('o-1', 'o-2'),
  customerId: owner,
  region,
  card: fc.constant('SECRET'),
  undeclared: fc.constant('SECRET'),
})
const items = fc.oneof(
  fc.array(fc.oneof({ arbitrary: order, weight: 9 }, { arbitrary: fc.constantFrom(null, 'x'), weight: 1 }), {
    maxLength: 8,
  }),
  fc.constantFrom(null, 'none'),
)
const stated = fc.oneof(who, fc.constant(''))
const get = (target: string, answer: unknown, body?: unknown): Play => ({ target, answer, body })

interface Play {
  readonly target: string
  readonly answer: unknown
  readonly body: unknown
}

const play = fc.oneof(
  fc.tuple(stated, order).map(([c, a]) => get(`/customers/${c || 'x'}/orders/o-1`, a)),
  fc.tuple(stated, order).map(([c, a]) => get(`/both/${c || 'x'}/o-1`, a)),
  fc.tuple(stated, order, order).map(([c, a, b]) => get(`/both/${c || 'x'}/o-1`, a, b)),
  fc
    .tuple(stated, stated, order)
    .map(([c, d, a]) => get(`/search?customerId=${c}${d === c ? '' : `&customerId=${d}`}`, a)),
  fc.tuple(order, order).map(([a, b]) => get('/orders', a, b)),
  order.map((a) => get('/orders/o-1', a)),
  fc.tuple(order, order).map(([a, b]) => get('/orders/o-1', a, b)),
  fc.tuple(fc.constantFrom('42', '43'), order).map(([c, a]) => get(`/accounts/${c}`, a)),
  items.map((list) => get('/orders', { data: { items: list }, total: 5 })),
  fc.tuple(who, items).map(([c, list]) => get(`/orders?customerId=${c}`, { data: { items: list } })),
  items.map((list) => get('/latest', list)),
)
const caller = fc.record({
  sub: who,
  groups: fc.constantFrom([], [], ['sales'], ['staff']),
  region: fc.constantFrom('north', 'south'),
  customer: fc.constantFrom('42', undefined),
})

// Regions of any type, so that what an answer states is judged and not refused; fields with classes and a rule.
const CONTRACT = SHOP.replaceAll('region: { type: string }', 'region: {}')
  .replaceAll('{ type: object, properties: { id:', "{ type: [object, string, 'null'], properties: { id:")
  .replaceAll('type: array, items: { type: [object', "type: [array, string, 'null'], items: { type: [object")
  .replaceAll(
    'n: { type: number } }',
    'n: { type: number }, card: { type: string, x-sallyport: { class: pci, field: { visibleTo: { groups: [corp/staff] }, otherwise: drop } } } }',
  )
const HIDING = `
@id("own") @mask("class:pci") permit (principal is User, action, resource is Object) when { resource has owner && resource.owner == principal };
@id("region") @redact("/id") permit (principal in Group::"corp/sales", action == Action::"shop.listOrders", resource is Object) when { resource has tenant && resource.tenant == principal.tenant };
@id("staff") @drop("/n") permit (principal in Group::"corp/staff", action in Action::"shop/all", resource);
`

const METHODS: Readonly<Record<string, string>> = {
  '/both': 'PUT',
  '/orders': 'POST',
  '/orders/o-1': 'PATCH',
}

describe('1,200 calls with owners from everywhere', () => {
  let gate: ObjectGate
  let engine: PolicyEngine
  let records: readonly ExchangeRecord[]
  beforeAll(async () => {
    gate = objectGate({ contract: CONTRACT, policies: HIDING })
    const route = gate.gate.snapshots.pin()?.snapshot.apis.match('shop.example', '/orders', ['orders'])
    if (route?.kind !== 'api') throw new Error('the API is missing')
    engine = route.api.policies
    const made = fc.sample(fc.tuple(play, caller), { numRuns: 1_200, seed: 20261121 })
    for (const [{ target, answer, body }, { sub, groups, region: north, customer }] of made) {
      gate.answer(answerOf(answer))
      const path = target.replace(/\?.*/, '')
      const method =
        body === undefined ? 'GET' : (METHODS[path.startsWith('/both') ? '/both' : path] ?? 'PUT')
      const claims = { groups, region: north, ...(customer === undefined ? {} : { customer_id: customer }) }
      await gate.call(
        sub,
        { target, method, ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }) },
        claims,
      )
    }
    const folder = temporaryFolder()
    const writer = writerIn(folder.path)
    for (const [id, intent] of gate.audit.intents) {
      writer.intent(intent)
      const outcome = gate.audit.outcomes.get(id)
      if (outcome !== undefined) writer.outcome(outcome)
    }
    writer.close()
    records = await recordsIn(folder.path)
    folder.remove()
  }, 60_000)
  afterAll(() => gate.close())

  it('are all of the kinds meant, and without a fault', () => {
    expect(gate.faults).toEqual([])
    expect(records.length).toBe(1_200)
    const decided = records.map((each) => recordedOf(each).decisions.at(-1))
    const lists = decided.filter((each) => each?.items !== undefined)
    expect(lists.length).toBeGreaterThan(100)
    expect(lists.some((each) => each?.items && each.items.released < each.items.judged)).toBe(true)
    const codes = new Set(decided.flatMap((each) => each?.reasons.map(({ code }) => code) ?? []))
    for (const code of [
      'owner-differs',
      'owner-unknowable',
      'policy-permits',
      'list-filtered',
      'list-unreadable',
      'response-field-dropped',
    ])
      expect(codes).toContain(code)
  })

  it('hide fields of every kind', () => {
    const asked = records.flatMap((each) =>
      recordedOf(each).decisions.flatMap(({ obligations }) => obligations),
    )
    const rows = records.flatMap((each) =>
      recordedOf(each).decisions.flatMap(({ items: list }) =>
        (list?.rows ?? []).flatMap((row) => row.obligations ?? []),
      ),
    )
    expect(new Set(asked.map(({ kind }) => kind))).toEqual(new Set(['drop', 'mask']))
    expect(new Set(rows.map(({ policy }) => policy))).toEqual(new Set(['', 'own', 'region']))
    const hidden = records.filter(
      ({ outcome }) => outcome !== null && outcome !== 'unknown' && outcome.released.redacted !== undefined,
    )
    expect(hidden.length).toBeGreaterThan(50)
  })

  it('are changed where a permit asks for other fields', () => {
    const other = objectGate({
      contract: CONTRACT,
      policies: HIDING.replace('@mask("class:pci")', '@redact("class:pci")'),
    })
    const route = other.gate.snapshots.pin()?.snapshot.apis.match('shop.example', '/orders', ['orders'])
    if (route?.kind !== 'api') throw new Error('the API is missing')
    const { policies } = route.api
    const results = records.map((each) => reevaluate(recordedOf(each), policies))
    const owned = records.filter((each) => {
      const { decisions } = recordedOf(each)
      return decisions.some(
        (one) =>
          JSON.stringify([one.obligations, one.items]).includes('"own"]') ||
          one.obligations.some((o) => o.kind === 'mask'),
      )
    })
    expect(results.filter((each) => each === 'changed').length).toBeGreaterThanOrEqual(
      Math.min(owned.length, 50),
    )
    other.close()
  })

  it('are the same when judged again', () => {
    const others = records
      .map((each) => reevaluate(recordedOf(each), engine))
      .filter((each) => each !== 'same')
    expect(others).toEqual([])
  })

  it('are never called the same where another record would have been decided otherwise', () => {
    let differed = 0
    for (const record of records) {
      const recorded = recordedOf(record)
      const { attributes, decisions } = recorded
      const decision = decisions.findLast(({ checkpoint }) => checkpoint === attributes?.checkpoint)
      if (attributes === null || decision === undefined || isSettled(decision)) continue
      for (const changed of changes(attributes)) {
        const result = reevaluate({ decisions, attributes: changed }, engine)
        const expected = judged(changed)
        const before = effectsOf(decision)
        if (expected.join() === before.join()) continue
        differed++
        expect(result, JSON.stringify({ changed, before, expected })).not.toBe('same')
      }
      for (const path of attributes.kept ?? []) {
        const less = { ...attributes, kept: attributes.kept?.filter((each) => each !== path) ?? [] }
        expect(reevaluate({ decisions, attributes: less }, engine)).toEqual({ undecidable: [path] })
      }
      if (decision.items !== undefined && decision.items.rows.length > 0) {
        const cut = { ...attributes, items: attributes.items?.slice(1) ?? [] }
        expect(reevaluate({ decisions, attributes: cut }, engine)).toEqual({ undecidable: ['items'] })
      }
      expect(reevaluate({ decisions, attributes: null }, engine)).not.toBe('changed')
    }
    expect(differed).toBeGreaterThan(1_000)
  })
})

function recordedOf({ intent, outcome }: ExchangeRecord): RecordedDecision {
  const ending = outcome === null || outcome === 'unknown' ? null : outcome
  return {
    decisions: [...intent.decisions, ...(ending?.decisions ?? [])],
    attributes: ending?.attributes ?? intent.attributes,
  }
}

function isSettled({ reasons }: Decision): boolean {
  const own = ['policy-forbids', 'policy-failed', 'policy-missing', 'owner-differs', 'owner-unknowable']
  return reasons.some(({ code }) => opposes(code) && !own.includes(code))
}

/** Effect and, of lists, the effect of each row. */
function effectsOf({ effect, pending, items: list }: Decision): readonly string[] {
  return list === undefined ? [pending ? 'pending' : effect] : list.rows.map((row) => row.effect)
}

/** The three policies again, in plain words; what stays open at a deny is a deny. */
function judged(input: RecordedInput): readonly string[] {
  if (input.items === undefined) return [said(input, input.resource)]
  return input.items.map((item) => {
    const unknown = input.resource.unknown.filter((name) => item[name] === undefined)
    return said(input, { ...input.resource, ...item, unknown }) === 'allow' ? 'allow' : 'deny'
  })
}

function said({ principal, action, checkpoint }: RecordedInput, resource: Resource): string {
  const groups = principal.groups ?? []
  if (groups.includes('corp/staff')) return 'allow'
  if (resource.objectType === '') return 'deny'
  if (resource.owner === principal.id && principal.type === 'User') return 'allow'
  const sales = groups.includes('corp/sales') && action === 'shop.listOrders'
  if (sales && resource.tenant !== undefined && resource.tenant === principal.tenant) return 'allow'
  const open = resource.unknown.includes('owner') || (sales && resource.unknown.includes('tenant'))
  return open && checkpoint === 'head' ? 'pending' : 'deny'
}

type Resource = Pick<RecordedInput['resource'], 'objectType' | 'unknown'> & ItemInput

/** The record with one attribute another, or gone. */
function* changes(from: RecordedInput): Generator<RecordedInput> {
  const { principal, resource } = from
  const { owner: _owner, ...ownerless } = resource
  const { tenant: _tenant, ...tenantless } = resource
  yield { ...from, principal: { ...principal, id: 'corp/nobody' } }
  yield { ...from, principal: { ...principal, groups: ['corp/staff'] } }
  yield { ...from, principal: { ...principal, groups: [] } }
  yield { ...from, resource: ownerless }
  yield { ...from, resource: tenantless }
  yield {
    ...from,
    resource: { ...resource, owner: principal.id, unknown: without(resource.unknown, 'owner') },
  }
  yield {
    ...from,
    resource: { ...resource, owner: 'corp/nobody', unknown: without(resource.unknown, 'owner') },
  }
  for (const [index, item] of (from.items ?? []).entries()) {
    const { owner: _, ...rest } = item
    for (const one of [rest, { ...item, owner: principal.id }, { ...item, owner: 'corp/nobody' }])
      yield { ...from, items: (from.items ?? []).map((each, at) => (at === index ? one : each)) }
  }
}

function without(unknown: Resource['unknown'], name: 'owner' | 'tenant'): Resource['unknown'] {
  return unknown.filter((each) => each !== name)
}
