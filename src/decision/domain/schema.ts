import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { SallyportError } from '../../model/errors.ts'
import { isObject } from '../cedar/est.ts'
import type { PolicyFile } from '../cedar/fault.ts'
import type { ActionPlan, DomainDetail, Name, RecordShape, Shape } from './plan.ts'

type Plain = Readonly<Record<string, unknown>>

const MAX_DEPTH = 32

const SIMPLE: Readonly<Record<string, Shape>> = {
  String: { kind: 'string' },
  Long: { kind: 'long' },
  Bool: { kind: 'boolean' },
  Boolean: { kind: 'boolean' },
  ipaddr: { kind: 'ipaddr' },
  decimal: { kind: 'decimal' },
  datetime: { kind: 'datetime' },
  duration: { kind: 'duration' },
}

/**
 * What questions are held to, of a schema in Cedar's readable form.
 *
 * @throws {SallyportError} `policy-invalid`
 */
export function readSchema(
  file: PolicyFile,
  types: Readonly<Record<string, string>> | null,
): Pick<DomainDetail, 'types' | 'shapes' | 'actions'> {
  const answer = cedar.schemaToJsonWithResolvedTypes(file.text)
  if (answer.type === 'failure')
    throw refused(
      file,
      `the schema cannot be read: ${answer.errors.map(({ message }) => message).join('; ')}`,
    )
  const schema = new Schema(answer.json as unknown as Plain, file)
  const known = Object.fromEntries(Object.keys(schema.shapes).map((type) => [type, type]))
  for (const [name, type] of Object.entries(types ?? {})) {
    if (known[type] === undefined)
      throw refused(file, `types gives "${name}" the entity type ${type}, which the schema does not have`)
  }
  return { types: types ?? known, shapes: schema.shapes, actions: schema.actions }
}

function refused(file: PolicyFile, why: string): SallyportError {
  return new SallyportError('policy-invalid', `${file.file}: ${why}`, { file: file.file })
}

class Schema {
  readonly shapes: Record<string, RecordShape> = {}
  readonly actions: ActionPlan[] = []
  readonly #file: PolicyFile
  readonly #common = new Map<string, unknown>()
  readonly #groups = new Map<string, readonly Name[]>()

  constructor(namespaces: Plain, file: PolicyFile) {
    this.#file = file
    const parts = Object.entries(namespaces).map(([name, part]) => ({
      prefix: prefixOf(name),
      ...partsOf(part),
    }))
    for (const { prefix, commonTypes } of parts)
      for (const [name, type] of Object.entries(commonTypes)) this.#common.set(`${prefix}${name}`, type)
    for (const { prefix, entityTypes } of parts)
      for (const [name, type] of Object.entries(entityTypes))
        this.shapes[`${prefix}${name}`] = isObject(type) ? this.#record(type['shape'], prefix, 0) : {}
    for (const { prefix, actions } of parts)
      for (const [id, action] of Object.entries(actions))
        this.#groups.set(key({ type: `${prefix}Action`, id }), groupsOf(action, `${prefix}Action`))
    for (const { prefix, actions } of parts)
      for (const [id, action] of Object.entries(actions)) this.#addAction(id, action, prefix)
  }

  #addAction(id: string, action: unknown, prefix: string): void {
    const applies = isObject(action) && isObject(action['appliesTo']) ? action['appliesTo'] : {}
    const uid = { type: `${prefix}Action`, id }
    if (this.actions.some(({ name }) => name === id))
      throw refused(this.#file, `two namespaces have an action "${id}": questions could not tell them apart`)
    this.actions.push({
      name: id,
      uid,
      ancestors: this.#ancestors(uid),
      principals: strings(applies['principalTypes']),
      resources: strings(applies['resourceTypes']),
      context: this.#record(applies['context'], prefix, 0),
    })
  }

  /** Cedar has refused cycles; each group counts once all the same. */
  #ancestors(uid: Name): readonly Name[] {
    const found = new Map<string, Name>()
    const open = [...(this.#groups.get(key(uid)) ?? [])]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(key(next))) continue
      found.set(key(next), next)
      open.push(...(this.#groups.get(key(next)) ?? []))
    }
    return [...found.values()]
  }

  #record(type: unknown, prefix: string, depth: number): RecordShape {
    if (type === undefined) return {}
    const shape = this.#shape(type, prefix, depth)
    return shape.kind === 'record' ? shape.attributes : {}
  }

  #shape(type: unknown, prefix: string, depth: number): Shape {
    if (depth > MAX_DEPTH) throw refused(this.#file, `a type is nested more than ${MAX_DEPTH} deep`)
    if (!isObject(type) || typeof type['type'] !== 'string') throw refused(this.#file, 'a type has no name')
    const { type: name, element, attributes } = type
    switch (name) {
      case 'Entity':
        return { kind: 'entity', type: String(type['name']) }
      case 'Extension':
        return SIMPLE[String(type['name'])] ?? this.#named(String(type['name']), prefix, depth)
      case 'Set':
        return { kind: 'set', element: this.#shape(element, prefix, depth + 1) }
      case 'Record': {
        const members = Object.entries(isObject(attributes) ? attributes : {})
        return {
          kind: 'record',
          attributes: Object.fromEntries(
            members.map(([member, each]) => [member, this.#shape(each, prefix, depth + 1)]),
          ),
        }
      }
      default:
        return this.#named(name, prefix, depth)
    }
  }

  #named(name: string, prefix: string, depth: number): Shape {
    const common = this.#common.get(name) ?? this.#common.get(`${prefix}${name}`)
    if (common !== undefined) return this.#shape(common, prefix, depth + 1)
    const simple = SIMPLE[name.replace(/^__cedar::/, '')]
    if (simple !== undefined) return simple
    throw refused(this.#file, `the type ${name} is not one this version reads`)
  }
}

function partsOf(part: unknown): Readonly<Record<'commonTypes' | 'entityTypes' | 'actions', Plain>> {
  const of = (name: string): Plain => {
    const value = isObject(part) ? part[name] : undefined
    return isObject(value) ? value : {}
  }
  return { commonTypes: of('commonTypes'), entityTypes: of('entityTypes'), actions: of('actions') }
}

function prefixOf(namespace: string): string {
  return namespace === '' ? '' : `${namespace}::`
}

function groupsOf(action: unknown, ownType: string): readonly Name[] {
  const groups = isObject(action) ? action['memberOf'] : undefined
  if (!Array.isArray(groups)) return []
  return groups.flatMap((group: unknown) => {
    if (!isObject(group) || typeof group['id'] !== 'string') return []
    return [{ type: typeof group['type'] === 'string' ? group['type'] : ownType, id: group['id'] }]
  })
}

function key({ type, id }: Name): string {
  return `${type}"${id}"`
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}
