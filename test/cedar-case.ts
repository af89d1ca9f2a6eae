import type * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { Scene, Shape, Type } from './cedar-text.ts'
import {
  ACTIONS,
  ENTITY_TYPES,
  EXTENSIONS,
  entityText,
  IDS,
  LONGS,
  NAMES,
  randomShape,
  randomType,
  STRINGS,
  Writer,
} from './cedar-text.ts'
import type { Tape } from './tape.ts'

type Json = cedar.CedarValueJson
type Name = cedar.TypeAndId

export interface CedarRequest {
  readonly principal: Name
  readonly action: Name
  readonly resource: Name
  readonly context: Record<string, Json>
}

/** Policies, entities and requests in the forms cedar-wasm takes. */
export interface CedarCase {
  readonly policies: Readonly<Record<string, string>>
  readonly templates: Readonly<Record<string, string>>
  readonly links: readonly cedar.TemplateLink[]
  readonly entities: readonly cedar.EntityJson[]
  readonly requests: readonly CedarRequest[]
  /** Set where all entities are of the shape it states. */
  readonly schema: cedar.SchemaJson<string> | null
}

export function cedarCase(tape: Tape): CedarCase {
  const bodies: string[] = []
  // Some conditions occur in several policies.
  const body = (writer: Writer): string => {
    if (bodies.length > 0 && tape.below(4) === 3) return tape.pick(bodies)
    const made = writer.expression({ kind: 'Bool' }, 4)
    bodies.push(made)
    return made
  }
  return caseOf(tape, 6, (writer) =>
    Array.from({ length: tape.below(3) }, () => `${tape.pick(['when', 'unless'])} { ${body(writer)} }`).join(
      ' ',
    ),
  )
}

/** Many policies, told apart by their scopes alone: what an index of policies could get wrong. */
export function scopeCase(tape: Tape): CedarCase {
  return caseOf(tape, 60, () => tape.pick(['', '', 'when { context.missing }']))
}

function caseOf(tape: Tape, most: number, condition: (writer: Writer) => string): CedarCase {
  const shapes = new Map(ENTITY_TYPES.map((type) => [type as string, randomShape(tape, 2)]))
  const tags = randomType(tape, 1)
  const context = randomShape(tape, 2)
  const [principalType, resourceType] = [tape.pick(ENTITY_TYPES), tape.pick(ENTITY_TYPES)]
  const scene: Scene = { shapes, tags, context, principalType, resourceType }
  const conforming = tape.below(3) === 2
  const writer = new Writer(tape, scene)

  const policies: Record<string, string> = {}
  const scoped = most > 6 ? 2 : 3
  const count = 1 + tape.below(most)
  for (let i = 0; i < count; i++) policies[`p${i}`] = policyText(tape, scoped, false, () => condition(writer))
  const templates: Record<string, string> = {}
  const links: cedar.TemplateLink[] = []
  for (let i = tape.below(3); i > 0; i--) {
    const text = policyText(tape, scoped, true, () => condition(writer))
    templates[`t${i}`] = text
    for (let j = tape.below(3); j > 0; j--) {
      const values: Record<string, Name> = {}
      for (const slot of ['?principal', '?resource']) if (text.includes(slot)) values[slot] = anyEntity(tape)
      links.push({ templateId: `t${i}`, newId: `t${i}-${j}`, values })
    }
  }
  const requests = Array.from({ length: 1 + tape.below(3) }, () => ({
    principal: { type: principalType, id: tape.pick(IDS) },
    action: { type: 'Action', id: tape.pick(ACTIONS) },
    resource: { type: resourceType, id: tape.pick(IDS) },
    context: record(tape, context, false),
  }))
  const entities = [...allEntities(tape, scene, conforming), ...actionEntities(tape, conforming)]
  return {
    policies,
    templates,
    links,
    entities,
    requests,
    schema: conforming ? schemaOf(scene, entities) : null,
  }
}

/** One in `scoped` names a principal, as many a resource. */
function policyText(tape: Tape, scoped: number, template: boolean, condition: () => string): string {
  const effect = tape.pick(['permit', 'permit', 'forbid'])
  const principal = entityScope(tape, 'principal', scoped, template)
  const action = tape.pick([
    () => 'action',
    () => 'action',
    () => 'action',
    () => `action == ${entityText('Action', tape.pick(ACTIONS))}`,
    () => `action in ${entityText('Action', tape.pick(ACTIONS))}`,
    () =>
      `action in [${Array.from({ length: tape.below(4) }, () => entityText('Action', tape.pick(ACTIONS))).join(', ')}]`,
  ])()
  // A template has a slot at least.
  const resource = entityScope(tape, 'resource', scoped, template, template && !principal.includes('?'))
  return `${effect}(${principal}, ${action}, ${resource}) ${condition()};`
}

function entityScope(tape: Tape, variable: string, scoped: number, template: boolean, slot = false): string {
  const entity = (): string => {
    if (slot || (template && tape.below(2) === 0)) return `?${variable}`
    const { type, id } = anyEntity(tape)
    return entityText(type, id)
  }
  const forms = [
    () => `${variable} == ${entity()}`,
    () => `${variable} in ${entity()}`,
    () => `${variable} is ${tape.pick(ENTITY_TYPES)} in ${entity()}`,
    () => `${variable} is ${tape.pick(ENTITY_TYPES)}`,
  ]
  if (slot) return tape.pick(forms.slice(0, 3))()
  return tape.below(scoped) === scoped - 1 ? tape.pick(forms)() : variable
}

function anyEntity(tape: Tape): Name {
  return { type: tape.pick(ENTITY_TYPES), id: tape.pick(IDS) }
}

/** Most of the entities there could be; the others are named and do not exist. */
function allEntities(tape: Tape, { shapes, tags }: Scene, conforming: boolean): cedar.EntityJson[] {
  const names = ENTITY_TYPES.flatMap((type) => IDS.map((id) => ({ type, id })))
  return names.flatMap((uid, index) => {
    if (tape.below(5) === 4) return []
    // Parents come later in the list, so that nobody is their own ancestor.
    const later = names.slice(index + 1)
    const parents = later.length === 0 ? [] : Array.from({ length: tape.below(3) }, () => tape.pick(later))
    const entity: cedar.EntityJson = {
      uid,
      attrs: record(tape, shapes.get(uid.type) ?? new Map(), !conforming),
      parents,
    }
    if (tape.below(2) === 0) return [entity]
    const tagged = Array.from({ length: tape.below(3) }, () => [
      tape.pick(NAMES),
      value(tape, tags, !conforming),
    ])
    return [{ ...entity, tags: Object.fromEntries(tagged) }]
  })
}

function actionEntities(tape: Tape, all: boolean): cedar.EntityJson[] {
  return ACTIONS.flatMap((id, index) => {
    if (!all && tape.below(6) === 5) return []
    const later = ACTIONS.slice(index + 1)
    const parents = later.filter(() => tape.below(3) === 2).map((parent) => ({ type: 'Action', id: parent }))
    return [{ uid: { type: 'Action', id }, attrs: {}, parents }]
  })
}

function record(tape: Tape, shape: Shape, deviating: boolean): Record<string, Json> {
  const entries: [string, Json][] = []
  for (const [name, { type, optional }] of shape) {
    if ((optional || (deviating && tape.below(10) === 9)) && tape.below(2) === 1) continue
    entries.push([name, value(tape, type, deviating)])
  }
  return Object.fromEntries(entries)
}

function value(tape: Tape, wanted: Type, deviating: boolean): Json {
  const type = deviating && tape.below(12) === 11 ? randomType(tape, 1) : wanted
  switch (type.kind) {
    case 'Bool':
      return tape.below(2) === 1
    case 'Long':
      return tape.pick(LONGS)
    case 'String':
      return tape.pick(STRINGS)
    case 'Entity':
      return { __entity: { type: type.type, id: tape.pick(IDS) } }
    case 'Set':
      return Array.from({ length: tape.below(tape.below(6) === 5 ? 13 : 4) }, () =>
        value(tape, type.of, deviating),
      )
    case 'Record':
      return record(tape, type.attributes, deviating)
    default:
      return { __extn: { fn: type.kind, arg: tape.pick<string>(EXTENSIONS[type.kind]) } }
  }
}

function schemaOf(
  { shapes, tags, context }: Scene,
  entities: readonly cedar.EntityJson[],
): cedar.SchemaJson<string> {
  const entityTypes = (namespace: string): Record<string, cedar.EntityType<string>> =>
    Object.fromEntries(
      [...shapes]
        .filter(([type]) => (type.includes('::') ? 'NS' : '') === namespace)
        .map(([type, shape]) => [
          type.split('::').at(-1) ?? type,
          {
            memberOfTypes: [...ENTITY_TYPES],
            shape: typeJson({ kind: 'Record', attributes: shape }),
            tags: typeJson(tags),
          },
        ]),
    )
  const actions = entities
    .map(({ uid, parents }) => ({ uid: 'type' in uid ? uid : uid.__entity, parents }))
    .filter(({ uid }) => uid.type === 'Action')
    .map(({ uid, parents }) => [
      uid.id,
      {
        memberOf: parents.map((parent) => ({ id: 'id' in parent ? parent.id : parent.__entity.id })),
        appliesTo: {
          principalTypes: [...ENTITY_TYPES],
          resourceTypes: [...ENTITY_TYPES],
          context: typeJson({ kind: 'Record', attributes: context }),
        },
      },
    ])
  return {
    '': { entityTypes: entityTypes(''), actions: Object.fromEntries(actions) },
    NS: { entityTypes: entityTypes('NS'), actions: {} },
  }
}

function typeJson(type: Type): cedar.Type<string> {
  switch (type.kind) {
    case 'Bool':
      return { type: 'Boolean' }
    case 'Long':
    case 'String':
      return { type: type.kind }
    case 'Entity':
      return { type: 'Entity', name: type.type }
    case 'Set':
      return { type: 'Set', element: typeJson(type.of) }
    case 'Record': {
      const attributes = [...type.attributes].map(([name, { type: of, optional }]) => [
        name,
        { ...typeJson(of), required: !optional },
      ])
      return { type: 'Record', attributes: Object.fromEntries(attributes) }
    }
    default:
      return { type: 'Extension', name: type.kind === 'ip' ? 'ipaddr' : type.kind }
  }
}
